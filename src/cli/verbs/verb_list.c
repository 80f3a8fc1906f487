/** engram list: components, from their descriptors. */
#include "cli/cli.h"

#include "cli/catalog.h"
#include "cli/report/table.h"

#include <stdio.h>
#include <string.h>

static eg_status print_family(const eg_family *family)
{
    eg_table table;
    eg_table_init(&table, 2);
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_table_cell(&table, "%s", family->name));
    EG_TRY_DONE(status, eg_table_cell(&table, "%s", family->doc));
    for (size_t i = 0; i < family->member_count; i++) {
        const char *alias = family->members[i]->alias;
        EG_TRY_DONE(status, eg_table_cell(&table, "  %s%s%s", family->members[i]->name,
                                          alias != NULL ? ", " : "", alias != NULL ? alias : ""));
        EG_TRY_DONE(status, eg_table_cell(&table, "%s", family->members[i]->doc));
    }
    status = eg_table_print(&table, stdout);
done:
    eg_table_clear(&table);
    return status;
}

enum { PLUGIN };
static const eg_option options[] = {[PLUGIN] = EG_PLUGIN_OPTION};

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    EG_TRY(eg_plugin_option_load(args->option[PLUGIN]));
    eg_nearest nearest = {0};
    bool found = false;
    for (size_t i = 0; i < eg_catalog_family_count(); i++) {
        const eg_family *family = eg_catalog_family(i);
        if (args->operand_count == 0 || strcmp(args->operands[0], family->name) == 0) {
            EG_TRY(print_family(family));
            found = true;
        } else {
            eg_nearest_offer(&nearest, args->operands[0], family->name);
        }
    }
    if (!found && nearest.best != NULL) {
        return eg_fail(EG_INVALID, "unknown kind \"%s\"; did you mean %s?", args->operands[0],
                       nearest.best);
    }
    return found ? eg_ok()
                 : eg_fail(EG_INVALID, "unknown kind \"%s\"; `engram list` shows all",
                           args->operands[0]);
}

const eg_verb eg_verb_list = {
    .name = "list",
    .summary = "list components: datasets, streams, models, optimizers …",
    .synopsis = "[KIND] [--plugin FILE]",
    .description =
        "Lists all components that settings can name, by kind, or those of one KIND, with "
        "a line on each. `engram describe` has their parameters.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_max = 1,
    .examples = "engram list\n"
                "engram list activation",
    .exits = "0   done\n"
             "2   there is no such kind",
    .run = run,
};
