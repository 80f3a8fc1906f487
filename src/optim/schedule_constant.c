/** The learning rate never changes. */
#include "engram/optimizer.h"

static double rate(const double *p, double lr, uint64_t step)
{
    (void)p, (void)step;
    return lr;
}

const eg_schedule eg_schedule_constant = {
    .component = {.name = "constant", .doc = "lr"},
    .rate = rate,
};
