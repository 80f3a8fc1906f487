/** Settings: typed values and their canonical text, resolving, and what is said about mistakes. */
#include "base/shared/schema_search.h"
#include "testing.h"

#include "engram/memory.h"
#include "engram/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A small world: shape (with colours inside) and size. -------------------------------------------
 */

static const char *const tones[] = {"light", "middle", "dark", NULL};
static const eg_param red_params[] = {
    {.name = "depth",
     .type = EG_TYPE_REAL,
     .default_text = "0.5",
     .min = 0,
     .max = 1,
     .doc = "how red"},
    {.name = "tone",
     .type = EG_TYPE_NAME,
     .default_text = "middle",
     .names = tones,
     .doc = "how light"},
};
static const eg_param blue_params[] = {
    {.name = "waves", .type = EG_TYPE_INT, .min = 1, .max = 100, .doc = "number of waves"},
};
static const eg_component red = {
    .name = "red", .doc = "red", .params = red_params, .param_count = 2};
static const eg_component blue = {
    .name = "blue", .doc = "blue", .params = blue_params, .param_count = 1};
static const eg_component *const colours[] = {&blue, &red};
static const eg_param colour_common[] = {
    {.name = "gloss", .type = EG_TYPE_BOOL, .default_text = "false", .doc = "shiny"},
};
static const eg_family colour = {.name = "colour",
                                 .common = colour_common,
                                 .common_count = 1,
                                 .members = colours,
                                 .member_count = 2};
static const eg_param circle_params[] = {
    {.name = "radius",
     .type = EG_TYPE_REAL,
     .default_text = "1",
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .doc = "radius"},
    {.name = "fill",
     .type = EG_TYPE_COMPONENT,
     .default_text = "red",
     .family = "colour",
     .doc = "fill"},
};
static const eg_param polygon_params[] = {
    {.name = "sides",
     .type = EG_TYPE_INTS,
     .default_text = "[3, 4]",
     .min = 3,
     .max = 1e6,
     .doc = "sides"},
    {.name = "marks", .type = EG_TYPE_NAMES, .default_text = "[]", .names = tones, .doc = "marks"},
    {.name = "groups", .type = EG_TYPE_GROUPS, .default_text = "[]", .doc = "groups"},
};
static const eg_component circle = {.name = "circle", .params = circle_params, .param_count = 2};
static const eg_component polygon = {.name = "polygon", .params = polygon_params, .param_count = 3};
static const eg_component *const shapes[] = {&circle, &polygon};
static const eg_family shape = {.name = "shape", .members = shapes, .member_count = 2};
static const eg_param root[] = {
    {.name = "shape",
     .type = EG_TYPE_COMPONENT,
     .default_text = "circle",
     .family = "shape",
     .doc = "shape"},
    {.name = "label",
     .type = EG_TYPE_TEXT,
     .default_text = "",
     .doc = "label",
     .keeps_results = true},
    {.name = "count", .type = EG_TYPE_INT, .default_text = "7", .doc = "count"},
    {.name = "late", .type = EG_TYPE_INT, .default_text = "0", .doc = "late", .added_later = true},
};
static const eg_family *const families[] = {&colour, &shape};
static const eg_schema schema = {
    .root = root, .root_count = 4, .families = families, .family_count = 2};

static eg_status resolve(eg_settings **out, size_t count, const eg_assignment *assignments)
{
    return eg_settings_resolve(out, &schema, assignments, count);
}

#define RESOLVE(out, ...)                                                                          \
    resolve((out), sizeof((eg_assignment[]){__VA_ARGS__}) / sizeof(eg_assignment),                 \
            (eg_assignment[]){__VA_ARGS__})

static void assert_text(const eg_settings *settings, bool all, const char *expected)
{
    char *text = NULL;
    assert_ok(eg_settings_text(&text, settings, all));
    assert_string_equal(text, expected);
    eg_free(text);
}

/** The canonical text of one value of type `type`. */
static void assert_canonical(eg_type type, const char *written, const char *expected)
{
    eg_param param = {.name = "p", .type = type, .names = tones};
    eg_value value;
    assert_ok(eg_value_parse(&value, &param, &schema, written));
    assert_string_equal(value.text, expected);
    eg_value_clear(&value);
}

static void assert_refused(eg_type type, const char *written, const char *part)
{
    eg_param param = {.name = "p", .type = type, .names = tones, .family = "colour"};
    eg_value value;
    assert_fails(eg_value_parse(&value, &param, &schema, written), EG_INVALID, part);
}

static void test_canonical_numbers(void **state)
{
    (void)state;
    assert_canonical(EG_TYPE_REAL, "1e-4", "0.0001");
    assert_canonical(EG_TYPE_REAL, "0.10", "0.1");
    assert_canonical(EG_TYPE_REAL, " +1.50 ", "1.5");
    assert_canonical(EG_TYPE_REAL, "1", "1");
    assert_canonical(EG_TYPE_REAL, "-0", "0");
    assert_canonical(EG_TYPE_REAL, "1e-7", "1e-07");
    /* 0.1 + 0.2 needs all 17 digits, 5e-324 is the smallest double. */
    assert_canonical(EG_TYPE_REAL, "0.30000000000000004", "0.30000000000000004");
    assert_canonical(EG_TYPE_REAL, "0.1000000000000000055511151231257827", "0.1");
    assert_canonical(EG_TYPE_REAL, "5e-324", "4.94065645841247e-324");
    assert_canonical(EG_TYPE_INT, "+12", "12");
    assert_canonical(EG_TYPE_INT, "-0", "0");
    assert_canonical(EG_TYPE_INT, "007", "7");
    assert_canonical(EG_TYPE_INT, "9223372036854775807", "9223372036854775807");
}

static void test_refused_numbers(void **state)
{
    (void)state;
    static const char *const not_finite[] = {"nan",  "inf",   "-inf",    ".nan",
                                             ".inf", "-.INF", "Infinity"};
    for (size_t i = 0; i < EG_COUNT(not_finite); i++) {
        assert_refused(EG_TYPE_REAL, not_finite[i], "must be a finite number");
        assert_refused(EG_TYPE_INT, not_finite[i], "must be an integer");
    }
    static const char *const not_numbers[] = {"",    " ",   "x",   "1x",    "0x10", "1e",
                                              "1,5", "1 2", "--1", "1_000", "e5",   "[1]"};
    for (size_t i = 0; i < EG_COUNT(not_numbers); i++) {
        assert_refused(EG_TYPE_REAL, not_numbers[i], "must be a number");
        assert_refused(EG_TYPE_INT, not_numbers[i], "must be an integer");
    }
    assert_refused(EG_TYPE_REAL, "1e400", "p = 1e400: must be a finite number that fits");
    assert_refused(EG_TYPE_REAL, "1e-400", "must be a finite number that fits");
    assert_refused(EG_TYPE_INT, "1e3", "p = 1e3: must be an integer: write 1000");
    assert_refused(EG_TYPE_INT, "3.0", "write 3");
    assert_refused(EG_TYPE_INT, "3.5", "p = 3.5: must be an integer");
    assert_refused(EG_TYPE_INT, "9223372036854775808", "must be an integer");
}

static void test_words_and_bools(void **state)
{
    (void)state;
    assert_canonical(EG_TYPE_BOOL, "true", "true");
    assert_canonical(EG_TYPE_BOOL, "false", "false");
    assert_canonical(EG_TYPE_NAME, "dark", "dark");
    assert_canonical(EG_TYPE_TEXT, "a b, [c]", "a b, [c]");
    assert_refused(EG_TYPE_BOOL, "yes", "write true");
    assert_refused(EG_TYPE_BOOL, "0", "write false");
    assert_refused(EG_TYPE_BOOL, "maybe", "p = maybe: must be true or false");
    assert_refused(EG_TYPE_NAME, "midle", "one of light, middle, dark; did you mean middle?");
    assert_refused(EG_TYPE_NAME, "pink", "must be one of light, middle, dark");
    assert_refused(EG_TYPE_TEXT, "two\nlines", "one line of text");
    assert_refused(EG_TYPE_COMPONENT, "bleu", "no such colour; did you mean blue?");
    assert_refused(EG_TYPE_COMPONENT, "xylophone", "no such colour; known are blue, red");
}

static void test_lists(void **state)
{
    (void)state;
    assert_canonical(EG_TYPE_INTS, "[1000,500]", "[1000, 500]");
    assert_canonical(EG_TYPE_INTS, "5", "[5]");
    assert_canonical(EG_TYPE_INTS, " [ ] ", "[]");
    assert_canonical(EG_TYPE_NAMES, "[dark,  light]", "[dark, light]");
    assert_canonical(EG_TYPE_NAMES, "dark", "[dark]");
    assert_canonical(EG_TYPE_GROUPS, "[[0,1],[2,3, 4]]", "[[0, 1], [2, 3, 4]]");
    assert_canonical(EG_TYPE_GROUPS, "[[],[7]]", "[[], [7]]");
    assert_canonical(EG_TYPE_GROUPS, "[]", "[]");
    static const char *const broken[] = {"[1, 2", "[1 2]", "1, 2", "[1] 2", "[,1]", "[[1]]", ""};
    for (size_t i = 0; i < EG_COUNT(broken); i++) {
        assert_refused(EG_TYPE_INTS, broken[i], "must be a list of integers like [1000, 500]");
    }
    assert_canonical(EG_TYPE_TEXTS, " [conv 8\t5x5,relu ,  max_pool  2]",
                     "[conv 8 5x5, relu, max_pool 2]");
    assert_canonical(EG_TYPE_TEXTS, "conv  8", "[conv 8]");
    assert_canonical(EG_TYPE_TEXTS, "[a b,]", "[a b]");
    assert_canonical(EG_TYPE_TEXTS, "[ ]", "[]");
    static const char *const no_texts[] = {"[a, b", "a, b", "[a] b", "[,a]", "[[a]]", "[a[b]]", ""};
    for (size_t i = 0; i < EG_COUNT(no_texts); i++) {
        assert_refused(EG_TYPE_TEXTS, no_texts[i], "must be a list of texts like [a, b c]");
    }
    assert_refused(EG_TYPE_TEXTS, "[a\ab]", "without control characters");
    assert_refused(EG_TYPE_GROUPS, "[0, 1]", "must be a list of lists of integers");
    assert_refused(EG_TYPE_GROUPS, "[[0, 1]", "must be a list of lists of integers");
    assert_refused(EG_TYPE_INTS, "[1, 2.5]", "must be an integer");
    assert_refused(EG_TYPE_NAMES, "[dark, lihgt]", "did you mean light?");

    eg_param param = {.name = "p", .type = EG_TYPE_GROUPS};
    eg_value value;
    assert_ok(eg_value_parse(&value, &param, &schema, "[[5, 6], [7]]"));
    assert_int_equal(value.count, 2);
    assert_int_equal(value.ends[0], 2);
    assert_int_equal(value.ends[1], 3);
    assert_int_equal(value.items[2], 7);
    eg_value_clear(&value);
    param.type = EG_TYPE_TEXTS;
    assert_ok(eg_value_parse(&value, &param, &schema, "[conv 8,relu]"));
    assert_int_equal(value.count, 2);
    assert_int_equal(value.items[1], 9);
    assert_int_equal(value.ends[1], 13);
    assert_memory_equal(value.text + value.items[1], "relu", 4);
    eg_value_clear(&value);
}

static void test_ranges(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    assert_fails(RESOLVE(&settings, {"shape.radius", "0", {0}}), EG_INVALID,
                 "shape.radius = 0: must be above 0");
    assert_fails(RESOLVE(&settings, {"shape.fill.depth", "1.5", {0}}), EG_INVALID,
                 "shape.fill.depth = 1.5: must be at least 0 and at most 1");
    assert_fails(RESOLVE(&settings, {"shape", "polygon", {0}}, {"shape.sides", "[3, 2]", {0}}),
                 EG_INVALID, "shape.sides = [3, 2]: must be at least 3");
    assert_ok(RESOLVE(&settings, {"shape.fill.depth", "1", {0}}, {"shape.radius", "1e-9", {0}}));
    eg_settings_free(settings);
}

static void test_defaults_and_order(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, &schema, NULL, 0));
    assert_text(settings, true,
                "shape=circle\nshape.radius=1\nshape.fill=red\nshape.fill.gloss=false\n"
                "shape.fill.depth=0.5\nshape.fill.tone=middle\nlabel=\ncount=7\nlate=0\n");
    assert_false(eg_settings_find(settings, "count")->given);
    eg_settings_free(settings);

    /* Any order of writing, later assignments win, components given after their parameters. */
    assert_ok(RESOLVE(&settings, {"count", "1", {0}}, {"shape.groups", "[[1], [2, 3]]", {0}},
                      {"shape", "polygon", {0}}, {"label", "hi = there", {0}},
                      {"count", "2", {0}}));
    assert_text(settings, false,
                "shape=polygon\nshape.sides=[3, 4]\nshape.marks=[]\nshape.groups=[[1], [2, 3]]\n"
                "count=2\n");
    assert_true(eg_settings_find(settings, "count")->given);
    /* A parameter that came later identifies a trial only where it is not what was done before. */
    eg_settings *later = NULL;
    assert_ok(RESOLVE(&later, {"late", "0", {0}}));
    assert_text(later, false,
                "shape=circle\nshape.radius=1\nshape.fill=red\nshape.fill.gloss=false\n"
                "shape.fill.depth=0.5\nshape.fill.tone=middle\ncount=7\n");
    eg_settings_free(later);
    assert_ok(RESOLVE(&later, {"shape", "polygon", {0}}, {"late", "1", {0}}));
    assert_text(
        later, false,
        "shape=polygon\nshape.sides=[3, 4]\nshape.marks=[]\nshape.groups=[]\ncount=7\nlate=1\n");
    eg_settings_free(later);
    assert_int_equal(eg_settings_find(settings, "count")->value.integer, 2);
    const eg_value *groups = &eg_settings_find(settings, "shape.groups")->value;
    assert_int_equal(groups->ends[1], 3);
    assert_int_equal(groups->items[1], 2);
    assert_null(eg_settings_find(settings, "shape.radius"));

    char *text = NULL;
    assert_ok(eg_settings_text(&text, settings, true));
    eg_settings *again = NULL;
    assert_ok(eg_settings_parse(&again, &schema, text));
    assert_text(again, true, text);
    eg_free(text);
    eg_settings_free(again);
    eg_settings_free(settings);
    assert_fails(eg_settings_parse(&again, &schema, "count"), EG_INVALID, "\"name=value\"");
}

static void test_required(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    assert_fails(RESOLVE(&settings, {"shape.fill", "blue", {0}}), EG_INVALID,
                 "shape.fill.waves must be given: number of waves");
    assert_null(settings);
    /* The misspelt name is the better message. */
    assert_fails(RESOLVE(&settings, {"shape.fill", "blue", {0}}, {"shape.fill.wavs", "3", {0}}),
                 EG_INVALID, "unknown setting 'shape.fill.wavs': did you mean shape.fill.waves?");
}

static void test_unknown_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message;
    } cases[] = {
        {"conut", "unknown setting 'conut': did you mean count?"},
        {"shape.radios", "unknown setting 'shape.radios': did you mean shape.radius?"},
        {"radius", "unknown setting 'radius': did you mean shape.radius?"},
        {"fill.tone", "unknown setting 'fill.tone': did you mean shape.fill.tone?"},
        {"form.radius", "unknown setting 'form.radius': did you mean shape.radius?"},
        {"shape.sides", "shape.sides belongs to polygon, but shape is circle"},
        {"shape.fill.waves", "shape.fill.waves belongs to blue, but shape.fill is red"},
        {"waves", "shape.fill.waves belongs to blue, but shape.fill is red"},
        {"count.extra", "unknown setting 'count.extra': count has no parts"},
        {"zzzzzz", "unknown setting 'zzzzzz'"},
        {"", "unknown setting ''"},
        {".", "unknown setting '.'"},
    };
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        eg_settings *settings = NULL;
        assert_fails(RESOLVE(&settings, {cases[i].name, "1", {0}}), EG_INVALID, cases[i].message);
        assert_null(settings);
    }
    eg_settings *settings = NULL;
    assert_fails(RESOLVE(&settings, {"shape", "polygon", {0}}, {"shape.fill.tone", "dark", {0}}),
                 EG_INVALID, "shape.fill.tone belongs to circle, but shape is polygon");
}

static void test_positions(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    assert_fails(RESOLVE(&settings, {"count", "x", {"a.yaml", 12, 3}}), EG_INVALID,
                 "a.yaml:12:3: count = x: must be an integer");
    assert_fails(RESOLVE(&settings, {"conut", "1", {"a.yaml", 12, 0}}), EG_INVALID,
                 "a.yaml:12: unknown setting");
    assert_fails(RESOLVE(&settings, {"conut", "1", {"command line", 0, 0}}), EG_INVALID,
                 "command line: unknown setting");
}

static void test_views(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    assert_ok(RESOLVE(&settings, {"shape.fill.depth", "0.25", {0}},
                      {"shape.fill.tone", "dark", {0}}, {"label", "hello", {0}}));
    eg_view view = eg_settings_root(settings);
    assert_int_equal(eg_view_int(&view, "count"), 7);
    assert_int_equal(eg_view_size(&view, "count"), 7);
    assert_string_equal(eg_view_text(&view, "label"), "hello");
    assert_ptr_equal(eg_view_component(&view, "shape"), &circle);
    eg_view inside = eg_view_inside(&view, "shape");
    assert_close(eg_view_real(&inside, "radius"), 1, 0);
    eg_view deep = eg_view_inside(&inside, "fill");
    assert_string_equal(deep.prefix, "shape.fill.");
    assert_false(eg_view_bool(&deep, "gloss"));
    assert_int_equal(eg_view_name(&deep, "tone"), 2);
    double numbers[2];
    eg_view_numbers(&deep, &red, numbers);
    assert_close(numbers[0], 0.25, 0);
    assert_close(numbers[1], 2, 0);
    eg_settings_free(settings);
}

/** Each member of a list of components brings its parameters below its name, once. */
static void test_lists_of_components(void **state)
{
    (void)state;
    static const eg_param list[] = {
        {.name = "fills",
         .type = EG_TYPE_COMPONENTS,
         .default_text = "[red]",
         .family = "colour",
         .doc = "fills"},
    };
    static const eg_schema lists = {
        .root = list, .root_count = 1, .families = families, .family_count = 2};
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, &lists, NULL, 0));
    assert_text(settings, true,
                "fills=[red]\nfills.red.gloss=false\nfills.red.depth=0.5\nfills.red.tone=middle\n");
    eg_settings_free(settings);
    const eg_assignment both[] = {{"fills", "[ blue,red, blue]", {0}},
                                  {"fills.blue.waves", "3", {0}},
                                  {"fills.red.tone", "dark", {0}}};
    assert_ok(eg_settings_resolve(&settings, &lists, both, 3));
    assert_text(settings, true,
                "fills=[blue, red, blue]\nfills.blue.gloss=false\nfills.blue.waves=3\n"
                "fills.red.gloss=false\nfills.red.depth=0.5\nfills.red.tone=dark\n");
    eg_view root_view = eg_settings_root(settings);
    eg_view inside = eg_view_member(&root_view, "fills", "red");
    assert_int_equal(eg_view_name(&inside, "tone"), 2);
    eg_settings_free(settings);
    const eg_assignment wrong[] = {{"fills", "[bleu]", {0}},
                                   {"fills.blue.waves", "3", {0}},
                                   {"fills.red.deph", "1", {0}},
                                   {"fills.green.depth", "1", {0}}};
    assert_fails(eg_settings_resolve(&settings, &lists, &wrong[0], 1), EG_INVALID,
                 "fills = [bleu]: must be one of blue, red; did you mean blue?");
    assert_fails(eg_settings_resolve(&settings, &lists, &wrong[1], 1), EG_INVALID,
                 "fills.blue.waves belongs to blue, which is not in fills = [red]");
    assert_fails(eg_settings_resolve(&settings, &lists, &wrong[2], 1), EG_INVALID,
                 "did you mean fills.red.depth?");
    assert_fails(eg_settings_resolve(&settings, &lists, &wrong[3], 1), EG_INVALID,
                 "unknown setting 'fills.green.depth'");
}

/** A family whose members hold it, as learners around learners: what is offered for a misspelled name
 *  is every name once. Each member offering all others again would be 30^6 names, which ends in the
 *  time limit of this test. */
static void test_families_that_hold_themselves(void **state)
{
    (void)state;
    enum { MEMBERS = 30 };
    static const eg_param inside[] = {
        {.name = "of", .type = EG_TYPE_COMPONENT, .default_text = "end", .family = "nest"},
        {.name = "size", .type = EG_TYPE_INT, .default_text = "1", .min = 0, .max = 9},
    };
    static const eg_param last[] = {
        {.name = "weight", .type = EG_TYPE_INT, .default_text = "1", .min = 0, .max = 9}};
    static const eg_param top[] = {
        {.name = "nest", .type = EG_TYPE_COMPONENT, .default_text = "end", .family = "nest"}};
    static char names[MEMBERS][8];
    static eg_component around[MEMBERS];
    static const eg_component end = {.name = "end", .params = last, .param_count = 1};
    static const eg_component *members[MEMBERS + 1];
    for (size_t i = 0; i < MEMBERS; i++) {
        (void)snprintf(names[i], sizeof names[i], "a%zu", i);
        around[i] = (eg_component){.name = names[i], .params = inside, .param_count = 2};
        members[i] = &around[i];
    }
    members[MEMBERS] = &end;
    static const eg_family nest = {.name = "nest", .members = members, .member_count = MEMBERS + 1};
    static const eg_family *const nests[] = {&nest};
    static const eg_schema nested = {
        .root = top, .root_count = 1, .families = nests, .family_count = 1};
    char best[EG_NAME_SIZE];
    assert_true(eg_schema_nearest(&nested, "nest.of.of.of.sise", best));
    assert_string_equal(best, "nest.of.of.of.size");
    assert_true(eg_schema_nearest(&nested, "nest.of.of.weigth", best));
    assert_string_equal(best, "nest.of.of.weight");
}

static void test_out_of_memory(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    const eg_assignment assignments[] = {{"shape", "polygon", {0}},
                                         {"shape.groups", "[[1, 2], [3]]", {0}},
                                         {"shape.marks", "[dark]", {0}}};
    for (size_t n = 1;; n++) {
        eg_memory_fail_after(n);
        eg_settings *settings = NULL;
        eg_status status = resolve(&settings, EG_COUNT(assignments), assignments);
        eg_memory_fail_after(0);
        eg_settings_free(settings);
        assert_int_equal(eg_memory_live_blocks(), before);
        if (status.code == EG_OK) {
            assert_true(n > 10);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_numbers),
        cmocka_unit_test(test_refused_numbers),
        cmocka_unit_test(test_words_and_bools),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_defaults_and_order),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_lists_of_components),
        cmocka_unit_test(test_families_that_hold_themselves),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
