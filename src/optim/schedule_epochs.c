/** Decay by epochs, anew in every phase: each task begins with the full learning rate. */
#include "engram/optimizer.h"

#include <math.h>

enum { P_GAMMA, P_PERIOD };

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    return lr * pow(p[P_GAMMA], floor((double)now->epoch / p[P_PERIOD]));
}

static const eg_param params[] = {
    [P_GAMMA] = {.name = "gamma",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.2",
                 .min = 0,
                 .max = 1,
                 .above_min = true,
                 .doc = "factor per period"},
    [P_PERIOD] = {.name = "period",
                  .type = EG_TYPE_REAL,
                  .default_text = "60",
                  .min = 0,
                  .max = INFINITY,
                  .above_min = true,
                  .unit = "epochs",
                  .doc = "epochs after which gamma has been applied once more"},
};

const eg_schedule eg_schedule_epochs = {
    .component = {.name = "epochs",
                  .doc = "lr gamma^floor(e/period), e epochs of the phase made before",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .rate = rate,
};
