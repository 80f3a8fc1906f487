/** How messages travel: one interface, two implementations (MPI, and a queue between two threads).
 *
 *  Messages between two ends arrive whole and in order. Nothing here blocks. */
#ifndef ENGRAM_SCHED_LINK_H
#define ENGRAM_SCHED_LINK_H

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

typedef struct eg_link eg_link;

typedef struct eg_link_kind {
    /** Sends the contents of `message` to `peer`; takes its memory, so that the writer is empty
     * afterwards, also after a failure. */
    eg_status (*send)(eg_link *link, uint32_t peer, eg_writer *message);
    /** The next message, or *have = false. Also keeps earlier sends moving. */
    eg_status (*receive)(eg_link *link, eg_packet *out, bool *have);
    /** Waits, at most so long; returns earlier when a message arrives if the link can tell. */
    void (*wait)(eg_link *link, double seconds);
    /** True while messages sent from this end are still on their way out. */
    bool (*sending)(eg_link *link);
    /** Has the silent `peer` ceased to exist? Where that cannot be seen, `overdue` decides. */
    bool (*gone)(const eg_link *link, uint32_t peer, bool overdue);
    void (*close)(eg_link *link);
} eg_link_kind;

struct eg_link {
    const eg_link_kind *kind;
};

/** Both ends of a queue between two threads; each end closes its own, in any order. peer is always
 * 0. */
eg_status eg_queue_create(eg_link **one, eg_link **other) EG_WARN_UNUSED;

/** This rank's end of MPI; peer is the other's rank. Borrows the world. */
eg_status eg_mpi_link_create(eg_link **out, struct eg_world *world) EG_WARN_UNUSED;

#endif
