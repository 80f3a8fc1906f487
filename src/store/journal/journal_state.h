/** What a journal says, read from its first frame to its last: plan, trials, sessions. Records stay
 *  in the journal; the journal state knows where. A store applies every frame it writes to its
 *  journal state, so that a running sweep and a reader of its journal always agree. */
#ifndef ENGRAM_STORE_JOURNAL_STATE_H
#define ENGRAM_STORE_JOURNAL_STATE_H

#include "store/journal/journal.h"
#include "store/journal/journal_entries.h"
#include "store/results_owner.h"

/** What a trial had achieved when it was to be run again (REDO). It is shown until the trial has a
 *  new result. */
typedef struct eg_earlier {
    eg_result result;
    uint64_t frame;
} eg_earlier;

/** What is known of a trial besides its eg_result. */
typedef struct eg_trial_entry {
    uint64_t frame; /**< offset of the frame that holds its record, 0: no record */
    /** of the last such frame since it was last redone, also if the record counts no more because
     * the trial goes on, or went on and failed */
    uint64_t curves;
    uint32_t attempts;
    uint32_t losses; /**< workers lost while they ran it, since it was last redone */
    uint32_t pauses; /**< attempts that ended in a pause, likewise */
    uint32_t redone; /**< how often it was to be run again */
    size_t earlier; /**< place + 1 in the journal state's list; 0: none, or a new result is there */
} eg_trial_entry;

/** The longest extent that any record has along a dimension. */
typedef struct eg_extent {
    char *name; /**< of the pool */
    size_t length;
} eg_extent;

enum { EG_EXTENTS_MAX = 32 };

typedef struct eg_journal_state {
    eg_results_owner *owner;
    /** parallel to owner->results.trials: the plan's, then finished ones of older plans */
    eg_trial_entry *entries;
    eg_index ids;       /**< trial id -> index */
    size_t plan_trials; /**< trials of the plan, second stage included */
    size_t base_trials; /**< without the second stage */
    size_t plan_points;
    bool has_plan;
    uint64_t plan_hash;                /**< of the PLAN frame's payload */
    eg_extent extents[EG_EXTENTS_MAX]; /**< of every dimension of a declared variable */
    size_t extent_count;
    eg_session_image *sessions;
    size_t session_count, session_capacity;
    eg_earlier *earlier;
    size_t earlier_count, earlier_capacity;
    size_t repeated;        /**< results of trials that had one already; the first counts */
    eg_exchange *exchanges; /**< with a tuner, in order */
    size_t exchange_count, exchange_capacity;
} eg_journal_state;

/** Points that a tuner has suggested, and that the sweep asks for in all: as many, where there is
 *  no tuner. */
size_t eg_journal_state_suggested(const eg_journal_state *state);
size_t eg_journal_state_wanted(const eg_journal_state *state);

eg_status eg_journal_state_create(eg_journal_state **out) EG_WARN_UNUSED;
void eg_journal_state_free(eg_journal_state *state);

/** Takes in one frame. Errors: EG_INVALID if it makes no sense here, EG_MEMORY; the journal state
 *  is then good for nothing but eg_journal_state_free. */
eg_status eg_journal_state_apply(eg_journal_state *state, const eg_frame *frame) EG_WARN_UNUSED;

/** How a journal ended, and whether all before the end was sound. */
typedef struct eg_replay {
    bool torn;            /**< the last frame is incomplete … */
    uint64_t torn_at;     /**< … from this byte on */
    bool damaged;         /**< a bad stretch with valid frames behind it … */
    uint64_t damaged_at;  /**< … the first one begins here */
    uint64_t lost_bytes;  /**< … all of them together */
    size_t damaged_count; /**< … and how many there are */
    size_t spare_count; /**< bad stretches of which nothing is lost, because it was there twice … */
    uint64_t spare_at; /**< … the first one begins here */
    size_t frames;
    bool lost; /**< what remains has no meaning: header or plan are gone, with their copies */
} eg_replay;

/** Applies all frames of a journal. */
eg_status eg_journal_replay(eg_journal_state *state, eg_journal *journal,
                            eg_replay *replay) EG_WARN_UNUSED;

/** The record of a trial, read back from the journal (new; NULL if it has none). */
eg_status eg_journal_state_record(eg_record **out, const eg_journal_state *state,
                                  eg_journal *journal, size_t trial) EG_WARN_UNUSED;

/** The same from the frame at `offset`; NULL for offset 0. */
eg_status eg_journal_state_record_at(eg_record **out, const eg_journal_state *state,
                                     eg_journal *journal, uint64_t offset) EG_WARN_UNUSED;

/** EG_INVALID unless every array of `record` is a variable that the plan declared. */
eg_status eg_journal_state_declares(const eg_journal_state *state,
                                    const eg_record *record) EG_WARN_UNUSED;
/** Index of a declared dimension in `extents`, SIZE_MAX if there is none. */
size_t eg_journal_state_dimension(const eg_journal_state *state, const char *name);

/** Every trial of the plan is finished, skipped or stopped. */
bool eg_journal_state_complete(const eg_journal_state *state);

/** Trials that were running no longer are: their process has ended. */
void eg_journal_state_forget_running(eg_journal_state *state);

/** Shows, or hides again, the earlier results of trials that are being run again: exchanges them
 *  with where those trials stand now. Frames can be applied only while they are hidden. */
void eg_journal_state_exchange_earlier(eg_journal_state *state);

/** Completes the public part for a reader: session texts, warnings on mixed processors, earlier
 *  results shown. */
eg_status eg_journal_state_finish(eg_journal_state *state) EG_WARN_UNUSED;

/** The session a finished trial ran in, NULL if unknown. */
const eg_session_image *eg_journal_state_session(const eg_journal_state *state, size_t trial);

/** --- For the three journal_state*.c only ----------------------------------------------------- */

eg_status eg_journal_state_apply_plan(eg_journal_state *state, eg_reader *reader) EG_WARN_UNUSED;
eg_status eg_journal_state_apply_extend(eg_journal_state *state, eg_reader *reader) EG_WARN_UNUSED;
eg_status eg_journal_state_apply_started(eg_journal_state *state, eg_reader *reader) EG_WARN_UNUSED;
/** `offset`: of the frame. */
eg_status eg_journal_state_apply_result(eg_journal_state *state, eg_reader *reader,
                                        uint64_t offset) EG_WARN_UNUSED;
eg_status eg_journal_state_apply_skipped(eg_journal_state *state, eg_reader *reader) EG_WARN_UNUSED;
eg_status eg_journal_state_apply_redo(eg_journal_state *state, eg_reader *reader) EG_WARN_UNUSED;
eg_status eg_journal_state_apply_lost(eg_journal_state *state, eg_reader *reader) EG_WARN_UNUSED;

#endif
