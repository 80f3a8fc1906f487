/** A learning rate that rises linearly and then stays. */
#include "components.h"

enum { P_PERIOD };

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    double made = (double)now->step + 1;
    return made < p[P_PERIOD] ? lr * made / p[P_PERIOD] : lr;
}

static const eg_param params[] = {
    [P_PERIOD] = {.name = "period",
                  .type = EG_TYPE_INT,
                  .default_text = "100",
                  .min = 1,
                  .max = 1e9,
                  .unit = "updates",
                  .doc = "updates until lr is reached"},
};

const eg_schedule example_warmup = {
    .component = {.name = "warmup",
                  .doc = "lr min(1, (t + 1)/period), t updates made before",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .rate = rate,
};
