/** A learning rate that rises linearly at the beginning of every phase, or of the first alone, and
 *  then stays.
 *
 *  Source: Vaswani et al. 2017, arXiv 1706.03762, for the rise. */
#include "engram/optimizer.h"

enum { P_PERIOD, P_ANEW };

enum { ANEW_PHASE, ANEW_START };

static const char *const anew_names[] = {[ANEW_PHASE] = "phase", [ANEW_START] = "start", NULL};

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    const uint64_t before = p[P_ANEW] == ANEW_PHASE ? now->phase_step : now->step;
    const double made = (double)before + 1;
    return made < p[P_PERIOD] ? lr * made / p[P_PERIOD] : lr;
}

static const eg_param params[] = {
    [P_PERIOD] = {.name = "period",
                  .type = EG_TYPE_INT,
                  .default_text = "50",
                  .min = 1,
                  .max = 1e9,
                  .unit = "updates",
                  .doc = "updates until lr is reached"},
    [P_ANEW] = {.name = "anew",
                .type = EG_TYPE_NAME,
                .default_text = "phase",
                .names = anew_names,
                .doc = "phase: the rate rises in every phase; start: only after the start of the "
                       "trial, or a restart of the optimizer"},
};

const eg_schedule eg_schedule_linear_warmup = {
    .component = {.name = "linear_warmup",
                  .doc = "lr min(1, (t + 1)/period), t updates made before",
                  .source = "Vaswani et al. 2017, arXiv 1706.03762",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .rate = rate,
};
