/** What selects the best point: a summary variable, on the data that the protocol allows. */
#include "engram/measure.h"

#include <math.h>

static const eg_variable objective = {
    .name = "objective",
    .wide = true,
    .unit = "1",
    .doc = "what selects the best point, computed from the data the protocol allows"};

static const eg_variable *const list[] = {&objective, NULL};

static eg_status conclude(eg_measure *measure, const eg_moment *now)
{
    const eg_measure_setup *setup = measure->setup;
    double value = (double)NAN;
    (void)now;
    if (!eg_measures_selecting(setup->others, setup->objective, &value)) {
        value = eg_record_value(setup->record, setup->objective);
    }
    return eg_record_scalar(setup->record, &objective, value);
}

static const eg_measure_ops ops = {.conclude = conclude};

const eg_measure_kind eg_measure_objective = {
    .component = {.name = "objective", .doc = "what selects the best point"},
    .order = 11,
    .required = true,
    .variables = list,
    .size = sizeof(eg_measure),
    .ops = &ops,
};
