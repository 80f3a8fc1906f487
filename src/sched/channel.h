/** How messages travel: one interface, two implementations (MPI, and a queue between two threads).
 *
 *  Messages between two ends arrive whole and in order. Nothing here blocks. */
#ifndef ENGRAM_SCHED_CHANNEL_H
#define ENGRAM_SCHED_CHANNEL_H

#include "engram/pack.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

struct eg_world;

/** A message that arrived. */
typedef struct eg_packet {
    uint32_t peer;       /**< who sent it */
    unsigned char *data; /**< owned by the receiver: eg_free */
    size_t size;
} eg_packet;

typedef struct eg_channel eg_channel;

typedef struct eg_channel_kind {
    /** Sends the contents of `message` to `peer`; takes its memory, so that the writer is empty
     * afterwards, also after a failure. */
    eg_status (*send)(eg_channel *channel, uint32_t peer, eg_writer *message);
    /** The next message, or *have = false. Also keeps earlier sends moving. */
    eg_status (*receive)(eg_channel *channel, eg_packet *out, bool *have);
    /** Waits, at most so long; returns earlier when a message arrives if the channel can tell. */
    void (*wait)(eg_channel *channel, double seconds);
    /** True while messages sent from this end are still on their way out. */
    bool (*sending)(eg_channel *channel);
    /** Has the silent `peer` ceased to exist? Where that cannot be seen, `overdue` decides. */
    bool (*gone)(const eg_channel *channel, uint32_t peer, bool overdue);
    void (*close)(eg_channel *channel);
} eg_channel_kind;

struct eg_channel {
    const eg_channel_kind *kind;
};

/** Both ends of a queue between two threads; each end closes its own, in any order. peer is always
 * 0. */
eg_status eg_queue_create(eg_channel **one, eg_channel **other) EG_WARN_UNUSED;

/** This rank's end of MPI; peer is the other's rank. Borrows the world. */
eg_status eg_mpi_channel_create(eg_channel **out, struct eg_world *world) EG_WARN_UNUSED;

#endif
