/** Messages between the two threads of rank 0: two mailboxes under one lock. */
#include "sched/channel.h"

#include "engram/memory.h"

#include <pthread.h>
#include <time.h>

/* Messages waiting for one end, oldest first, in items[first .. first+count). */
typedef struct mailbox {
    eg_packet *items;
    size_t first, count, capacity;
    pthread_cond_t arrived;
} mailbox;

typedef struct shared {
    pthread_mutex_t lock;
    mailbox box[2];
    int ends; /* open ends; the last one to close releases everything */
} shared;

typedef struct queue_end {
    eg_channel base;
    shared *shared;
    int mine; /* box[mine] is read, box[1 - mine] written */
} queue_end;

static eg_status push(mailbox *box, eg_packet packet)
{
    if (box->first > 0 && box->first + box->count == box->capacity) {
        for (size_t i = 0; i < box->count; i++) {
            box->items[i] = box->items[box->first + i];
        }
        box->first = 0;
    }
    EG_TRY(eg_grow(&box->items, &box->capacity, box->first + box->count + 1, sizeof *box->items));
    box->items[box->first + box->count++] = packet;
    return eg_ok();
}

static eg_status queue_send(eg_channel *channel, uint32_t peer, eg_writer *message)
{
    (void)peer;
    queue_end *end = (queue_end *)channel;
    mailbox *box = &end->shared->box[1 - end->mine];
    eg_packet packet = {.data = message->data, .size = message->size};
    (void)pthread_mutex_lock(&end->shared->lock);
    eg_status status = push(box, packet);
    (void)pthread_cond_signal(&box->arrived);
    (void)pthread_mutex_unlock(&end->shared->lock);
    if (status.code == EG_OK) {
        *message = (eg_writer){0};
    } else {
        eg_writer_clear(message);
    }
    return status;
}

static eg_status queue_receive(eg_channel *channel, eg_packet *out, bool *have)
{
    queue_end *end = (queue_end *)channel;
    mailbox *box = &end->shared->box[end->mine];
    (void)pthread_mutex_lock(&end->shared->lock);
    *have = box->count > 0;
    if (*have) {
        *out = box->items[box->first++];
        box->count--;
        if (box->count == 0) {
            box->first = 0;
        }
    }
    bool closed = end->shared->ends < 2;
    (void)pthread_mutex_unlock(&end->shared->lock);
    return *have || !closed ? eg_ok() : eg_fail(EG_SYSTEM, "the other thread closed the queue");
}

static void queue_wait(eg_channel *channel, double seconds)
{
    if (seconds <= 0) {
        return;
    }
    queue_end *end = (queue_end *)channel;
    mailbox *box = &end->shared->box[end->mine];
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    long long ns = until.tv_nsec + (long long)(seconds * 1e9);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    (void)pthread_mutex_lock(&end->shared->lock);
    int error = 0;
    while (box->count == 0 && error == 0 && end->shared->ends == 2) {
        error = pthread_cond_timedwait(&box->arrived, &end->shared->lock, &until);
    }
    (void)pthread_mutex_unlock(&end->shared->lock);
}

static bool queue_sending(eg_channel *channel)
{
    (void)channel;
    return false;
}

/* The other end is a thread of this process. */
static bool queue_gone(const eg_channel *channel, uint32_t peer, bool overdue)
{
    (void)channel;
    (void)peer;
    (void)overdue;
    return false;
}

static void release(shared *both)
{
    for (int i = 0; i < 2; i++) {
        mailbox *box = &both->box[i];
        for (size_t k = 0; k < box->count; k++) {
            eg_free(box->items[box->first + k].data);
        }
        eg_free(box->items);
        (void)pthread_cond_destroy(&box->arrived);
    }
    (void)pthread_mutex_destroy(&both->lock);
    eg_free(both);
}

static void queue_close(eg_channel *channel)
{
    queue_end *end = (queue_end *)channel;
    (void)pthread_mutex_lock(&end->shared->lock);
    bool last = --end->shared->ends == 0;
    (void)pthread_cond_signal(&end->shared->box[1 - end->mine].arrived);
    (void)pthread_mutex_unlock(&end->shared->lock);
    if (last) {
        release(end->shared);
    }
    eg_free(end);
}

static const eg_channel_kind queue_kind = {
    .send = queue_send,
    .receive = queue_receive,
    .wait = queue_wait,
    .sending = queue_sending,
    .gone = queue_gone,
    .close = queue_close,
};

/* Lock and conditions; waiting is by the clock that is never set. */
static int prepare(shared *both)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    if (error != 0) {
        return error;
    }
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (error == 0) {
        error = pthread_mutex_init(&both->lock, NULL);
    }
    /* On Linux these cannot fail once their attributes are valid. */
    for (int i = 0; i < 2 && error == 0; i++) {
        error = pthread_cond_init(&both->box[i].arrived, &attributes);
    }
    (void)pthread_condattr_destroy(&attributes);
    return error;
}

eg_status eg_queue_create(eg_channel **one, eg_channel **other)
{
    *one = *other = NULL;
    shared *both = NULL;
    queue_end *ends[2] = {NULL, NULL};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&both, 1, sizeof *both));
    for (int i = 0; i < 2; i++) {
        EG_TRY_DONE(status, eg_alloc(&ends[i], 1, sizeof *ends[i]));
        *ends[i] = (queue_end){.base.kind = &queue_kind, .shared = both, .mine = i};
    }
    int error = prepare(both);
    if (error != 0) {
        status = eg_fail_errno(error, "cannot make a queue between threads");
        goto done;
    }
    both->ends = 2;
    *one = &ends[0]->base;
    *other = &ends[1]->base;
done:
    if (status.code != EG_OK) {
        eg_free(ends[0]);
        eg_free(ends[1]);
        eg_free(both);
    }
    return status;
}
