/** What a journal says, read from its first frame to its last: plan, trials, sessions. Records stay
 *  in the journal; the book knows where. A store applies every frame it writes to its book, so that
 *  a running sweep and a reader of its journal always agree. */
#ifndef ENGRAM_STORE_BOOK_H
#define ENGRAM_STORE_BOOK_H

#include "store/box.h"
#include "store/journal.h"
#include "store/journal_entries.h"

/** What a trial had achieved when it was to be run again (REDO). It is shown until the trial has a new result. */
typedef struct eg_earlier {
    eg_result result;
    uint64_t frame;
} eg_earlier;

/** What is known of a trial besides its eg_result. */
typedef struct eg_page {
    uint64_t frame; /**< offset of the frame that holds its record, 0: no record */
    uint64_t
        curves; /**< of the last such frame since it was last redone, also if the record counts no more
                        because the trial goes on, or went on and failed */
    uint32_t attempts;
    uint32_t losses; /**< workers lost while they ran it, since it was last redone */
    uint32_t pauses; /**< attempts that ended in a pause, likewise */
    uint32_t redone; /**< how often it was to be run again */
    size_t earlier;  /**< place + 1 in the book's list; 0: none, or a new result is there */
} eg_page;

/** The longest extent that any record has along a dimension. */
typedef struct eg_extent {
    char *name; /**< of the pool */
    size_t length;
} eg_extent;

enum { EG_EXTENTS_MAX = 32 };

typedef struct eg_book {
    eg_box *box;
    eg_page
        *pages;   /**< beside box->results.trials: the plan's, then finished ones of older plans */
    eg_index ids; /**< trial id -> index */
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
    size_t repeated; /**< results of trials that had one already; the first counts */
} eg_book;

eg_status eg_book_create(eg_book **out) EG_WARN_UNUSED;
void eg_book_free(eg_book *book);

/** Takes in one frame. Errors: EG_INVALID if it makes no sense here, EG_MEMORY; the book is then
 * good for nothing but eg_book_free. */
eg_status eg_book_apply(eg_book *book, const eg_frame *frame) EG_WARN_UNUSED;

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
eg_status eg_book_replay(eg_book *book, eg_journal *journal, eg_replay *replay) EG_WARN_UNUSED;

/** The record of a trial, read back from the journal (new; NULL if it has none). */
eg_status eg_book_record(eg_record **out, const eg_book *book, eg_journal *journal,
                         size_t trial) EG_WARN_UNUSED;

/** The same from the frame at `offset`; NULL for offset 0. */
eg_status eg_book_record_at(eg_record **out, const eg_book *book, eg_journal *journal,
                            uint64_t offset) EG_WARN_UNUSED;

/** EG_INVALID unless every array of `record` is a variable that the plan declared. */
eg_status eg_book_declares(const eg_book *book, const eg_record *record) EG_WARN_UNUSED;
/** Index of a declared dimension in `extents`, SIZE_MAX if there is none. */
size_t eg_book_dimension(const eg_book *book, const char *name);

/** Every trial of the plan is finished, skipped or stopped. */
bool eg_book_complete(const eg_book *book);

/** Trials that were running no longer are: their process has ended. */
void eg_book_forget_running(eg_book *book);

/** Shows, or hides again, the earlier results of trials that are being run again: exchanges them with where those
 *  trials stand now. Frames can be applied only while they are hidden. */
void eg_book_exchange_earlier(eg_book *book);

/** Completes the public part for a reader: session texts, warnings on mixed processors, earlier results shown. */
eg_status eg_book_finish(eg_book *book) EG_WARN_UNUSED;

/** The session a finished trial ran in, NULL if unknown. */
const eg_session_image *eg_book_session(const eg_book *book, size_t trial);

/** --- For store/book_plan.c and store/book.c only ----------------------------------------------- */

eg_status eg_book_apply_plan(eg_book *book, eg_reader *reader) EG_WARN_UNUSED;
eg_status eg_book_apply_extend(eg_book *book, eg_reader *reader) EG_WARN_UNUSED;

#endif
