/** Every check of settings against each other says in its status which settings it is about: then a sweep
 *  can point at the line where they stand. All members of all families are tried, with values at the ends
 *  of their ranges, in pairs, so that a member that comes later is tried too. With ENGRAM_FULL_TESTS=1 in the
 *  environment all pairs. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/settings.h"
#include "engram/trial.h"

#include <stdio.h>
#include <string.h>

/* Of what is beside a member inside another every NESTED_EVERY-th is tried. */
enum { NAME = 80, CHOICES = 2, VARIATIONS_MAX = 20000, NESTED_EVERY = 4 };

typedef struct pair {
    char name[NAME], value[NAME];
} pair;

/** The components that are chosen, and perhaps a value of a setting of the innermost. */
typedef struct variation {
    pair choice[CHOICES];
    size_t choices;
    pair value;
    bool has_value;
    size_t root;      /* which setting of the root it is about */
    size_t component; /* counts the combinations of choices */
} variation;

typedef struct space {
    const eg_schema *schema;
    variation *items;
    size_t count, components;
} space;

/** What checks say, in part; each must have been met, or the search is too small to mean anything. */
static const char *const known[] = {
    "more than the layer's",
    "does not divide the layer's",
    "entries, but",
    "is more than the",
    "selection = mask with",
    "the final k, to",
    "has no network",
    "needs classes, and the",
    "(try squared_error)",
    "weights the classes",
    "looks at held-out",
    "expected only one of the two",
    "is empty; expected",
    "appears twice",
    "expected 0 to",
    "does not divide the",
    "every example comes once",
    "this stream has no dataset",
    "expected at most",
    "the stream has only",
    "measures: ",
};

static void put(char out[NAME], const char *prefix, const char *text)
{
    int length = snprintf(out, NAME, "%s%s", prefix, text);
    assert_true(length > 0 && length < NAME);
}

static void add(space *s, const variation *one)
{
    assert_true(s->count < VARIATIONS_MAX);
    s->items[s->count++] = *one;
}

static void add_value(space *s, const variation *inside, const char *name, const char *value)
{
    variation own = *inside;
    put(own.value.name, "", name);
    put(own.value.value, "", value);
    own.has_value = true;
    add(s, &own);
}

static void add_number(space *s, const variation *inside, const char *name, const eg_param *param,
                       double number)
{
    char text[NAME];
    bool whole = param->type != EG_TYPE_REAL;
    (void)snprintf(text, sizeof text, whole ? "%.0f" : "%.17g", number);
    add_value(s, inside, name, text);
}

static void add_values(space *s, const variation *inside, const char *name, const eg_param *param)
{
    char text[NAME];
    switch (param->type) {
    case EG_TYPE_BOOL:
        add_value(s, inside, name, "true");
        add_value(s, inside, name, "false");
        break;
    case EG_TYPE_INT:
    case EG_TYPE_REAL:
        add_number(s, inside, name, param, param->min);
        add_number(s, inside, name, param, 3);
        add_number(s, inside, name, param, param->max < 1e15 ? param->max : 1e9);
        break;
    case EG_TYPE_NAME:
        for (size_t i = 0; param->names[i] != NULL; i++) {
            add_value(s, inside, name, param->names[i]);
        }
        break;
    case EG_TYPE_TEXT:
        add_value(s, inside, name, "nowhere");
        break;
    case EG_TYPE_INTS:
        add_value(s, inside, name, "[]");
        add_value(s, inside, name, "[7, 5]");
        break;
    case EG_TYPE_NAMES:
        (void)snprintf(text, sizeof text, "[%s, %s, %s, %s]", param->names[0], param->names[0],
                       param->names[0], param->names[0]);
        add_value(s, inside, name, text);
        break;
    case EG_TYPE_GROUPS:
        add_value(s, inside, name, "[[0], [1, 2]]");
        add_value(s, inside, name, "[[0], []]");
        add_value(s, inside, name, "[[0], [0]]");
        add_value(s, inside, name, "[[0], [99]]");
        break;
    case EG_TYPE_TEXTS:
        add_value(s, inside, name, "[]");
        add_value(s, inside, name, "[nothing, nothing at all]");
        break;
    case EG_TYPE_COMPONENT:
    case EG_TYPE_COMPONENTS:
        break;
    }
}

static void choose(space *s, const variation *outer, const char *name, const eg_param *param);

static void add_params(space *s, const variation *inside, const char *prefix,
                       const eg_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[NAME];
        put(name, prefix, params[i].name);
        if (params[i].type == EG_TYPE_COMPONENT || params[i].type == EG_TYPE_COMPONENTS) {
            choose(s, inside, name, &params[i]);
        } else {
            add_values(s, inside, name, &params[i]);
        }
    }
}

/** Each member that setting `name` can choose, alone and with a value of each of its settings. */
static void choose(space *s, const variation *outer, const char *name, const eg_param *param)
{
    const eg_family *family = eg_schema_family(s->schema, param->family);
    bool list = param->type == EG_TYPE_COMPONENTS;
    for (size_t m = 0; m < family->member_count && outer->choices < CHOICES; m++) {
        const eg_component *member = family->members[m];
        variation inside = *outer;
        pair *choice = &inside.choice[inside.choices++];
        put(choice->name, "", name);
        (void)snprintf(choice->value, NAME, list ? "[%s]" : "%s", member->name);
        inside.component = ++s->components;
        add(s, &inside);
        char prefix[NAME];
        (void)snprintf(prefix, sizeof prefix, list ? "%s.%s." : "%s.", name, member->name);
        add_params(s, &inside, prefix, family->common, family->common_count);
        add_params(s, &inside, prefix, member->params, member->param_count);
    }
}

static void fill(space *s)
{
    s->schema = eg_trial_schema();
    for (size_t r = 0; r < s->schema->root_count; r++) {
        const variation at = {.root = r};
        add_params(s, &at, "", &s->schema->root[r], 1);
    }
}

static void append(eg_assignment *out, size_t *count, const variation *from)
{
    for (size_t i = 0; i < from->choices; i++) {
        out[(*count)++] =
            (eg_assignment){.name = from->choice[i].name, .value = from->choice[i].value};
    }
    if (from->has_value) {
        out[(*count)++] = (eg_assignment){.name = from->value.name, .value = from->value.value};
    }
}

static void check_named(const eg_status *status, const eg_settings *settings)
{
    char names[EG_STATUS_SETTINGS_SIZE];
    memcpy(names, status->settings, sizeof names);
    if (names[0] == '\0') {
        fail_msg("no setting is named by the status of: %s", status->message);
    }
    char *rest = NULL;
    for (const char *name = strtok_r(names, " ", &rest); name != NULL;
         name = strtok_r(NULL, " ", &rest)) {
        if (eg_settings_find(settings, name) == NULL) {
            fail_msg("'%s' is no setting of: %s", name, status->message);
        }
    }
}

/** Which known checks speak: a bit each. */
static uint64_t try_both(const space *s, const variation *one, const variation *other)
{
    eg_assignment assignments[2 * (CHOICES + 1)];
    size_t count = 0;
    append(assignments, &count, one);
    append(assignments, &count, other);
    eg_settings *settings = NULL;
    eg_status status = eg_settings_resolve(&settings, s->schema, assignments, count);
    if (status.code != EG_OK) {
        return 0; /* not a combination of settings at all */
    }
    status = eg_trial_check(settings);
    uint64_t met = 0;
    if (status.code != EG_OK) {
        assert_int_equal(status.code, EG_INVALID);
        check_named(&status, settings);
        for (size_t k = 0; k < EG_COUNT(known); k++) {
            met |= strstr(status.message, known[k]) != NULL ? UINT64_C(1) << k : 0;
        }
    }
    eg_settings_free(settings);
    return met;
}

static bool same_component(const variation *one, const variation *other)
{
    return one->component == other->component && one->root == other->root;
}

/** A choice with any value of another component beside it. A member inside another has been outside, too, with the same
 *  values: those are half a million pairs that seldom tell more. */
static bool choice_beside(const variation *one, const variation *other)
{
    return !other->has_value && one->root != other->root &&
           (one->choices < CHOICES || !one->has_value || eg_test_full());
}

/** Number `j` beside number `i`; the two once. */
static bool are_tried(const space *s, size_t i, size_t j)
{
    const variation *one = &s->items[i];
    const variation *other = &s->items[j];
    const bool is_nested = one->choices == CHOICES || other->choices == CHOICES;
    if (same_component(one, other)) {
        return i <= j;
    }
    return choice_beside(one, other) && (i <= j || !choice_beside(other, one)) &&
           (!is_nested || (i + j) % NESTED_EVERY == 0 || eg_test_full());
}

static void test_every_check_names_its_settings(void **state)
{
    (void)state;
    space s = {0};
    assert_ok(eg_alloc(&s.items, VARIATIONS_MAX, sizeof *s.items));
    fill(&s);
    uint64_t met = 0;
    for (size_t i = 0; i < s.count; i++) {
        for (size_t j = 0; j < s.count; j++) {
            met |= are_tried(&s, i, j) ? try_both(&s, &s.items[i], &s.items[j]) : 0;
        }
    }
    for (size_t k = 0; k < EG_COUNT(known); k++) {
        if ((met >> k & 1) == 0) {
            fail_msg("no combination made a check say: %s", known[k]);
        }
    }
    eg_free(s.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_check_names_its_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
