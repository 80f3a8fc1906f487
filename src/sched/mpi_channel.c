/** Messages between ranks: probe, then receive from that source; every buffer is owned until MPI is
 * done. */
#include "sched/channel.h"

#include "sched/backoff.h"
#include "sched/world.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <limits.h>

enum { OUT_FEW = 64 };
/* Time to let the last messages out when closing. */
static const double close_seconds = 2;

typedef struct outgoing {
    MPI_Request request;
    unsigned char *data;
} outgoing;

typedef struct incoming {
    MPI_Request request;
    eg_packet packet;
    int complete;
} incoming;

typedef struct mpi_channel {
    eg_channel base;
    eg_world *world;
    outgoing *out;
    size_t out_count, out_capacity;
    size_t out_left; /* of them, when they were last looked at */
    incoming *in;    /* in the order of arrival */
    size_t in_count, in_capacity;
} mpi_channel;

static eg_status mpi_send(eg_channel *base, uint32_t peer, eg_writer *message)
{
    mpi_channel *channel = (mpi_channel *)base;
    outgoing item = {.request = MPI_REQUEST_NULL, .data = message->data};
    size_t size = message->size;
    *message = (eg_writer){0};
    eg_status status = eg_ok();
    if (size > INT_MAX) {
        status = eg_fail(EG_INVALID, "a message of %zu bytes is too long for MPI", size);
        goto done;
    }
    EG_TRY_DONE(status, eg_grow(&channel->out, &channel->out_capacity, channel->out_count + 1,
                                sizeof *channel->out));
    EG_TRY_DONE(status,
                eg_mpi_status(MPI_Isend(item.data, (int)size, MPI_BYTE, (int)peer, EG_TAG_MESSAGE,
                                        channel->world->comm, &item.request),
                              "send"));
    channel->out[channel->out_count++] = item;
done:
    if (status.code != EG_OK) {
        eg_free(item.data);
    }
    return status;
}

static bool mpi_sending(eg_channel *base)
{
    mpi_channel *channel = (mpi_channel *)base;
    size_t kept = 0;
    for (size_t i = 0; i < channel->out_count; i++) {
        int complete = 0;
        if (MPI_Test(&channel->out[i].request, &complete, MPI_STATUS_IGNORE) != MPI_SUCCESS ||
            !complete) {
            channel->out[kept++] = channel->out[i];
        } else {
            eg_free(channel->out[i].data);
        }
    }
    channel->out_count = channel->out_left = kept;
    return kept > 0;
}

/* Starts receiving one announced message. */
static eg_status begin_receive(mpi_channel *channel, const MPI_Status *announced)
{
    int size = 0;
    incoming item = {.request = MPI_REQUEST_NULL, .packet.peer = (uint32_t)announced->MPI_SOURCE};
    EG_TRY(eg_mpi_status(MPI_Get_count(announced, MPI_BYTE, &size), "size a message"));
    EG_TRY(
        eg_grow(&channel->in, &channel->in_capacity, channel->in_count + 1, sizeof *channel->in));
    EG_TRY(eg_alloc(&item.packet.data, (size_t)size, 1));
    item.packet.size = (size_t)size;
    eg_status status =
        eg_mpi_status(MPI_Irecv(item.packet.data, size, MPI_BYTE, announced->MPI_SOURCE,
                                EG_TAG_MESSAGE, channel->world->comm, &item.request),
                      "receive");
    if (status.code != EG_OK) {
        eg_free(item.packet.data);
        return status;
    }
    channel->in[channel->in_count++] = item;
    return eg_ok();
}

static bool is_first_of_peer(const mpi_channel *channel, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (channel->in[i].packet.peer == channel->in[at].packet.peer) {
            return false;
        }
    }
    return true;
}

static eg_status mpi_receive(eg_channel *base, eg_packet *out, bool *have)
{
    mpi_channel *channel = (mpi_channel *)base;
    *have = false;
    int there = 0;
    MPI_Status announced;
    EG_TRY(eg_mpi_status(
        MPI_Iprobe(MPI_ANY_SOURCE, EG_TAG_MESSAGE, channel->world->comm, &there, &announced),
        "look for messages"));
    if (there) {
        EG_TRY(begin_receive(channel, &announced));
    }
    /* Not for every message that is there: with many ranks many sends are on their way. */
    if (!there || channel->out_count >= OUT_FEW + 2 * channel->out_left) {
        (void)mpi_sending(base);
    }
    for (size_t i = 0; i < channel->in_count; i++) {
        incoming *item = &channel->in[i];
        if (!item->complete) {
            EG_TRY(eg_mpi_status(MPI_Test(&item->request, &item->complete, MPI_STATUS_IGNORE),
                                 "receive"));
        }
        /* A short message may be complete before a long one that was sent earlier. */
        if (item->complete && is_first_of_peer(channel, i)) {
            *out = item->packet;
            *have = true;
            channel->in_count--;
            for (size_t k = i; k < channel->in_count; k++) {
                channel->in[k] = channel->in[k + 1];
            }
            break;
        }
    }
    return eg_ok();
}

static void mpi_wait(eg_channel *base, double seconds)
{
    (void)base;
    eg_sched_sleep(seconds);
}

static bool mpi_gone(const eg_channel *base, uint32_t peer, bool overdue)
{
    const mpi_channel *channel = (const mpi_channel *)base;
    return eg_world_gone(channel->world, (int)peer, overdue);
}

static void mpi_close(eg_channel *base)
{
    mpi_channel *channel = (mpi_channel *)base;
    double deadline = eg_clock() + close_seconds;
    eg_backoff backoff = {0};
    while (mpi_sending(base) && eg_clock() < deadline) {
        eg_sched_sleep(eg_backoff_next(&backoff));
    }
    size_t unfinished = channel->out_count;
    for (size_t i = 0; i < channel->in_count; i++) {
        if (channel->in[i].complete) {
            eg_free(channel->in[i].packet.data);
        } else {
            unfinished++;
        }
    }
    if (unfinished > 0) {
        /* The other side is gone; the buffers are MPI's as long as the process lives. */
        channel->world->lost = true;
    }
    eg_free(channel->out);
    eg_free(channel->in);
    eg_free(channel);
}

static const eg_channel_kind mpi_kind = {
    .send = mpi_send,
    .receive = mpi_receive,
    .wait = mpi_wait,
    .sending = mpi_sending,
    .gone = mpi_gone,
    .close = mpi_close,
};

eg_status eg_mpi_channel_create(eg_channel **out, eg_world *world)
{
    *out = NULL;
    mpi_channel *channel = NULL;
    EG_TRY(eg_alloc(&channel, 1, sizeof *channel));
    channel->base.kind = &mpi_kind;
    channel->world = world;
    *out = &channel->base;
    return eg_ok();
}
