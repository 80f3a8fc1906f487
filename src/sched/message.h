/** What the scheduler and its workers say to each other, and its binary form.
 *
 *  A conversation: scheduler ALIVE, with the rules for staying in touch → worker READY; scheduler WORK → worker RESULT (or INTERRUPTED
 *  after a STOP) → scheduler ACK once the result is safe on disk (one for all that became so together). A result may be a pause: the trial got
 * as far as it may for now, and may be WORK again, for anybody. A worker sends PROGRESS at least
 * every heartbeat, and when its trial is a percent further, answered by ALIVE, so that each side notices when the other is gone. SIGNALLED
 * tells the scheduler that a worker was asked to stop, NOTE what became of a trial's checkpoint or weights, REFUSED that nothing may be
 * run with the worker's data, which ends the sweep. A worker that
 * was taken for lost and speaks again is told RECALL: it drops all it has, answers READY, and only then counts
 * again; everything it said before that is ignored. LEAVE ends the work, answered by LEFT, the
 * last message of a worker. Work is named by (ticket, attempt), so that an answer to an earlier
 * attempt can be told from the current one. */
#ifndef ENGRAM_SCHED_MESSAGE_H
#define ENGRAM_SCHED_MESSAGE_H

#include "engram/pack.h"
#include "engram/record.h"
#include "engram/sched.h"

/** Ranks of one job that run different builds notice it by this. */
enum { EG_PROTOCOL_VERSION = 7 };

typedef enum eg_message_kind {
    EG_MESSAGE_READY = 1,
    EG_MESSAGE_PROGRESS = 2,
    EG_MESSAGE_RESULT = 3,
    EG_MESSAGE_INTERRUPTED = 4,
    EG_MESSAGE_SIGNALLED = 5,
    EG_MESSAGE_LEFT = 6,
    EG_MESSAGE_NOTE = 7,
    EG_MESSAGE_REFUSED = 8,
    EG_MESSAGE_WORK = 16,
    EG_MESSAGE_ACK = 17,
    EG_MESSAGE_ALIVE = 18,
    EG_MESSAGE_STOP = 19,
    EG_MESSAGE_LEAVE = 20,
    EG_MESSAGE_RECALL = 21,
} eg_message_kind;

/** One attempt at one piece of work. */
typedef struct eg_task {
    uint64_t ticket;
    uint32_t attempt;
} eg_task;

typedef struct eg_message {
    eg_message_kind kind;
    union {
        struct {
            const char *host;
            uint64_t pid;
        } ready;
        struct {
            bool working; /**< false: idle, the rest is zero */
            eg_task task;
            uint64_t step, steps;
        } progress;
        eg_work_result result; /**< RESULT; rank and host are the receiver's to fill in */
        eg_task task;          /**< INTERRUPTED */
        struct {
            const eg_task *tasks;
            size_t count;
        } ack;
        struct {
            double heartbeat_seconds, silence_seconds; /**< as in eg_sched_options, not 0 */
        } alive;
        uint32_t signal;    /**< SIGNALLED */
        const char *reason; /**< LEFT: "" after a LEAVE; REFUSED */
        eg_work work;       /**< WORK */
        eg_work_note note;  /**< NOTE; rank and host are the receiver's to fill in */
    } as;
    /* What a decoded message owns; the views above point here. All NULL in a message to be sent. */
    char *text[4];
    eg_record *record;
    eg_task *tasks;
} eg_message;

/** Replaces the contents of `writer` by the message. Errors: EG_MEMORY. */
eg_status eg_message_encode(const eg_message *message, eg_writer *writer) EG_WARN_UNUSED;

/** Errors: EG_INVALID for any damage, EG_MEMORY; then *out needs no clearing. Release with
 *  eg_message_clear. */
eg_status eg_message_decode(eg_message *out, const void *data, size_t size) EG_WARN_UNUSED;

void eg_message_clear(eg_message *message);

/** Fills in the checksum of an encoded message whose body was changed in place (size >= 4). */
void eg_message_set_checksum(unsigned char *data, size_t size);

#endif
