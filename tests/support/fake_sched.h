/** A client and a runner for tests of the scheduler: work that sleeps, fails or diverges as its settings say, or ends
 *  when a file appears, and a ledger of what happened to every trial. */
#ifndef ENGRAM_FAKE_SCHED_H
#define ENGRAM_FAKE_SCHED_H

#include "engram/sched.h"

#include "sched/worker.h"

#include <stdatomic.h>

enum { FAKE_TRIALS_MAX = 2048, FAKE_RANKS_MAX = 16, FAKE_CURVE = 3000 };

/** Settings are one line "KIND MILLISECONDS", one step each; KIND is done, diverged, failed, signal (sends SIGUSR1 to
 *  its own process, then goes on), death (SIGKILL), endless (only a stop ends it), or memory, stopped (fails with that
 *  code unasked). Or "KIND FILE": until (done as soon as the file exists), hang (the first attempt stops its process until
 *  the file exists). */
extern const eg_runner fake_runner;

/** How many pieces of work this process has begun, and how many it has run to their end. Any thread may look. */
extern atomic_size_t fake_begun, fake_ended;

/** The i-th value of the curve that a trial of this seed records. */
double fake_value(uint64_t seed, size_t i);

typedef struct fake_ledger {
    /* What to do. */
    size_t trials;
    size_t stage;     /**< trials from here on exist once all earlier ones are finished; 0: none */
    bool idle_brings; /**< and once idle was called after that, which is expected */
    const char *(*settings)(uint64_t trial);
    double mean_seconds;
    size_t out_max; /**< 0: any number */
    const char
        *all_busy_file; /**< made once every rank has held `all_busy` pieces at once; NULL: none */
    size_t all_busy, ranks;
    const char *lost_file, *back_file; /**< made when a worker is lost, and is back; NULL: none */
    size_t
        pile; /**< once so many were started, all of them are run to their end before anything else; 0: never */
    size_t ended_before; /**< fake_ended when the sweep begins */
    size_t signal_after; /**< send `signal` to this process after so many were started; 0: never */
    int signal;
    size_t fail_next, fail_started, fail_finished, fail_commit,
        fail_idle; /**< fail at the n-th call; 0: never */
    /* What happened. */
    size_t next_trial;
    bool brought; /**< the second stage, by idle */
    unsigned started[FAKE_TRIALS_MAX], finished[FAKE_TRIALS_MAX], interrupted[FAKE_TRIALS_MAX],
        lost[FAKE_TRIALS_MAX];
    uint32_t losses[FAKE_TRIALS_MAX]; /**< that count */
    uint64_t again[FAKE_TRIALS_MAX];  /**< lost trials, to be handed out again */
    size_t again_count, workers_lost, workers_back;
    unsigned wrong; /**< results whose status, message or content is not what it should be */
    size_t starts, finishes, interrupts, nexts, idles, commits;
    size_t notes, reports;
    size_t uncommitted; /**< results since the last successful commit */
    size_t out_now[FAKE_RANKS_MAX], out_most[FAKE_RANKS_MAX];
    size_t by_rank[FAKE_RANKS_MAX]; /**< results */
    uint32_t rank_of[FAKE_TRIALS_MAX];
    size_t most_blocks; /**< live blocks of memory when a result came in, at most */
    char text[256];
} fake_ledger;

eg_sched_client fake_client(fake_ledger *ledger);

#endif
