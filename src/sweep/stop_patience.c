/** Stops a trial that has not improved for some evaluations, whatever the others do.
 *
 *  Source: Prechelt 1998, "Early Stopping - But When?", DOI 10.1007/3-540-49430-8_3, in the form
 *  usual since: with a_1, a_2 … the accuracies at a trial's evaluations and b the best so far,
 *  evaluation e improves if
 *
 *      a_e > b + min_delta,    and then b = a_e;    the first one does
 *
 *  and the trial stops at the first evaluation that is `evaluations` after the last one that
 *  improved. It pauses only where it could stop, so that one which improves pauses seldom. */
#include "sweep/stop_curve.h"

enum { EVALUATIONS, MIN_DELTA };

static const eg_param params[] = {
    [EVALUATIONS] = {.name = "evaluations",
                     .type = EG_TYPE_INT,
                     .default_text = "3",
                     .min = 1,
                     .max = 1e6,
                     .unit = "evaluations",
                     .doc = "without improvement, after which a trial stops"},
    [MIN_DELTA] = {.name = "min_delta",
                   .type = EG_TYPE_REAL,
                   .default_text = "0",
                   .min = 0,
                   .max = 1,
                   .doc = "an accuracy improves if it is larger than the best one by more than "
                          "this"},
};

/** Where it stops, if it does: what comes after changes nothing. */
static bool is_over(const double *p, size_t evaluation, size_t improved)
{
    return evaluation >= improved + (size_t)p[EVALUATIONS];
}

static void measure(const double *p, const eg_record *record, eg_outcome *outcome)
{
    const eg_array *curve = eg_stop_curve(record);
    size_t improved = 1;
    double best = 0;
    for (size_t e = 1; curve != NULL && e <= outcome->evaluations && !is_over(p, e - 1, improved);
         e++) {
        double value = curve->data[e - 1];
        if (e == 1 || value > best + p[MIN_DELTA]) {
            improved = e;
            best = value;
        }
    }
    outcome->improved = (uint32_t)improved;
}

static eg_budget budget(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t trial)
{
    (void)plan;
    const eg_outcome *own = &outcomes[trial];
    size_t improved = own->improved > 0 ? own->improved : 1;
    return (eg_budget){.out = is_over(p, own->evaluations, improved),
                       .until = improved + (size_t)p[EVALUATIONS]};
}

static void bounds(const double *p, const eg_plan *plan, size_t evaluations, double *least,
                   double *most)
{
    (void)plan;
    double shortest = 1 + p[EVALUATIONS];
    *least = shortest < (double)evaluations ? shortest / (double)evaluations : 1;
    *most = 1;
}

static eg_status check(const eg_plan *plan)
{
    EG_TRY(eg_stop_check_curve(plan, "patience", "watches"));
    return eg_stop_check_goal(plan, "patience");
}

const eg_stop_kind eg_stop_patience = {
    .component = {.name = "patience",
                  .doc =
                      "a trial stops when its accuracy has not improved by more than `min_delta` "
                      "for so many `evaluations`",
                  .source = "Prechelt 1998, DOI 10.1007/3-540-49430-8_3",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .measure = measure,
    .budget = budget,
    .bounds = bounds,
    .check = check,
};
