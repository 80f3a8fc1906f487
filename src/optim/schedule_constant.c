/** The learning rate never changes. */
#include "engram/optimizer.h"

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    (void)p, (void)now;
    return lr;
}

const eg_schedule eg_schedule_constant = {
    .component = {.name = "constant", .doc = "lr"},
    .rate = rate,
};
