/** Time; see engram/clock.h. */
#include "engram/clock.h"

#include <time.h>

static double read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double eg_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

double eg_clock(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double eg_clock_of_thread(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
