/** Simulated workers; see bench/sched_peers.h. */
#include "sched_peers.h"

#include "engram/memory.h"
#include "sched/backoff.h"
#include "sched/world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const double latency = 20e-6; /* of a message, either way */
static const double never = INFINITY;

eg_simulation eg_sim;

double eg_cpu_seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The clock -------------------------------------------------------------------------------------- */

double __wrap_eg_clock(void);
double __wrap_eg_now(void);
void __wrap_eg_sched_sleep(double seconds);
void __wrap_eg_backoff_reset(eg_backoff *backoff);
double __wrap_eg_backoff_next(eg_backoff *backoff);
eg_status __wrap_eg_mpi_channel_create(eg_channel **out, eg_world *world);

double __wrap_eg_clock(void)
{
    return eg_sim.now;
}

double __wrap_eg_now(void)
{
    return eg_sim.now;
}

void __wrap_eg_sched_sleep(double seconds)
{
    eg_sim.now += seconds;
}

void __wrap_eg_backoff_reset(eg_backoff *backoff)
{
    backoff->touched = eg_sim.now;
    backoff->pause = 0;
}

/* As the real one, without the moment in which it spins. */
double __wrap_eg_backoff_next(eg_backoff *backoff)
{
    backoff->pause = backoff->pause <= 0 ? 20e-6 : fmin(2 * backoff->pause, 5e-3);
    return backoff->pause;
}

/* Peers by when they are due --------------------------------------------------------------------- */

static void place(size_t slot, size_t who)
{
    eg_sim.heap[slot] = who;
    eg_sim.at[who] = slot;
}

static double due_at(size_t slot)
{
    return slot < eg_sim.count ? eg_sim.peers[eg_sim.heap[slot]].due : never;
}

static void reschedule(size_t who, double due)
{
    eg_sim.peers[who].due = due;
    size_t slot = eg_sim.at[who];
    while (slot > 0 && due_at((slot - 1) / 2) > due) {
        place(slot, eg_sim.heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * slot + 1;
        child += due_at(child + 1) < due_at(child);
        if (due_at(child) >= due) {
            break;
        }
        place(slot, eg_sim.heap[child]);
        slot = child;
    }
    place(slot, who);
}

/** When it speaks next: at the end of its trial, or of its progress. */
static void plan_next(size_t who)
{
    eg_peer_worker *p = &eg_sim.peers[who];
    double pause = eg_sim.heartbeat;
    if (p->waiting_count > 0) {
        pause = fmin(pause, fmax(1, eg_sim.trial_seconds / 100));
    }
    double due = fmin(p->said + pause, p->end);
    due = p->ready_due || p->leaving ? eg_sim.now + latency : due;
    reschedule(who, p->contact ? due : never);
}

/** Trials take about as long as each other. */
static double duration(void)
{
    eg_sim.random = eg_sim.random * 6364136223846793005U + 1442695040888963407U;
    return eg_sim.trial_seconds * (0.75 + 0.5 * (double)(eg_sim.random >> 11) * 0x1p-53);
}

/* The channel --------------------------------------------------------------------------------------- */

static eg_status take_work(eg_peer_worker *p, const eg_message *message)
{
    if (p->waiting_count == EG_AHEAD_MAX) {
        return eg_fail(EG_INTERNAL, "too much work ahead");
    }
    p->waiting[p->waiting_count++] = message->as.work.attempt;
    if (p->waiting_count == 1) {
        p->end = eg_sim.now + latency + duration();
    }
    return eg_ok();
}

static eg_status hear(size_t who, const eg_message *message)
{
    eg_peer_worker *p = &eg_sim.peers[who];
    p->ready_due = p->ready_due || !p->contact;
    p->contact = true;
    switch (message->kind) {
    case EG_MESSAGE_WORK:
        EG_TRY(take_work(p, message));
        break;
    case EG_MESSAGE_ACK:
        eg_sim.acknowledged += message->as.ack.count;
        break;
    case EG_MESSAGE_HEARTBEAT:
        eg_sim.heartbeat = message->as.heartbeat.heartbeat_seconds;
        break;
    case EG_MESSAGE_SHUTDOWN:
        p->leaving = true;
        break;
    default:
        return eg_fail(EG_INTERNAL, "not simulated: message %d", (int)message->kind);
    }
    plan_next(who);
    return eg_ok();
}

static eg_status sim_send(eg_channel *channel, uint32_t rank, eg_writer *bytes)
{
    (void)channel;
    double before = eg_cpu_seconds();
    eg_message message;
    eg_status status = eg_message_decode(&message, bytes->data, bytes->size);
    if (status.code == EG_OK) {
        status = hear(rank - 1, &message);
        eg_message_clear(&message);
    }
    eg_writer_clear(bytes);
    eg_sim.sent++;
    eg_sim.outside += eg_cpu_seconds() - before;
    return status;
}

static void begin_next(eg_peer_worker *p)
{
    p->waiting_count--;
    memmove(p->waiting, p->waiting + 1, p->waiting_count * sizeof *p->waiting);
    p->end = p->waiting_count > 0 ? eg_sim.now + duration() : never;
}

/** What a peer that is due says. */
static void speak(size_t who, eg_message *message, char host[EG_HOST_SIZE])
{
    eg_peer_worker *p = &eg_sim.peers[who];
    *message = (eg_message){.kind = EG_MESSAGE_PROGRESS};
    if (p->ready_due) {
        (void)snprintf(host, EG_HOST_SIZE, "node%zu", (who + 1) / EG_RANKS_PER_HOST);
        message->kind = EG_MESSAGE_READY;
        message->as.ready.host = host;
        message->as.ready.pid = who + 1;
        p->ready_due = false;
    } else if (p->leaving) {
        message->kind = EG_MESSAGE_BYE;
        message->as.reason = "";
        p->leaving = p->contact = false;
    } else if (p->end <= eg_sim.now) {
        message->kind = EG_MESSAGE_RESULT;
        message->as.result = (eg_work_result){.attempt = p->waiting[0],
                                              .status = EG_TRIAL_DONE,
                                              .record = eg_sim.record,
                                              .message = ""};
        message->as.result.attempt.wall_seconds = eg_sim.trial_seconds;
        begin_next(p);
    } else if (p->waiting_count > 0) {
        double share = 1 - (p->end - eg_sim.now) / (1.25 * eg_sim.trial_seconds);
        message->as.progress.working = true;
        message->as.progress.attempt = p->waiting[0];
        message->as.progress.steps = 10000;
        message->as.progress.step = (uint64_t)fmax(0, 9999 * share);
    }
    p->said = eg_sim.now;
}

static eg_status sim_receive(eg_channel *channel, eg_packet *out, bool *have)
{
    (void)channel;
    size_t who = eg_sim.heap[0];
    *have = eg_sim.peers[who].due <= eg_sim.now;
    if (!*have) {
        return eg_ok();
    }
    double before = eg_cpu_seconds();
    eg_writer bytes = {0};
    eg_message message;
    char host[EG_HOST_SIZE];
    speak(who, &message, host);
    plan_next(who);
    eg_status status = eg_message_encode(&message, &bytes);
    *out = (eg_packet){.peer = (uint32_t)(who + 1), .data = bytes.data, .size = bytes.size};
    eg_sim.received++;
    eg_sim.outside += eg_cpu_seconds() - before;
    return status;
}

static void sim_wait(eg_channel *channel, double seconds)
{
    (void)channel;
    eg_sim.now += seconds;
}

static bool sim_sending(eg_channel *channel)
{
    (void)channel;
    return false;
}

static bool sim_gone(const eg_channel *channel, uint32_t rank, bool overdue)
{
    (void)channel;
    (void)rank;
    (void)overdue;
    return false;
}

static void sim_close(eg_channel *channel)
{
    (void)channel;
}

static const eg_channel_kind sim_kind = {.send = sim_send,
                                         .receive = sim_receive,
                                         .wait = sim_wait,
                                         .sending = sim_sending,
                                         .gone = sim_gone,
                                         .close = sim_close};

eg_status __wrap_eg_mpi_channel_create(eg_channel **out, eg_world *world)
{
    (void)world;
    eg_sim.channel.kind = &sim_kind;
    *out = &eg_sim.channel;
    return eg_ok();
}

/* The whole -------------------------------------------------------------------------------------- */

eg_status eg_sim_prepare(size_t workers, double trial_seconds, eg_record *record)
{
    eg_sim = (eg_simulation){.count = workers,
                             .trial_seconds = trial_seconds,
                             .random = 1,
                             .heartbeat = 10,
                             .record = record};
    EG_TRY(eg_alloc(&eg_sim.peers, workers, sizeof *eg_sim.peers));
    EG_TRY(eg_alloc(&eg_sim.heap, workers, sizeof *eg_sim.heap));
    EG_TRY(eg_alloc(&eg_sim.at, workers, sizeof *eg_sim.at));
    for (size_t i = 0; i < workers; i++) {
        eg_sim.peers[i].due = eg_sim.peers[i].end = never;
        place(i, i);
    }
    return eg_ok();
}

void eg_sim_clear(void)
{
    eg_free(eg_sim.peers);
    eg_free(eg_sim.heap);
    eg_free(eg_sim.at);
    eg_record_free(eg_sim.record);
}
