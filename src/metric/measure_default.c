/** Stands in a list of measures for those that suit the stream. */
#include "engram/measure.h"

static const eg_variable *const none[] = {NULL};

const eg_measure_kind eg_measure_default = {
    .component = {.name = "default",
                  .doc = "the measures that suit the stream and the protocol: what is recorded if "
                         "nothing is asked for"},
    .variables = none,
};
