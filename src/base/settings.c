/** Resolving: assignments checked against a schema and completed with defaults; see engram/settings.h.
 *
 *  A resolved set is one block of memory, because a sweep keeps one per point:
 *      [eg_settings][eg_setting × count][integers of lists][ends of groups][names and texts]
 *  It is first built from separate pieces and then packed. */
#include "engram/settings.h"

#include "base/settings_help.h"
#include "base/value.h"
#include "engram/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct eg_settings {
    size_t count;
    eg_setting items[];
};

typedef struct builder {
    const eg_schema *schema;
    const eg_assignment *assignments;
    size_t assignment_count;
    bool *used; /* per assignment: its name exists */
    eg_setting *items;
    size_t count, capacity;
    eg_status missing; /* the first required setting that nobody gave */
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

static eg_status add_setting(builder *b, const char *name, const eg_param *param)
{
    const eg_assignment *given = take_assignment(b, name);
    EG_TRY(eg_grow(&b->items, &b->capacity, b->count + 1, sizeof *b->items));
    eg_setting *setting = &b->items[b->count];
    *setting = (eg_setting){.param = param, .given = given != NULL};
    b->count++;
    EG_TRY(eg_strdup(&setting->name, name));
    const char *text = given != NULL ? given->value : param->fallback;
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
        char name[EG_PREFIX_SIZE];
        int length = snprintf(name, sizeof name, "%s%s", prefix, params[i].name);
        if (length < 0 || (size_t)length >= sizeof name) {
            return eg_fail(EG_INVALID, "%s: settings are nested too deeply", prefix);
        }
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
        eg_free(b->items[i].name);
        eg_value_clear(&b->items[i].value);
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

static eg_status pack(eg_settings **out, const builder *b)
{
    size_t items = 0;
    size_t ends = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < b->count; i++) {
        const eg_value *value = &b->items[i].value;
        items += list_items(value);
        ends += value->ends != NULL ? value->count : 0;
        bytes += strlen(b->items[i].name) + strlen(value->text) + 2;
    }
    size_t head = sizeof(eg_settings) + b->count * sizeof(eg_setting);
    eg_settings *settings = NULL;
    EG_TRY(eg_alloc(&settings, head + items * sizeof(int64_t) + ends * sizeof(size_t) + bytes, 1));
    settings->count = b->count;
    int64_t *next_item = (int64_t *)(void *)&settings->items[b->count];
    size_t *next_end = (size_t *)(void *)(next_item + items);
    char *text = (char *)(next_end + ends);
    for (size_t i = 0; i < b->count; i++) {
        eg_setting *to = &settings->items[i];
        *to = b->items[i];
        const eg_value *from = &b->items[i].value;
        size_t count = list_items(from);
        to->value.items = count > 0 ? next_item : NULL;
        if (count > 0) {
            memcpy(next_item, from->items, count * sizeof *next_item);
            next_item += count;
        }
        to->value.ends = NULL;
        if (from->ends != NULL) {
            to->value.ends = next_end;
            memcpy(next_end, from->ends, from->count * sizeof *next_end);
            next_end += from->count;
        }
        to->name = pack_text(&text, b->items[i].name);
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
        status = pack(out, &b);
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
    eg_free(settings);
}

size_t eg_settings_count(const eg_settings *settings)
{
    return settings->count;
}

const eg_setting *eg_settings_at(const eg_settings *settings, size_t index)
{
    assert(index < settings->count);
    return &settings->items[index];
}

const eg_setting *eg_settings_find(const eg_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (strcmp(settings->items[i].name, name) == 0) {
            return &settings->items[i];
        }
    }
    return NULL;
}

static bool identifies(const eg_setting *setting)
{
    const eg_param *param = setting->param;
    return !param->neutral && !(param->added && strcmp(setting->value.text, param->fallback) == 0);
}

eg_status eg_settings_text(char **out, const eg_settings *settings, bool all)
{
    size_t size = 1;
    for (size_t i = 0; i < settings->count; i++) {
        size += strlen(settings->items[i].name) + strlen(settings->items[i].value.text) + 2;
    }
    EG_TRY(eg_alloc(out, size, 1));
    char *at = *out;
    for (size_t i = 0; i < settings->count; i++) {
        const eg_setting *setting = &settings->items[i];
        if (all || identifies(setting)) {
            at += sprintf(at, "%s=%s\n", setting->name, setting->value.text);
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
