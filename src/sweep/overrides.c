/** Overrides from the command line: "name=value", where value is YAML flow text. */
#include "base/shared/schema_search.h"
#include "base/shared/settings_help.h"
#include "base/shared/value.h"
#include "engram/memory.h"
#include "sweep/sweep_read.h"

#include <stdio.h>
#include <string.h>

/* What errors in an override name instead of a file. */
static const char command_line[] = "command line";

static const char *const override_keys[] = {"name",    "seeds", "objective",    "stop",
                                            "select",  "only",  "max_failures", "baselines",
                                            "plugins", NULL};

static bool is_key(const char *name)
{
    for (size_t i = 0; override_keys[i] != NULL; i++) {
        if (strcmp(name, override_keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static eg_status unknown_override(eg_sweep *sweep, const char *name)
{
    eg_origin at = {.file = command_line};
    eg_nearest nearest = {0};
    for (size_t i = 0; override_keys[i] != NULL; i++) {
        eg_nearest_offer(&nearest, name, override_keys[i]);
    }
    if (nearest.best != NULL) {
        return eg_fail_at(&at, "unknown setting '%.80s': did you mean %s?", name, nearest.best);
    }
    const eg_param *param = NULL;
    return eg_sweep_param(sweep, name, &at, &param);
}

/** Text settings and names are taken as they stand; everything else is YAML. */
static eg_status parse_value(eg_sweep *sweep, eg_override *override)
{
    const eg_param *param = eg_schema_param(sweep->schema, override->name);
    bool verbatim = override->key ? strcmp(override->name, "name") == 0
                                  : param != NULL && param->type == EG_TYPE_TEXT;
    const eg_node *node = NULL;
    if (!verbatim) {
        eg_status status = eg_yaml_parse(&node, sweep->arena, command_line, override->text,
                                         strlen(override->text), true);
        if (status.code == EG_INVALID) {
            /* The words speak of YAML only: once more, so that they name the setting too. */
            const char *file = NULL;
            EG_TRY(eg_arena_join(sweep->arena, &file, command_line, ": ", override->name));
            status = eg_yaml_parse(&node, sweep->arena, file, override->text,
                                   strlen(override->text), true);
        }
        EG_TRY(status);
    }
    if (node == NULL) {
        eg_node *scalar = NULL;
        EG_TRY(eg_arena_alloc(sweep->arena, &scalar, 1, sizeof *scalar));
        *scalar = (eg_node){.kind = EG_NODE_SCALAR,
                            .at = {.file = command_line},
                            .text = override->text,
                            .weight = 1,
                            .height = 1};
        node = scalar;
    }
    override->node = node;
    return eg_ok();
}

/** relu,sigmoid: no value of any setting but free text has a comma in it, and a shell leaves
 *  brackets alone only in quotes. */
static eg_status check_commas(const eg_sweep *sweep, const eg_override *override)
{
    const eg_param *param = eg_schema_param(sweep->schema, override->name);
    bool applies = override->key ? strcmp(override->name, "seeds") == 0
                                 : param != NULL && param->type != EG_TYPE_TEXT;
    if (!applies || override->node->kind != EG_NODE_SCALAR ||
        strchr(override->node->text, ',') == NULL) {
        return eg_ok();
    }
    char list[EG_MESSAGE_SIZE / 4] = "";
    size_t used = 0;
    for (const char *at = override->node->text; *at != '\0';) {
        at += strspn(at, ", ");
        size_t length = strcspn(at, ", ");
        if (length == 0 || used + length + 3 > sizeof list) {
            break;
        }
        used += (size_t)sprintf(list + used, "%s%.*s", used == 0 ? "" : ", ", (int)length, at);
        at += length;
    }
    return eg_fail(EG_INVALID, "%s: %s = %.100s: several values are a list in brackets: '%s=[%s]'",
                   command_line, override->name, override->node->text, override->name, list);
}

/** `plugins=…` comes before the others, which may name what it brings; relative to the working
 *  directory. */
static eg_status load_plugins(eg_sweep *sweep, const char *const *overrides, size_t count)
{
    static const char name[] = "plugins=";
    for (size_t i = 0; i < count; i++) {
        if (strncmp(overrides[i], name, sizeof name - 1) == 0) {
            eg_override override = {
                .name = "plugins", .text = overrides[i] + sizeof name - 1, .key = true};
            EG_TRY(parse_value(sweep, &override));
            EG_TRY(eg_sweep_load_plugins(sweep, "", override.node));
        }
    }
    return eg_ok();
}

eg_status eg_sweep_add_overrides(eg_sweep *sweep, const char *const *overrides, size_t count)
{
    EG_TRY(load_plugins(sweep, overrides, count));
    EG_TRY(eg_arena_alloc(sweep->arena, &sweep->overrides, count, sizeof *sweep->overrides));
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(overrides[i], '=');
        if (equals == NULL || equals == overrides[i]) {
            return eg_fail(EG_INVALID, "%s: '%.100s' is not of the form name=value", command_line,
                           overrides[i]);
        }
        eg_override *override = &sweep->overrides[i];
        EG_TRY(eg_arena_copy(sweep->arena, &override->name, overrides[i],
                             (size_t)(equals - overrides[i])));
        EG_TRY(eg_arena_copy(sweep->arena, &override->text, equals + 1, strlen(equals + 1)));
        override->key = is_key(override->name);
        EG_TRY(parse_value(sweep, override));
        EG_TRY(check_commas(sweep, override));
        sweep->override_count++;
        if (!override->key && eg_schema_param(sweep->schema, override->name) == NULL) {
            return unknown_override(sweep, override->name);
        }
    }
    return eg_ok();
}

bool eg_sweep_overridden(const eg_sweep *sweep, const char *name)
{
    for (size_t i = 0; i < sweep->override_count; i++) {
        if (!sweep->overrides[i].key && strcmp(sweep->overrides[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool eg_sweep_inside_override(const eg_sweep *sweep, const char *name)
{
    for (size_t i = 0; i < sweep->override_count; i++) {
        const char *outer = sweep->overrides[i].name;
        size_t length = strlen(outer);
        if (!sweep->overrides[i].key && strncmp(name, outer, length) == 0 && name[length] == '.') {
            return true;
        }
    }
    return false;
}
