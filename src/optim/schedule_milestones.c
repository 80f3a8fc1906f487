/** Decay at given epochs, anew in every phase.
 *
 *  Source: Dohare et al. 2024, doi 10.1038/s41586-024-07711-7, class-incremental CIFAR-100: 0.1 for
 *  epochs 0 … 59 of an increment of 200, then 0.02, from 120 on 0.004 and from 160 on 0.0008. */
#include "engram/optimizer.h"

#include <math.h>

enum { P_GAMMA, P_FIRST, P_LAST = P_FIRST + 3 };

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    double passed = 0;
    for (int i = P_FIRST; i <= P_LAST; i++) {
        passed += p[i] > 0 && (double)now->epoch >= p[i] ? 1 : 0;
    }
    return lr * pow(p[P_GAMMA], passed);
}

#define MILESTONE(word, epochs)                                                                    \
    {                                                                                              \
        .name = word, .type = EG_TYPE_REAL, .default_text = epochs, .min = 0, .max = INFINITY,     \
        .unit = "epochs", .doc = "a milestone; 0: there is none"                                   \
    }

static const eg_param params[] = {
    [P_GAMMA] = {.name = "gamma",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.2",
                 .min = 0,
                 .max = 1,
                 .above_min = true,
                 .doc = "factor per milestone"},
    [P_FIRST] = MILESTONE("first", "60"),
    MILESTONE("second", "120"),
    MILESTONE("third", "160"),
    [P_LAST] = MILESTONE("fourth", "0"),
};

const eg_schedule eg_schedule_milestones = {
    .component = {.name = "milestones",
                  .doc = "lr gamma^m, with m the milestones up to e, epochs of the phase made "
                         "before",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .rate = rate,
};
