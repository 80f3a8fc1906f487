/** What the trial took of the machine: differs between identical trials. */
#include "engram/measure.h"

#include <sys/resource.h>

enum { TRAIN_SECONDS, EVALUATION_SECONDS, PEAK_RSS };

static const eg_variable variables[] = {
    [TRAIN_SECONDS] = {.name = "train_seconds",
                       .wide = true,
                       .unit = "s",
                       .doc = "time spent learning",
                       .volatile_ = true,
                       .less_is_better = true},
    [EVALUATION_SECONDS] = {.name = "evaluation_seconds",
                            .wide = true,
                            .unit = "s",
                            .doc = "time spent evaluating",
                            .volatile_ = true,
                            .less_is_better = true},
    [PEAK_RSS] = {.name = "peak_rss",
                  .wide = true,
                  .unit = "byte",
                  .doc = "largest resident memory of the worker process so far",
                  .volatile_ = true,
                  .less_is_better = true},
};

static const eg_variable *const list[] = {&variables[TRAIN_SECONDS], &variables[EVALUATION_SECONDS],
                                          &variables[PEAK_RSS], NULL};

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    eg_record *record = measure->setup->record;
    EG_TRY(eg_record_scalar(record, &variables[TRAIN_SECONDS], now->train_seconds));
    EG_TRY(eg_record_scalar(record, &variables[EVALUATION_SECONDS], now->evaluation_seconds));
    struct rusage usage = {0};
    if (getrusage(RUSAGE_SELF, &usage) != 0) {
        return eg_ok();
    }
    return eg_record_scalar(record, &variables[PEAK_RSS], (double)usage.ru_maxrss * 1024.0);
}

static const eg_measure_ops ops = {.end_trial = end_trial};

const eg_measure_kind eg_measure_resources = {
    .component = {.name = "resources", .doc = "time and memory of the trial"},
    .order = 10,
    .variables = list,
    .size = sizeof(eg_measure),
    .ops = &ops,
};
