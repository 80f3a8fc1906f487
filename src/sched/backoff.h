/** How long the scheduler's loops sleep between two looks at their messages. */
#ifndef ENGRAM_SCHED_BACKOFF_H
#define ENGRAM_SCHED_BACKOFF_H

/** Sleeps; may return early when a signal arrives. */
void eg_sched_sleep(double seconds);

/** Polling that answers at once while messages flow and costs next to nothing when none do. */
typedef struct eg_backoff {
    double touched; /**< when something last happened */
    double pause;   /**< the last pause, seconds */
} eg_backoff;

/** Something happened: be quick for a while. */
void eg_backoff_reset(eg_backoff *backoff);
/** How long to sleep now: 0 within 50 µs of the last event, then doubling up to 5 ms. */
double eg_backoff_next(eg_backoff *backoff);

#endif
