/** Resolving: assignments checked against a schema and completed with defaults; see engram/settings.h.
 *
 *  A resolved set is one block of memory, because a sweep keeps one per point:
 *      [eg_settings][eg_setting × own][integers of lists][ends of groups][places][names and texts]
 *  It is first built from separate pieces and then packed. One that shares has only what differs from another one, with
 *  the places where it belongs. */
#include "engram/settings.h"

#include "base/settings_help.h"
#include "base/value.h"
#include "engram/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct eg_settings {
    size_t count;
    size_t own;        /* of them in `items`: all, or what differs from … */
    eg_settings *like; /* … this one, which has all; NULL: shares nothing */
    uint32_t *places;  /* [own] where they belong */
    size_t sharers;    /* that are like this one */
    bool released;     /* but still needed by them */
    eg_setting items[];
};

/* As many names as there can be: EG_PREFIX_SIZE at most each. */
enum { NAME_BYTES = 4096, NAME_CHUNKS = 256 };

typedef struct builder {
    const eg_schema *schema;
    const eg_assignment *assignments;
    size_t assignment_count;
    bool *used; /* per assignment: its name exists */
    eg_setting *items;
    size_t count, capacity;
    eg_status missing; /* the first required setting that nobody gave */
    char *
        names[NAME_CHUNKS]; /* blocks of NAME_BYTES in which the names stand one behind the other */
    size_t chunk_count, chunk_used;
} builder;

static const eg_assignment *take_assignment(builder *b, const char *name)
{
    const eg_assignment *last = NULL;
    for (size_t i = 0; i < b->assignment_count; i++) {
        if (strcmp(b->assignments[i].name, name) == 0) {
            b->used[i] = true;
            last = &b->assignments[i];
        }
    }
    return last;
}

/** "PREFIXNAME", which lives as long as the builder. */
static eg_status add_name(builder *b, char **out, const char *prefix, const char *name)
{
    size_t first = strlen(prefix);
    size_t second = strlen(name) + 1;
    if (first + second > EG_PREFIX_SIZE || b->chunk_count == NAME_CHUNKS) {
        return eg_fail(EG_INVALID, "%s: settings are nested too deeply", prefix);
    }
    if (b->chunk_count == 0 || NAME_BYTES - b->chunk_used < first + second) {
        EG_TRY(eg_alloc(&b->names[b->chunk_count], NAME_BYTES, 1));
        b->chunk_count++;
        b->chunk_used = 0;
    }
    *out = b->names[b->chunk_count - 1] + b->chunk_used;
    memcpy(*out, prefix, first);
    memcpy(*out + first, name, second);
    b->chunk_used += first + second;
    return eg_ok();
}

static eg_status add_setting(builder *b, char *name, const eg_param *param)
{
    const eg_assignment *given = take_assignment(b, name);
    EG_TRY(eg_grow(&b->items, &b->capacity, b->count + 1, sizeof *b->items));
    eg_setting *setting = &b->items[b->count];
    *setting = (eg_setting){.name = name, .param = param, .given = given != NULL};
    b->count++;
    const char *text = given != NULL ? given->value : param->default_text;
    if (text == NULL) {
        eg_status_keep(&b->missing, eg_fail(EG_INVALID, "%s must be given: %s", name, param->doc));
        setting->value.type = param->type;
        return eg_strdup(&setting->value.text, "");
    }
    eg_status status = eg_value_parse_as(&setting->value, name, param, b->schema, text);
    return given != NULL ? eg_origin_wrap(status, &given->origin) : status;
}

static eg_status add_params(builder *b, const char *prefix, const eg_param *params, size_t count);

static eg_status add_component(builder *b, const char *name, const eg_param *param,
                               const eg_component *component)
{
    const eg_family *family = eg_schema_family(b->schema, param->family);
    char prefix[EG_PREFIX_SIZE];
    int length = snprintf(prefix, sizeof prefix, "%s.", name);
    if (length < 0 || (size_t)length >= sizeof prefix) {
        return eg_fail(EG_INVALID, "%s: settings are nested too deeply", name);
    }
    EG_TRY(add_params(b, prefix, family->common, family->common_count));
    return add_params(b, prefix, component->params, component->param_count);
}

static eg_status add_params(builder *b, const char *prefix, const eg_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = NULL;
        EG_TRY(add_name(b, &name, prefix, params[i].name));
        EG_TRY(add_setting(b, name, &params[i]));
        const eg_component *component = b->items[b->count - 1].value.component;
        if (component != NULL) {
            EG_TRY(add_component(b, name, &params[i], component));
        }
    }
    return eg_ok();
}

static void clear_builder(builder *b)
{
    for (size_t i = 0; i < b->count; i++) {
        eg_value_clear(&b->items[i].value);
    }
    for (size_t i = 0; i < b->chunk_count; i++) {
        eg_free(b->names[i]);
    }
    eg_free(b->items);
}

static size_t list_items(const eg_value *value)
{
    if (value->items == NULL) {
        return 0;
    }
    if (value->type != EG_TYPE_GROUPS) {
        return value->count;
    }
    return value->count == 0 ? 0 : value->ends[value->count - 1];
}

static char *pack_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = *at;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

static eg_status pack(eg_settings **out, const eg_setting *pieces, size_t count)
{
    size_t items = 0;
    size_t ends = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const eg_value *value = &pieces[i].value;
        items += list_items(value);
        ends += value->ends != NULL ? value->count : 0;
        bytes += strlen(pieces[i].name) + strlen(value->text) + 2;
    }
    bytes += count * sizeof(uint32_t);
    size_t head = sizeof(eg_settings) + count * sizeof(eg_setting);
    eg_settings *settings = NULL;
    EG_TRY(eg_alloc(&settings, head + items * sizeof(int64_t) + ends * sizeof(size_t) + bytes, 1));
    settings->count = count;
    settings->own = count;
    int64_t *next_item = (int64_t *)(void *)&settings->items[count];
    size_t *next_end = (size_t *)(void *)(next_item + items);
    settings->places = (uint32_t *)(void *)(next_end + ends);
    char *text = (char *)(settings->places + count);
    for (size_t i = 0; i < count; i++) {
        eg_setting *to = &settings->items[i];
        *to = pieces[i];
        const eg_value *from = &pieces[i].value;
        size_t listed = list_items(from);
        to->value.items = listed > 0 ? next_item : NULL;
        if (listed > 0) {
            memcpy(next_item, from->items, listed * sizeof *next_item);
            next_item += listed;
        }
        to->value.ends = NULL;
        if (from->ends != NULL) {
            to->value.ends = next_end;
            memcpy(next_end, from->ends, from->count * sizeof *next_end);
            next_end += from->count;
        }
        to->name = pack_text(&text, pieces[i].name);
        to->value.text = pack_text(&text, from->text);
    }
    *out = settings;
    return eg_ok();
}

eg_status eg_settings_resolve_known(eg_settings **out, const eg_schema *schema,
                                    const eg_assignment *assignments, size_t count, bool *used,
                                    eg_status *missing)
{
    *out = NULL;
    builder b = {.schema = schema,
                 .assignments = assignments,
                 .assignment_count = count,
                 .used = used,
                 .missing = eg_ok()};
    eg_status status = add_params(&b, "", schema->root, schema->root_count);
    if (status.code == EG_OK) {
        status = pack(out, b.items, b.count);
    }
    *missing = b.missing;
    clear_builder(&b);
    return status;
}

eg_status eg_settings_resolve(eg_settings **out, const eg_schema *schema,
                              const eg_assignment *assignments, size_t count)
{
    *out = NULL;
    bool *used = NULL;
    eg_settings *settings = NULL;
    eg_status missing = eg_ok();
    EG_TRY(eg_alloc(&used, count, sizeof *used));
    eg_status status =
        eg_settings_resolve_known(&settings, schema, assignments, count, used, &missing);
    /* A name that does not exist is reported before a setting that is missing: a misspelling of the
     * missing one is the likelier mistake. */
    for (size_t i = 0; i < count && status.code == EG_OK; i++) {
        if (!used[i]) {
            status = eg_settings_unknown(schema, settings, assignments[i].name);
            status = eg_origin_wrap(status, &assignments[i].origin);
        }
    }
    eg_status_keep(&status, missing);
    if (status.code == EG_OK) {
        *out = settings;
    } else {
        eg_settings_free(settings);
    }
    eg_free(used);
    return status;
}

void eg_settings_free(eg_settings *settings)
{
    if (settings == NULL) {
        return;
    }
    eg_settings *like = settings->like;
    settings->released = true;
    if (settings->sharers == 0) {
        eg_free(settings);
    }
    if (like != NULL && --like->sharers == 0 && like->released) {
        eg_free(like);
    }
}

static bool same_names(const eg_settings *a, const eg_settings *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const eg_setting *x = eg_settings_at(a, i);
        const eg_setting *y = eg_settings_at(b, i);
        same = x->param == y->param && strcmp(x->name, y->name) == 0;
    }
    return same;
}

eg_status eg_settings_share(eg_settings **settings, eg_settings *like, bool *shares)
{
    eg_settings *all = *settings;
    like = like->like != NULL ? like->like : like;
    *shares = like != all && all->like == NULL && same_names(all, like);
    if (!*shares) {
        return eg_ok();
    }
    eg_setting *own = NULL;
    uint32_t *places = NULL;
    eg_settings *less = NULL;
    size_t count = 0;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&own, all->count, sizeof *own));
    EG_TRY_DONE(status, eg_alloc(&places, all->count, sizeof *places));
    for (size_t i = 0; i < all->count; i++) {
        const eg_setting *here = &all->items[i];
        const eg_setting *there = &like->items[i];
        if (here->given != there->given || strcmp(here->value.text, there->value.text) != 0) {
            places[count] = (uint32_t)i;
            own[count++] = *here;
        }
    }
    EG_TRY_DONE(status, pack(&less, own, count));
    memcpy(less->places, places, count * sizeof *places);
    less->count = all->count;
    less->like = like;
    like->sharers++;
    eg_settings_free(all);
    *settings = less;
done:
    eg_free(own);
    eg_free(places);
    return status;
}

size_t eg_settings_count(const eg_settings *settings)
{
    return settings->count;
}

const eg_setting *eg_settings_at(const eg_settings *settings, size_t index)
{
    assert(index < settings->count);
    if (settings->like == NULL) {
        return &settings->items[index];
    }
    for (size_t i = 0; i < settings->own; i++) {
        if (settings->places[i] == index) {
            return &settings->items[i];
        }
    }
    return &settings->like->items[index];
}

const eg_setting *eg_settings_find(const eg_settings *settings, const char *name)
{
    const eg_settings *all = settings->like != NULL ? settings->like : settings;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i].name, name) == 0) {
            return eg_settings_at(settings, i);
        }
    }
    return NULL;
}

static bool identifies(const eg_setting *setting)
{
    const eg_param *param = setting->param;
    return !param->keeps_results &&
           !(param->added_later && strcmp(setting->value.text, param->default_text) == 0);
}

/** `text` and the character `end` at `at`; behind them. */
static char *append(char *at, const char *text, char end)
{
    size_t length = strlen(text);
    memcpy(at, text, length);
    at[length] = end;
    return at + length + 1;
}

eg_status eg_settings_text(char **out, const eg_settings *settings, bool all)
{
    size_t size = 1;
    for (size_t i = 0; i < settings->count; i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        size += strlen(setting->name) + strlen(setting->value.text) + 2;
    }
    EG_TRY(eg_alloc(out, size, 1));
    char *at = *out;
    for (size_t i = 0; i < settings->count; i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (all || identifies(setting)) {
            at = append(append(at, setting->name, '='), setting->value.text, '\n');
        }
    }
    return eg_ok();
}

/** Cuts `text` at line ends and the first '=' of each line; the assignments point into it. */
static eg_status cut_lines(char *text, eg_assignment **assignments, size_t *count)
{
    size_t capacity = 0;
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n');
        char *equals = strchr(line, '=');
        if (end == NULL || equals == NULL || equals > end) {
            return eg_fail(EG_INVALID, "settings text: '%.60s' is not a line \"name=value\"", line);
        }
        *end = '\0';
        *equals = '\0';
        EG_TRY(eg_grow(assignments, &capacity, *count + 1, sizeof **assignments));
        (*assignments)[(*count)++] = (eg_assignment){.name = line, .value = equals + 1};
        line = end + 1;
    }
    return eg_ok();
}

eg_status eg_settings_parse(eg_settings **out, const eg_schema *schema, const char *text)
{
    *out = NULL;
    char *copy = NULL;
    eg_assignment *assignments = NULL;
    size_t count = 0;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_strdup(&copy, text));
    EG_TRY_DONE(status, cut_lines(copy, &assignments, &count));
    EG_TRY_DONE(status, eg_settings_resolve(out, schema, assignments, count));
done:
    eg_free(assignments);
    eg_free(copy);
    return status;
}
