/** Messages between ranks: probe, then receive from that source; every buffer is owned until MPI is
 * done. */
#include "sched/link.h"

#include "sched/backoff.h"
#include "sched/world.h"

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

typedef struct mpi_link {
    eg_link base;
    eg_world *world;
    outgoing *out;
    size_t out_count, out_capacity;
    size_t out_left; /* of them, when they were last looked at */
    incoming *in;    /* in the order of arrival */
    size_t in_count, in_capacity;
} mpi_link;

static eg_status mpi_send(eg_link *base, uint32_t peer, eg_writer *message)
{
    mpi_link *link = (mpi_link *)base;
    outgoing item = {.request = MPI_REQUEST_NULL, .data = message->data};
    size_t size = message->size;
    *message = (eg_writer){0};
    eg_status status = eg_ok();
    if (size > INT_MAX) {
        status = eg_fail(EG_INVALID, "a message of %zu bytes is too long for MPI", size);
        goto done;
    }
    EG_TRY_DONE(status,
                eg_grow(&link->out, &link->out_capacity, link->out_count + 1, sizeof *link->out));
    EG_TRY_DONE(status, eg_mpi_status(MPI_Isend(item.data, (int)size, MPI_BYTE, (int)peer,
                                                EG_TAG_MESSAGE, link->world->comm, &item.request),
                                      "send"));
    link->out[link->out_count++] = item;
done:
    if (status.code != EG_OK) {
        eg_free(item.data);
    }
    return status;
}

static bool mpi_sending(eg_link *base)
{
    mpi_link *link = (mpi_link *)base;
    size_t kept = 0;
    for (size_t i = 0; i < link->out_count; i++) {
        int complete = 0;
        if (MPI_Test(&link->out[i].request, &complete, MPI_STATUS_IGNORE) != MPI_SUCCESS ||
            !complete) {
            link->out[kept++] = link->out[i];
        } else {
            eg_free(link->out[i].data);
        }
    }
    link->out_count = link->out_left = kept;
    return kept > 0;
}

/* Starts receiving one announced message. */
static eg_status begin_receive(mpi_link *link, const MPI_Status *announced)
{
    int size = 0;
    incoming item = {.request = MPI_REQUEST_NULL, .packet.peer = (uint32_t)announced->MPI_SOURCE};
    EG_TRY(eg_mpi_status(MPI_Get_count(announced, MPI_BYTE, &size), "size a message"));
    EG_TRY(eg_grow(&link->in, &link->in_capacity, link->in_count + 1, sizeof *link->in));
    EG_TRY(eg_alloc(&item.packet.data, (size_t)size, 1));
    item.packet.size = (size_t)size;
    eg_status status =
        eg_mpi_status(MPI_Irecv(item.packet.data, size, MPI_BYTE, announced->MPI_SOURCE,
                                EG_TAG_MESSAGE, link->world->comm, &item.request),
                      "receive");
    if (status.code != EG_OK) {
        eg_free(item.packet.data);
        return status;
    }
    link->in[link->in_count++] = item;
    return eg_ok();
}

static bool is_first_of_peer(const mpi_link *link, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (link->in[i].packet.peer == link->in[at].packet.peer) {
            return false;
        }
    }
    return true;
}

static eg_status mpi_receive(eg_link *base, eg_packet *out, bool *have)
{
    mpi_link *link = (mpi_link *)base;
    *have = false;
    int there = 0;
    MPI_Status announced;
    EG_TRY(eg_mpi_status(
        MPI_Iprobe(MPI_ANY_SOURCE, EG_TAG_MESSAGE, link->world->comm, &there, &announced),
        "look for messages"));
    if (there) {
        EG_TRY(begin_receive(link, &announced));
    }
    /* Not for every message that is there: with many ranks many sends are on their way. */
    if (!there || link->out_count >= OUT_FEW + 2 * link->out_left) {
        (void)mpi_sending(base);
    }
    for (size_t i = 0; i < link->in_count; i++) {
        incoming *item = &link->in[i];
        if (!item->complete) {
            EG_TRY(eg_mpi_status(MPI_Test(&item->request, &item->complete, MPI_STATUS_IGNORE),
                                 "receive"));
        }
        /* A short message may be complete before a long one that was sent earlier. */
        if (item->complete && is_first_of_peer(link, i)) {
            *out = item->packet;
            *have = true;
            link->in_count--;
            for (size_t k = i; k < link->in_count; k++) {
                link->in[k] = link->in[k + 1];
            }
            break;
        }
    }
    return eg_ok();
}

static void mpi_wait(eg_link *base, double seconds)
{
    (void)base;
    eg_sched_sleep(seconds);
}

static bool mpi_gone(const eg_link *base, uint32_t peer, bool overdue)
{
    const mpi_link *link = (const mpi_link *)base;
    return eg_world_gone(link->world, (int)peer, overdue);
}

static void mpi_close(eg_link *base)
{
    mpi_link *link = (mpi_link *)base;
    double deadline = eg_sched_now() + close_seconds;
    eg_pacer pacer = {0};
    while (mpi_sending(base) && eg_sched_now() < deadline) {
        eg_sched_sleep(eg_pacer_next(&pacer));
    }
    size_t unfinished = link->out_count;
    for (size_t i = 0; i < link->in_count; i++) {
        if (link->in[i].complete) {
            eg_free(link->in[i].packet.data);
        } else {
            unfinished++;
        }
    }
    if (unfinished > 0) {
        /* The other side is gone; the buffers are MPI's as long as the process lives. */
        link->world->lost = true;
    }
    eg_free(link->out);
    eg_free(link->in);
    eg_free(link);
}

static const eg_link_kind mpi_kind = {
    .send = mpi_send,
    .receive = mpi_receive,
    .wait = mpi_wait,
    .sending = mpi_sending,
    .gone = mpi_gone,
    .close = mpi_close,
};

eg_status eg_mpi_link_create(eg_link **out, eg_world *world)
{
    *out = NULL;
    mpi_link *link = NULL;
    EG_TRY(eg_alloc(&link, 1, sizeof *link));
    link->base.kind = &mpi_kind;
    link->world = world;
    *out = &link->base;
    return eg_ok();
}
