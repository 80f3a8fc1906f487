/** engram describe: one component, one kind, one setting or one recorded variable. */
#include "cli/cli.h"

#include "cli/catalog.h"
#include "cli/format.h"
#include "cli/report/table.h"
#include "engram/record.h"
#include "engram/trial.h"

#include <stdio.h>
#include <string.h>

static eg_status add_param(eg_table *table, const eg_param *param)
{
    char type[200];
    char range[100];
    eg_param_type_words(param, type, sizeof type);
    eg_param_range_words(param, range, sizeof range);
    EG_TRY(eg_table_cell(table, "%s", param->name));
    EG_TRY(eg_table_cell(table, "%s", type));
    EG_TRY(eg_table_cell(table, "%s", eg_param_default(param)));
    EG_TRY(eg_table_cell(table, "%s", range));
    EG_TRY(eg_table_cell(table, "%s", param->unit == NULL ? "" : param->unit));
    return eg_table_cell(table, "%s%s", param->doc,
                         param->by_content      ? " (what the file says counts, not its name)"
                         : param->keeps_results ? " (cannot change results)"
                                                : "");
}

static eg_status print_params(const char *title, const eg_param *params, size_t count)
{
    static const char *const names[] = {"name", "type", "default", "range", "unit", "meaning"};
    if (count == 0) {
        return eg_ok();
    }
    eg_table table;
    eg_table_init(&table, EG_COUNT(names));
    eg_status status = eg_ok();
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        EG_TRY_DONE(status, eg_table_cell(&table, "%s", names[i]));
    }
    for (size_t i = 0; i < count; i++) {
        EG_TRY_DONE(status, add_param(&table, &params[i]));
    }
    (void)printf("\n%s\n", title);
    status = eg_table_print(&table, stdout);
done:
    eg_table_clear(&table);
    return status;
}

static eg_status print_component(const eg_family *family, const eg_component *component)
{
    (void)printf("%s:%s\n", family->name, component->name);
    eg_print_wrapped(stdout, component->doc, 2);
    if (component->alias != NULL) {
        (void)printf("  also called: %s\n", component->alias);
    }
    if (component->source != NULL) {
        (void)printf("  source: %s\n", component->source);
    }
    EG_TRY(print_params("parameters", component->params, component->param_count));
    char title[96];
    (void)snprintf(title, sizeof title, "parameters of every %s", family->name);
    EG_TRY(print_params(title, family->common, family->common_count));
    if (component->param_count + family->common_count == 0) {
        (void)printf("  no parameters\n");
    }
    return eg_ok();
}

static eg_status print_family(const eg_family *family)
{
    (void)printf("%s\n", family->name);
    eg_print_wrapped(stdout, family->doc, 2);
    (void)printf("\nmembers\n");
    for (size_t i = 0; i < family->member_count; i++) {
        (void)printf("  %s:%-18s %s\n", family->name, family->members[i]->name,
                     family->members[i]->doc);
    }
    return print_params("parameters of every member", family->common, family->common_count);
}

static void print_variable(const eg_variable *variable)
{
    (void)printf("%s\n", variable->name);
    eg_print_wrapped(stdout, variable->doc, 2);
    (void)printf("  recorded by trials over (trial");
    for (size_t i = 0; i < eg_variable_rank(variable); i++) {
        (void)printf(", %s", variable->dims[i]);
    }
    (void)printf(") as %s, unit %s%s\n", variable->wide ? "float64" : "float32", variable->unit,
                 variable->volatile_ ? "; differs between identical runs" : "");
    if (eg_variable_rank(variable) == 0 && strcmp(variable->name, "objective") != 0) {
        (void)printf(
            "  ranked with the %s first%s%s%s\n", variable->less_is_better ? "lowest" : "highest",
            variable->data == NULL ? "" : "; measured on ",
            variable->data == NULL ? "" : variable->data, variable->data == NULL ? "" : " data");
    }
}

/* What has been printed. */
typedef struct described {
    size_t count;
    const eg_param *param[16];
    size_t param_count;
} described;

/** "kind:name", or a name alone where only one kind has it. *done knows what was printed. */
static eg_status describe_component(const char *word, described *done)
{
    const char *colon = strchr(word, ':');
    const char *name = colon == NULL ? word : colon + 1;
    for (size_t i = 0; i < eg_catalog_family_count(); i++) {
        const eg_family *family = eg_catalog_family(i);
        bool kind_fits =
            colon == NULL || (strncmp(family->name, word, (size_t)(colon - word)) == 0 &&
                              family->name[colon - word] == '\0');
        const eg_component *component = kind_fits ? eg_family_find(family, name) : NULL;
        if (component != NULL) {
            (void)printf("%s", done->count > 0 ? "\n" : "");
            EG_TRY(print_component(family, component));
            done->count++;
        }
    }
    return eg_ok();
}

/** Settings: walks "model.activation.alpha" through all components that could be chosen on the
 *  way. */
static eg_status describe_setting(const char *owner, const eg_param *params, size_t count,
                                  const char *word, described *done);

/* Members whose own settings choose a member of the same family lead to the same setting. */
static eg_status describe_once(const char *owner, const eg_param *param, described *done)
{
    char title[128];
    for (size_t i = 0; i < done->param_count; i++) {
        if (done->param[i] == param) {
            return eg_ok();
        }
    }
    if (done->param_count < EG_COUNT(done->param)) {
        done->param[done->param_count++] = param;
    }
    done->count++;
    (void)snprintf(title, sizeof title, "setting of %s", owner);
    return print_params(title, param, 1);
}

static eg_status describe_inside(const eg_param *param, const char *rest, described *done)
{
    const eg_family *family = eg_catalog_find(param->family);
    char owner[96];
    if (param->type == EG_TYPE_COMPONENTS) {
        const eg_component *member = eg_family_beginning(family, rest);
        if (member != NULL) {
            rest += strlen(member->name) + 1;
            (void)snprintf(owner, sizeof owner, "%s:%s", family->name, member->name);
            EG_TRY(describe_setting(owner, member->params, member->param_count, rest, done));
        }
        return eg_ok();
    }
    (void)snprintf(owner, sizeof owner, "every %s", family->name);
    EG_TRY(describe_setting(owner, family->common, family->common_count, rest, done));
    for (size_t i = 0; i < family->member_count; i++) {
        const eg_component *member = family->members[i];
        (void)snprintf(owner, sizeof owner, "%s:%s", family->name, member->name);
        EG_TRY(describe_setting(owner, member->params, member->param_count, rest, done));
    }
    return eg_ok();
}

static eg_status describe_setting(const char *owner, const eg_param *params, size_t count,
                                  const char *word, described *done)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(params[i].name);
        if (strncmp(params[i].name, word, length) != 0) {
            continue;
        }
        if (word[length] == '\0') {
            EG_TRY(describe_once(owner, &params[i], done));
        } else if (word[length] == '.' && params[i].family != NULL) {
            EG_TRY(describe_inside(&params[i], word + length + 1, done));
        }
    }
    return eg_ok();
}

static eg_status unknown(const char *word)
{
    const eg_schema *schema = eg_trial_schema();
    eg_nearest nearest = {0};
    for (size_t i = 0; i < schema->root_count; i++) {
        eg_nearest_offer(&nearest, word, schema->root[i].name);
    }
    const char *colon = strchr(word, ':');
    for (size_t i = 0; i < eg_catalog_family_count(); i++) {
        const eg_family *family = eg_catalog_family(i);
        eg_nearest_offer(&nearest, word, family->name);
        for (size_t m = 0; m < family->member_count; m++) {
            eg_nearest_offer(&nearest, colon == NULL ? word : colon + 1, family->members[m]->name);
        }
    }
    if (nearest.best != NULL) {
        return eg_fail(EG_INVALID, "nothing is called \"%s\"; did you mean %s?", word,
                       nearest.best);
    }
    return eg_fail(EG_INVALID,
                   "nothing is called \"%s\"; `engram list` shows all components, and settings "
                   "are written as in sweep files (optimizer.lr)",
                   word);
}

enum { PLUGIN };
static const eg_option options[] = {[PLUGIN] = EG_PLUGIN_OPTION};

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    EG_TRY(eg_plugin_option_load(args->option[PLUGIN]));
    const char *word = args->operands[0];
    const eg_schema *schema = eg_trial_schema();
    described done = {.count = 0};
    const eg_family *family = eg_catalog_find(word);
    if (family != NULL) {
        EG_TRY(print_family(family));
        done.count++;
    }
    EG_TRY(describe_component(word, &done));
    EG_TRY(describe_setting("every trial", schema->root, schema->root_count, word, &done));
    const eg_variable *variable = eg_trial_variable(word);
    if (variable != NULL) {
        print_variable(variable);
        done.count++;
    }
    return done.count > 0 ? eg_ok() : unknown(word);
}

const eg_verb eg_verb_describe = {
    .name = "describe",
    .summary = "explain a component, a setting or a recorded variable",
    .synopsis = "NAME [--plugin FILE]",
    .description =
        "NAME is a component (hard_ash, or kind:name where several kinds have the name), a kind "
        "(optimizer), a setting as sweep files write it (optimizer.lr, model.activation.z_k), or a "
        "variable that trials record (final_accuracy). Shown are the meaning, the source, and for "
        "parameters type, default, range and unit.",
    .operands_min = 1,
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_max = 1,
    .needs = "needs a name",
    .examples = "engram describe activation:hard_ash\n"
                "engram describe optimizer.lr\n"
                "engram describe forgetting",
    .exits = "0   done\n"
             "2   nothing has this name",
    .run = run,
};
