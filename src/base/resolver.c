/** Points of a sweep as variants of patterns; see base/shared/resolver.h. */
#include "base/shared/resolver.h"

#include "base/settings_memory.h"
#include "base/shared/schema_search.h"
#include "base/shared/settings_help.h"
#include "base/shared/value.h"
#include "engram/memory.h"

#include <assert.h>
#include <string.h>

enum { PATTERNS_MAX = 4096, CHAINS = 1024, NAMES = 1024, VALUES = 8192 /* powers of two */ };

/* What the value of an assignment does, if it does not give the setting at a place its value. */
static const uint32_t choice =
    UINT32_MAX; /* it names a component, and so decides which settings there are */
static const uint32_t nothing =
    UINT32_MAX - 1; /* there is no such setting, or a later assignment wins */

/** A resolved set that others are variants of: same names assigned, same components. */
typedef struct pattern {
    struct pattern *next; /* of its chain */
    uint64_t hash;
    size_t count;
    const char **names, **values; /* [count] as assigned */
    uint32_t *places;             /* [count] or choice, nothing */
    bool *used;                   /* [count] */
    eg_status missing;
    eg_settings *complete;
} pattern;

/** Does this name choose a component, or several? */
typedef struct known_name {
    const char *name;
    bool chooses;
} known_name;

/** A value that was parsed for a place of a pattern. */
typedef struct known_value {
    const char *text;
    const eg_settings_shared *shared;
    size_t place;
    const eg_setting *setting;
} known_value;

struct eg_resolver {
    const eg_schema *schema;
    pattern *chains[CHAINS];
    size_t pattern_count;
    known_name names[NAMES];    /* an entry gives way to the next one with its hash */
    known_value values[VALUES]; /* likewise */
    /* The last set resolved. */
    const pattern *last;
    const eg_setting **items; /* [own] that differ from the pattern … */
    uint32_t *places;         /* … and where they are */
    size_t own, capacity;
    eg_settings *variant; /* the same, with room for `capacity` items */
};

static uint64_t mix(uint64_t hash, const void *address)
{
    hash = (hash ^ (uint64_t)(uintptr_t)address) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 32);
}

/* Patterns ------------------------------------------------------------------------------------- */

static bool chooses(eg_resolver *r, const char *name)
{
    known_name *known = &r->names[mix(0, name) & (NAMES - 1)];
    if (known->name != name) {
        const eg_param *param = eg_schema_param(r->schema, name);
        *known = (known_name){name, param != NULL && param->family != NULL};
    }
    return known->chooses;
}

static uint64_t hash_of(eg_resolver *r, const eg_assignment *assignments, size_t count)
{
    uint64_t hash = count;
    for (size_t i = 0; i < count; i++) {
        hash = mix(hash, assignments[i].name);
        hash = chooses(r, assignments[i].name) ? mix(hash, assignments[i].value) : hash;
    }
    return hash;
}

static bool fits(const pattern *p, const eg_assignment *assignments, size_t count)
{
    bool same = p->count == count;
    for (size_t i = 0; same && i < count; i++) {
        same = p->names[i] == assignments[i].name &&
               (p->places[i] != choice || p->values[i] == assignments[i].value);
    }
    return same;
}

static const pattern *find_pattern(const eg_resolver *r, uint64_t hash,
                                   const eg_assignment *assignments, size_t count)
{
    const pattern *p = r->chains[hash & (CHAINS - 1)];
    while (p != NULL && (p->hash != hash || !fits(p, assignments, count))) {
        p = p->next;
    }
    return p;
}

static void free_pattern(pattern *p)
{
    eg_settings_free(p->complete);
    eg_free(p->names);
    eg_free(p->values);
    eg_free(p->places);
    eg_free(p->used);
    eg_free(p);
}

static void forget_patterns(eg_resolver *r)
{
    for (size_t i = 0; i < CHAINS; i++) {
        while (r->chains[i] != NULL) {
            pattern *next = r->chains[i]->next;
            free_pattern(r->chains[i]);
            r->chains[i] = next;
        }
    }
    memset(r->values, 0, sizeof r->values);
    r->pattern_count = 0;
    r->last = NULL;
}

static bool assigned_again(const eg_assignment *assignments, size_t count, size_t i)
{
    bool again = false;
    for (size_t k = i + 1; k < count && !again; k++) {
        again = strcmp(assignments[k].name, assignments[i].name) == 0;
    }
    return again;
}

/** Takes down what the assignments do in the resolved set. */
static void describe(pattern *p, const eg_assignment *assignments)
{
    for (size_t i = 0; i < p->count; i++) {
        size_t place = eg_settings_place(p->complete, assignments[i].name); /* SIZE_MAX: none */
        p->names[i] = assignments[i].name;
        p->values[i] = assignments[i].value;
        p->places[i] = nothing;
        if (place < nothing && !assigned_again(assignments, p->count, i)) {
            bool component = eg_settings_at(p->complete, place)->param->family != NULL;
            p->places[i] = component ? choice : (uint32_t)place;
        }
    }
}

static eg_status add_pattern(eg_resolver *r, uint64_t hash, const eg_assignment *assignments,
                             size_t count, const pattern **out)
{
    pattern *p = NULL;
    eg_status status = eg_ok();
    if (r->pattern_count == PATTERNS_MAX) {
        forget_patterns(r);
    }
    EG_TRY(eg_alloc(&p, 1, sizeof *p));
    p->hash = hash;
    p->count = count;
    EG_TRY_DONE(status, eg_alloc(&p->names, count, sizeof(char *)));
    EG_TRY_DONE(status, eg_alloc(&p->values, count, sizeof(char *)));
    EG_TRY_DONE(status, eg_alloc(&p->places, count, sizeof *p->places));
    EG_TRY_DONE(status, eg_alloc(&p->used, count, sizeof *p->used));
    EG_TRY_DONE(status, eg_settings_resolve_known(&p->complete, r->schema, assignments, count,
                                                  p->used, &p->missing));
    describe(p, assignments);
    p->next = r->chains[hash & (CHAINS - 1)];
    r->chains[hash & (CHAINS - 1)] = p;
    r->pattern_count++;
    *out = p;
done:
    if (status.code != EG_OK) {
        free_pattern(p);
    }
    return status;
}

/* Variants ------------------------------------------------------------------------------------- */

/** The setting at `place` with this value. */
static eg_status parse(eg_resolver *r, const pattern *p, size_t place, const char *text,
                       const eg_setting **out)
{
    eg_settings_shared *shared = p->complete->shared;
    known_value *known = &r->values[mix(mix(place, text), shared) & (VALUES - 1)];
    if (known->text == text && known->shared == shared && known->place == place) {
        *out = known->setting;
        return eg_ok();
    }
    const eg_setting *like = p->complete->items[place];
    eg_setting setting = *like;
    EG_TRY(eg_value_parse_as(&setting.value, like->name, like->param, r->schema, text));
    *out = like;
    eg_status status = eg_ok();
    if (strcmp(setting.value.text, like->value.text) != 0) {
        status = eg_settings_keep_value(out, shared, &setting);
    }
    eg_value_clear(&setting.value);
    if (status.code == EG_OK) {
        *known = (known_value){text, shared, place, *out};
    }
    return status;
}

static eg_status make_room(eg_resolver *r, size_t count)
{
    if (count <= r->capacity && r->variant != NULL) {
        return eg_ok();
    }
    eg_free(r->items);
    eg_free(r->places);
    eg_free(r->variant);
    r->capacity = 0;
    r->items = NULL;
    r->places = NULL;
    r->variant = NULL;
    EG_TRY(eg_alloc(&r->items, count, sizeof(eg_setting *)));
    EG_TRY(eg_alloc(&r->places, count, sizeof *r->places));
    EG_TRY(eg_alloc(&r->variant, eg_settings_variant_size(count), 1));
    r->capacity = count;
    return eg_ok();
}

static eg_status vary(eg_resolver *r, const pattern *p, const eg_assignment *assignments)
{
    EG_TRY(make_room(r, p->count));
    r->own = 0;
    for (size_t i = 0; i < p->count; i++) {
        const eg_setting *setting = NULL;
        uint32_t place = p->places[i];
        if (place >= nothing || assignments[i].value == p->values[i]) {
            continue;
        }
        EG_TRY(parse(r, p, place, assignments[i].value, &setting));
        if (setting != p->complete->items[place]) {
            r->items[r->own] = setting;
            r->places[r->own++] = place;
        }
    }
    eg_settings_make_variant(r->variant, p->complete->shared, r->items, r->places, r->own);
    return eg_ok();
}

/** The failure as resolving from the beginning says it: with positions, the first in the order of
 *  the schema. */
static eg_status explain(const eg_resolver *r, eg_status why, const eg_assignment *assignments,
                         size_t count, bool *used)
{
    eg_settings *settings = NULL;
    eg_status missing = eg_ok();
    eg_status status = why;
    if (why.code == EG_INVALID) {
        status =
            eg_settings_resolve_known(&settings, r->schema, assignments, count, used, &missing);
        eg_settings_free(settings);
    }
    assert(status.code != EG_OK);
    return status.code != EG_OK ? status : why;
}

eg_status eg_resolver_resolve(eg_resolver *resolver, const eg_assignment *assignments, size_t count,
                              bool *used, eg_status *missing, const eg_settings **out)
{
    eg_resolver *r = resolver;
    uint64_t hash = hash_of(r, assignments, count);
    const pattern *p = find_pattern(r, hash, assignments, count);
    *out = NULL;
    r->last = NULL;
    if (p == NULL) {
        EG_TRY(add_pattern(r, hash, assignments, count, &p));
    }
    eg_status status = vary(r, p, assignments);
    if (status.code != EG_OK) {
        return explain(r, status, assignments, count, used);
    }
    if (count > 0) {
        memcpy(used, p->used, count * sizeof *used);
    }
    *missing = p->missing;
    *out = r->variant;
    r->last = p;
    return eg_ok();
}

eg_status eg_resolver_keep(eg_resolver *resolver, eg_settings **out)
{
    assert(resolver->last != NULL);
    return eg_settings_keep_variant(out, resolver->last->complete->shared, resolver->items,
                                    resolver->places, resolver->own);
}

/* The resolver --------------------------------------------------------------------------------- */

eg_status eg_resolver_create(eg_resolver **out, const eg_schema *schema)
{
    EG_TRY(eg_alloc(out, 1, sizeof **out));
    (*out)->schema = schema;
    return eg_ok();
}

void eg_resolver_free(eg_resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    forget_patterns(resolver);
    eg_free(resolver->items);
    eg_free(resolver->places);
    eg_free(resolver->variant);
    eg_free(resolver);
}
