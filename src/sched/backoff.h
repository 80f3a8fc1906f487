/** Time for the scheduler: a clock that never jumps, and how long to sleep between two looks. */
#ifndef ENGRAM_SCHED_BACKOFF_H
#define ENGRAM_SCHED_BACKOFF_H

/** Seconds of a clock that is never set back. */
double eg_sched_now(void);
/** Seconds since 1970. */
double eg_sched_date(void);
/** Sleeps; may return early when a signal arrives. */
void eg_sched_sleep(double seconds);

/** Polling that answers at once while messages flow and costs next to nothing when none do. */
typedef struct eg_pacer {
    double touched; /**< when something last happened */
    double pause;   /**< the last pause, seconds */
} eg_pacer;

/** Something happened: be quick for a while. */
void eg_pacer_touch(eg_pacer *pacer);
/** How long to sleep now: 0 within 50 µs of the last event, then doubling up to 5 ms. */
double eg_pacer_next(eg_pacer *pacer);

#endif
