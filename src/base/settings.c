/** Resolving: assignments checked against a schema and completed with defaults; see
 *  engram/settings.h. */
#include "engram/settings.h"

#include "base/settings_memory.h"
#include "base/shared/settings_help.h"
#include "base/shared/value.h"
#include "engram/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

/** Each member of the list once, in the order of the list. */
static eg_status add_components(builder *b, const char *name, const eg_param *param)
{
    const eg_family *family = eg_schema_family(b->schema, param->family);
    size_t list = b->count - 1; /* `items` may move */
    for (size_t i = 0; i < b->items[list].value.count; i++) {
        const int64_t *chosen = b->items[list].value.items;
        bool again = false;
        for (size_t k = 0; k < i && !again; k++) {
            again = chosen[k] == chosen[i];
        }
        const eg_component *member = family->members[chosen[i]];
        char full[EG_PREFIX_SIZE];
        int length = snprintf(full, sizeof full, "%s.%s", name, member->name);
        if (length < 0 || (size_t)length >= sizeof full) {
            return eg_fail(EG_INVALID, "%s: settings are nested too deeply", name);
        }
        if (!again) {
            EG_TRY(add_component(b, full, param, member));
        }
    }
    return eg_ok();
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
        } else if (params[i].type == EG_TYPE_COMPONENTS) {
            EG_TRY(add_components(b, name, &params[i]));
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
        status = eg_settings_pack(out, b.items, b.count);
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

eg_status eg_settings_text_with_room(char **out, const eg_settings *settings, bool all, size_t room)
{
    size_t size = 1 + room;
    size_t count = eg_settings_count(settings);
    for (size_t i = 0; i < count; i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        size += strlen(setting->name) + strlen(setting->value.text) + 2;
    }
    EG_TRY(eg_alloc(out, size, 1));
    char *at = *out;
    for (size_t i = 0; i < count; i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (all || identifies(setting)) {
            at = append(append(at, setting->name, '='), setting->value.text, '\n');
        }
    }
    return eg_ok();
}

eg_status eg_settings_text(char **out, const eg_settings *settings, bool all)
{
    return eg_settings_text_with_room(out, settings, all, 0);
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
