/** The messages between scheduler and workers, and their binary form.
 *
 *      scheduler          worker
 *      HEARTBEAT     →                  opens the connection; carries the limits for silence
 *                    ←    READY
 *      WORK          →                  as many as it may hold
 *                    ←    PROGRESS      every heartbeat, and after every percent of a trial
 *      HEARTBEAT     →                  the answer: each side notices when the other is gone
 *                    ←    RESULT        of one piece of work; may be a pause
 *      ACK           →                  the results that are safe on disk now, several at once
 *      STOP          →
 *                    ←    INTERRUPTED   for each piece of work that it still had
 *      SHUTDOWN      →
 *                    ←    BYE           the last message of a worker
 *
 *  At any time a worker may send SIGNALLED (a signal asked its process to stop), NOTE (about the
 *  checkpoint or the weights of a trial) and REFUSED (its data or plug-ins are not those of the
 *  sweep, which ends the sweep).
 *
 *  A worker that was declared lost and is heard again is sent RESET. It drops all its work and
 *  answers READY; what it sent before that is ignored. A paused trial may be WORK again, for any
 *  worker. Work is named by trial and attempt number, so that an answer to an earlier attempt is
 *  told from the current one. Of an eg_attempt only these travel, and the times with RESULT: rank
 *  and host are the receiver's to fill in. */
#ifndef ENGRAM_SCHED_MESSAGE_H
#define ENGRAM_SCHED_MESSAGE_H

#include "engram/pack.h"
#include "engram/record.h"
#include "engram/sched.h"

/** Ranks of one job that run different builds notice it by this. */
enum { EG_PROTOCOL_VERSION = 8 };

typedef enum eg_message_kind {
    EG_MESSAGE_READY = 1,
    EG_MESSAGE_PROGRESS = 2,
    EG_MESSAGE_RESULT = 3,
    EG_MESSAGE_INTERRUPTED = 4,
    EG_MESSAGE_SIGNALLED = 5,
    EG_MESSAGE_BYE = 6,
    EG_MESSAGE_NOTE = 7,
    EG_MESSAGE_REFUSED = 8,
    EG_MESSAGE_WORK = 16,
    EG_MESSAGE_ACK = 17,
    EG_MESSAGE_HEARTBEAT = 18,
    EG_MESSAGE_STOP = 19,
    EG_MESSAGE_SHUTDOWN = 20,
    EG_MESSAGE_RESET = 21,
} eg_message_kind;

typedef struct eg_message {
    eg_message_kind kind;
    union {
        struct {
            const char *host;
            uint64_t pid;
        } ready;
        struct {
            bool working; /**< false: idle, the rest is zero */
            eg_attempt attempt;
            uint64_t step, steps;
        } progress;
        eg_work_result result;
        eg_attempt interrupted;
        struct {
            const eg_attempt *attempts;
            size_t count;
        } ack;
        struct {
            double heartbeat_seconds, silence_seconds; /**< as in eg_sched_options, not 0 */
        } heartbeat;
        uint32_t signal;    /**< SIGNALLED */
        const char *reason; /**< BYE: "" after a SHUTDOWN; REFUSED */
        eg_work work;
        eg_work_note note;
    } as;
    /* What a decoded message owns; the views above point here. All NULL in a message to be sent. */
    char *text[5];
    eg_record *record;
    eg_attempt *attempts;
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
