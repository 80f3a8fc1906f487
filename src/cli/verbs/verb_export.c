/** engram export: tidy tables for any other program. */
#include "cli/cli.h"

#include "cli/report/export_tables.h"
#include "cli/report/result_facts.h"
#include "engram/params.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CSV, JSON, TABLE, STABLE, OUTPUT };

static const eg_option options[] = {
    [CSV] = {.name = "csv", .doc = "Comma-separated values as RFC 4180 has them (the default)."},
    [JSON] = {.name = "json", .doc = "A JSON array with an object per row."},
    [TABLE] = {.name = "table",
               .letter = 't',
               .value = "NAME",
               .doc = "trials (default): a row per trial with all settings and summary numbers; "
                      "curves: a row per evaluation of a trial, curves over tasks or layers as "
                      "columns NAME.0, NAME.1 …; matrix: a row per cell of the accuracy matrix; "
                      "series: a row "
                      "per value of what is recorded over another axis, such as the bins of "
                      "measure online; orders: a row per task of all points that differ in the "
                      "order of tasks alone, with its accuracy and disparity over orders."},
    [STABLE] = {.name = "stable",
                .doc = "Leaves out what differs between identical runs: times, memory, rank, host "
                       "and attempt. Two runs of the same sweep then export the same bytes."},
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .value = "OUT",
                .doc =
                    "Writes to OUT instead of standard output. Results files and journals are not "
                    "replaced."},
};

typedef eg_status (*table_writer)(eg_rows *rows, const eg_results *results, bool stable);

static eg_status write_table(const eg_results *results, FILE *file, const eg_args *args,
                             table_writer write)
{
    eg_rows rows;
    eg_rows_init(&rows, file, args->option[JSON] != NULL);
    eg_status status = write(&rows, results, args->option[STABLE] != NULL);
    eg_rows_clear(&rows);
    return status;
}

static eg_status write_file(const eg_results *results, const char *path, const eg_args *args,
                            table_writer write)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return eg_fail(EG_INVALID, "cannot write %s: %s", path, strerror(errno));
    }
    eg_status status = write_table(results, file, args, write);
    bool bad = ferror(file) != 0;
    bad = fclose(file) != 0 || bad;
    if (bad && status.code == EG_OK) {
        status = eg_fail(EG_SYSTEM, "cannot write %s: %s", path, strerror(errno));
    }
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    static const char *const names[] = {"trials", "curves", "matrix", "series", "orders"};
    static const table_writer writers[] = {eg_export_trials, eg_export_curves, eg_export_matrix,
                                           eg_export_series, eg_export_orders};
    (void)cli;
    (void)code;
    size_t table = 0;
    if (args->option[TABLE] != NULL) {
        EG_TRY(eg_args_choice(&table, "--table", args->option[TABLE], names, EG_COUNT(names)));
    }
    if (args->option[CSV] != NULL && args->option[JSON] != NULL) {
        return eg_fail(EG_INVALID, "export: --csv and --json exclude each other");
    }
    const char *path = args->option[OUTPUT];
    if (path != NULL) {
        EG_TRY(eg_store_is_no_results(path));
    }
    eg_results *results = NULL;
    EG_TRY(eg_results_load(&results, args->operands[0]));
    eg_results_warn(results);
    eg_status status = path == NULL ? write_table(results, stdout, args, writers[table])
                                    : write_file(results, path, args, writers[table]);
    eg_results_free(results);
    return status;
}

const eg_verb eg_verb_export = {
    .name = "export",
    .summary = "tidy tables: a row per trial, per evaluation or per matrix cell",
    .synopsis =
        "FILE [--csv|--json] [--table trials|curves|matrix|series|orders] [--stable] [-o OUT]",
    .description =
        "Writes results as a table that any program reads. Columns always come in the same order: "
        "identity (trial, trial_id, point, replicate, seed, status), settings by their dotted "
        "names "
        "(all of them for trials, the swept ones otherwise), measured numbers. Numbers are the "
        "shortest that read back to the same value; what was not measured is empty (CSV) or null "
        "(JSON).",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file",
    .examples = "engram export results/quickstart.h5 > trials.csv\n"
                "engram export results/quickstart.h5 --table curves -o curves.csv\n"
                "engram export results/quickstart.h5 --json | python3 -m json.tool",
    .exits = "0   done\n"
             "2   usage, or a file cannot be read or created\n"
             "4   writing failed",
    .run = run,
};
