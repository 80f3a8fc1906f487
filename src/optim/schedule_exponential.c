/** Exponential decay, smooth or in steps. */
#include "engram/optimizer.h"

#include <math.h>

enum { P_GAMMA, P_PERIOD, P_STAIRCASE };

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    double periods = (double)now->step / p[P_PERIOD];
    return lr * pow(p[P_GAMMA], p[P_STAIRCASE] != 0.0 ? floor(periods) : periods);
}

static const eg_param params[] = {
    [P_GAMMA] = {.name = "gamma",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.7",
                 .min = 0,
                 .max = 1,
                 .above_min = true,
                 .doc = "factor per period"},
    [P_PERIOD] = {.name = "period",
                  .type = EG_TYPE_REAL,
                  .default_text = "200",
                  .min = 0,
                  .max = INFINITY,
                  .above_min = true,
                  .unit = "updates",
                  .doc = "updates after which gamma has been applied once more"},
    [P_STAIRCASE] = {.name = "staircase",
                     .type = EG_TYPE_BOOL,
                     .default_text = "false",
                     .doc = "only after whole periods"},
};

const eg_schedule eg_schedule_exponential = {
    .component = {.name = "exponential",
                  .doc = "lr gamma^(t/period), t updates made before",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .rate = rate,
};
