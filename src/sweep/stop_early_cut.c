/** Early cut: a point whose first few seeds do badly gets no further ones.
 *
 *  A look at n seeds compares the mean objective of the replicates 0 … n-1 with a bound. There is
 *  one look, at n = after, or one at every n from there on; then replicate n waits for the look at
 *  n. Looks go by replicate index, not by what happened to finish first, so they are the same for
 *  any number of ranks and any order. A diverged trial counts with the objective it recorded
 *  (chance accuracy). A failed one has no objective: a look that needs it decides nothing, and the
 *  other replicates run. */
#include "sweep/stop_rules.h"

#include <math.h>

enum { AFTER, BELOW, LOOKS };
enum { LOOK_ONCE, LOOK_EACH_SEED };

static const char *const looks[] = {"once", "each_seed", NULL};

static const eg_param params[] = {
    [AFTER] = {.name = "after",
               .type = EG_TYPE_INT,
               .default_text = "2",
               .min = 1,
               .max = EG_STOP_REPLICATES_MAX,
               .unit = "seeds",
               .doc = "look for the first time when this many seeds are finished, by replicate "
                      "index"},
    [BELOW] = {.name = "below",
               .type = EG_TYPE_REAL,
               .doc = "cut if their mean objective is below this (above it when minimising)"},
    [LOOKS] = {.name = "looks",
               .type = EG_TYPE_NAME,
               .default_text = "once",
               .names = looks,
               .doc = "once: at `after` seeds only; each_seed: also after every further seed, at "
                      "the mean of all so far"},
};

static size_t needs(const double *p)
{
    return (size_t)p[AFTER];
}

static bool finished(const eg_outcome *outcome)
{
    return eg_trial_status_is_result(outcome->status) && isfinite(outcome->objective);
}

static eg_verdict look(const double *p, double sign, const eg_outcome *replicates, size_t count)
{
    size_t first = needs(p);
    size_t last = (size_t)p[LOOKS] == LOOK_EACH_SEED ? count : first;
    double sum = 0;
    for (size_t n = 1; n <= last && n <= count; n++) {
        const eg_outcome *outcome = &replicates[n - 1];
        if (eg_trial_status_is_open(outcome->status)) {
            return (eg_verdict){.cleared = n < first ? first : n, .keep = SIZE_MAX};
        }
        if (!finished(outcome)) {
            break;
        }
        sum += outcome->objective;
        if (n >= first && sign * (sum / (double)n) < sign * p[BELOW]) {
            return (eg_verdict){.cleared = n, .keep = n};
        }
    }
    return (eg_verdict){.cleared = SIZE_MAX, .keep = SIZE_MAX};
}

static void bounds(const double *p, const eg_plan *plan, size_t evaluations, double *least,
                   double *most)
{
    (void)evaluations;
    *least = fmin(1.0, p[AFTER] / (double)plan->seed_count);
    *most = 1;
}

const eg_stop_kind eg_stop_early_cut = {
    .component =
        {.name = "early_cut",
         .doc = "skips a point's later seeds when the mean objective of its first `after` seeds "
                "is below `below`",
         .source = "Keskinen 2024, arXiv 2404.17651: there after = 2, below = 0.65, and the "
                   "program looks after each seed",
         .params = params,
         .param_count = EG_COUNT(params)},
    .needs = needs,
    .look = look,
    .bounds = bounds,
};
