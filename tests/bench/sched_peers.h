/** Simulated workers, their channel and their clock, for bench/sched_scale.c. They say what sched/worker.c says and when:
 *  READY, PROGRESS after every percent of a trial but at most once a second and at least every heartbeat, RESULT, BYE. */
#ifndef ENGRAM_BENCH_SCHED_PEERS_H
#define ENGRAM_BENCH_SCHED_PEERS_H

#include "sched/channel.h"
#include "sched/message.h"

enum { EG_AHEAD_MAX = 256, EG_RANKS_PER_HOST = 64 };

/** A worker, as far as rank 0 can see it. */
typedef struct eg_peer_worker {
    double due;  /* its next message */
    double end;  /* of its trial; never: it has none */
    double said; /* when it last said anything */
    bool contact, ready_due, leaving;
    eg_attempt waiting[EG_AHEAD_MAX]; /* the first one runs */
    size_t waiting_count;
} eg_peer_worker;

typedef struct eg_simulation {
    double now;
    size_t count; /* of peers */
    eg_peer_worker *peers;
    size_t *heap; /* peers, the one that is due first in front */
    size_t *at;   /* by peer: where it is in the heap */
    double trial_seconds, heartbeat;
    eg_record *record;
    uint64_t random;
    size_t received, sent, acknowledged; /* by rank 0 */
    double outside;                      /* processor seconds spent in here */
    eg_channel channel;
} eg_simulation;

/** There is one. */
extern eg_simulation eg_sim;

/** Nobody has said or heard anything yet. Release with eg_sim_clear. */
eg_status eg_sim_prepare(size_t workers, double trial_seconds, eg_record *record) EG_WARN_UNUSED;
void eg_sim_clear(void);

/** Processor seconds of this thread. */
double eg_cpu_seconds(void);

#endif
