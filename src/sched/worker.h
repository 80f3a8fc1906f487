/** A worker: the compute thread of every rank runs this same code. */
#ifndef ENGRAM_SCHED_WORKER_H
#define ENGRAM_SCHED_WORKER_H

#include "engram/sched.h"
#include "engram/trial.h"

#include "sched/channel.h"

#include <stdatomic.h>

/** What a runner tells the worker while it works. */
typedef struct eg_run_hooks {
    eg_poll poll;
    void (*note)(void *user, bool warning, const char *text); /**< see eg_work_note */
    void *user;
    /** As in eg_sched_options; NULL: there is none. */
    eg_status (*keep_weights)(const char *path, uint32_t attempt, const eg_predictor *predictor);
    /** out: there is a file work->checkpoint, of no use once a result other than a pause is safe */
    bool saved;
    bool refused; /**< out: run failed because the data here are not those of the sweep */
} eg_run_hooks;

/** What a worker does with a piece of work. One is real (eg_trial_runner); tests and measurements
 * of the scheduler bring their own. Each worker has its own state. */
typedef struct eg_runner {
    /** Makes the state; called before the first piece of work. */
    eg_status (*open)(void **state);
    /** As eg_trial_run: *out on success; EG_STOPPED when poll returned false; other failures
     * concern this piece of work only. */
    eg_status (*run)(void *state, const eg_work *work, eg_run_hooks *hooks, eg_record **out);
    void (*close)(void *state);
} eg_runner;

/** What a worker that trains is at; any thread may look. */
typedef struct eg_pulse {
    /** When its trial began, or the latest minibatch of it ended, on eg_clock; 0: none runs. */
    _Atomic double since;
    _Atomic uint64_t trial;   /**< as in eg_attempt … */
    _Atomic uint32_t attempt; /**< … and its number */
} eg_pulse;

/** eg_trial_run with a cache of datasets and one BLAS thread. */
extern const eg_runner eg_trial_runner;

/** eg_sched_options with its zeros replaced by the defaults. */
eg_sched_options eg_sched_complete(const eg_sched_options *options);

/** Works for the scheduler at the other end (peer 0) of `channel` until told to leave. EG_STOPPED
 *  if the scheduler vanished. *goodbye: the scheduler was sent word of the end. */
eg_status eg_worker_run(eg_channel *channel, const char *host, const eg_runner *runner,
                        const eg_sched_options *options, eg_pulse *pulse,
                        bool *goodbye) EG_WARN_UNUSED;

/** eg_sched_run and eg_sched_work with a runner of the caller's. */
eg_status eg_sched_run_with(eg_world *world, const eg_sched_client *client,
                            const eg_sched_options *options,
                            const eg_runner *runner) EG_WARN_UNUSED;
eg_status eg_sched_work_with(eg_world *world, const eg_sched_options *options,
                             const eg_runner *runner) EG_WARN_UNUSED;

#endif
