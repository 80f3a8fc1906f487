/** engram compare: two points of a sweep, seed by seed. */
#include "cli/cli.h"

#include "cli/report/pair_report.h"
#include "cli/report/result_facts.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <string.h>

enum { BY, JSON, CSV };

static const eg_option options[] = {
    [BY] = {.name = "by",
            .value = "VARIABLE",
            .doc = "Compares another recorded number, such as forgetting (`engram describe "
                   "VARIABLE` explains them). Which points A and B are is still told by the "
                   "objective."},
    [JSON] = {.name = "json", .doc = "A JSON object, with the values of every pair."},
    [CSV] = {.name = "csv", .doc = "A heading and one row of comma-separated values."},
};

/** What is released at the end. */
typedef struct comparison {
    eg_ranking_report ranking;
    eg_scored_trial *trials;
    eg_ranked_point *points;
    eg_point_columns columns;
    char *notes;
    eg_pair_report report;
} comparison;

static void clear(comparison *c)
{
    eg_free(c->trials);
    eg_free(c->points);
    eg_free(c->notes);
    eg_free(c->report.pairs.items);
    eg_point_columns_clear(&c->columns);
}

/** Points are chosen by the objective, whatever they are compared on. */
static eg_status choose_basis(comparison *c, const eg_results *results, const char *by)
{
    c->ranking = eg_ranking_report_of_results(results, NULL);
    c->report.maximise = c->ranking.basis.maximise;
    if (by != NULL) {
        EG_TRY(eg_results_check_scalar(results, by));
        const eg_ranking_report other = eg_ranking_report_of_results(results, by);
        c->ranking.basis.reported = other.basis.reported;
        c->ranking.basis.chance_reported = other.basis.chance_reported;
        memcpy(c->ranking.reporting, other.reporting, sizeof other.reporting);
        c->report.maximise = other.basis.maximise;
    }
    return eg_ok();
}

static eg_status compare(comparison *c, const eg_results *results, const eg_args *args)
{
    EG_TRY(choose_basis(c, results, args->option[BY]));
    EG_TRY(eg_results_score(&c->trials, results, &c->ranking.basis));
    EG_TRY(eg_results_rank(&c->points, results, &c->ranking.basis, c->trials));
    EG_TRY(eg_results_notes(&c->notes, results, c->ranking.on_test));
    EG_TRY(eg_point_columns_of_results(&c->columns, results, false));
    c->ranking.columns = &c->columns;
    c->report.results = results;
    c->report.ranking = &c->ranking;
    c->report.notes = c->notes;
    for (size_t i = 0; i < 2; i++) {
        EG_TRY(eg_point_choose(&c->report.choice[i], args->operands[1 + i], results, c->points));
    }
    EG_TRY(eg_pair_report_make(&c->report, c->trials));
    if (args->option[JSON] != NULL) {
        return eg_pair_report_json(&c->report);
    }
    return args->option[CSV] != NULL ? eg_pair_report_csv(&c->report)
                                     : eg_pair_report_print(&c->report);
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    const char *by = args->option[BY];
    if (args->option[JSON] != NULL && args->option[CSV] != NULL) {
        return eg_fail(EG_INVALID, "--json and --csv exclude each other");
    }
    eg_results *results = NULL;
    EG_TRY(by != NULL ? eg_results_load(&results, args->operands[0])
                      : eg_results_load_brief(&results, args->operands[0]));
    comparison c = {.ranking = {.count = 0}};
    eg_status status = compare(&c, results, args);
    clear(&c);
    eg_results_free(results);
    return status;
}

const eg_verb eg_verb_compare = {
    .name = "compare",
    .summary = "two points seed by seed: difference, interval, tests, who wins how often",
    .synopsis = "FILE A B [--by VARIABLE] [--json|--csv]",
    .description =
        "Compares two points of FILE on the seeds that both have. A and B are the number of a "
        "point, as `engram top` shows it; `best`; or settings it must have, learner=ewc or "
        "learner=ewc,learner.lambda=10: of several such points the best one, as `engram top` "
        "ranks.\n\n"
        "All trials of a seed share their data, their order and, where networks are alike, their "
        "initial weights, so that much of what a seed does is the same for A and B and is not in "
        "their difference. Two means whose intervals overlap may differ clearly in pairs: compare, "
        "do not look at two intervals.\n\n"
        "Shown are both means; the mean of the differences A - B with its 95 % Student interval; "
        "in how many seeds A wins; the probability of improvement, that a run of A is better than "
        "one of B, whatever the seeds (0.5: neither is); and p of two tests that there is no "
        "difference. "
        "Wilcoxon's signed-rank test (exact to 1000 pairs, also with ties) asks nothing of the "
        "distribution, but cannot have a p below 2/2^n: 0.0625 with 5 seeds, 0.0313 with 6. "
        "Student's paired t test takes differences to be about normal and is of use with 3 seeds. "
        "p is that of one comparison: who makes several corrects it (Holm's method: multiply the "
        "smallest p by their number, the next by one less, ...); `engram top --compare` does so "
        "for all points.\n\n"
        "Where both were chosen by `select`, their fresh seeds alone are compared. Otherwise a "
        "point that is the best of many was chosen by the same seeds, which flatters it, and it "
        "is said. Refused are points without a common seed, and points that differ in the dataset, "
        "the stream or its tasks.\n\n"
        "--json, schema 1 (keys may be added): name; variable, data, goal; a, b: point, settings, "
        "mean and interval over the pairs, best_of (points it was chosen from; 0: named by its "
        "number), alone (values without a partner); n, fresh; difference: mean, interval; wins, "
        "ties, losses of A; improvement; p_wilcoxon, p_student; pairs: seed, a, b; notes. What is "
        "unknown is null, and empty in CSV.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 3,
    .operands_max = 3,
    .needs = "needs a results file and two points",
    .examples = "engram compare results/quickstart.h5 0 3\n"
                "engram compare results/methods.h5 learner=ewc learner=si\n"
                "engram compare results/quickstart.h5 best optimizer=sgd --by forgetting",
    .exits = "0   done\n"
             "2   usage, the file cannot be read, or the points cannot be compared",
    .run = run,
};
