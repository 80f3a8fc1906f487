/** Time: one header for both clocks. Seconds as doubles hold a microsecond for centuries. */
#ifndef ENGRAM_CLOCK_H
#define ENGRAM_CLOCK_H

/** Wall clock: seconds since 1970. It may be set back. */
double eg_now(void);

/** Monotonic clock: seconds since some moment, never set back. For durations and limits. */
double eg_clock(void);

/** Processor time of the calling thread, in seconds. */
double eg_clock_of_thread(void);

#endif
