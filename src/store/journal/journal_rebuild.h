/** A journal out of two halves: the results file, and what is intact in a journal that lost its
 *  header or plan. */
#ifndef ENGRAM_STORE_JOURNAL_REBUILD_H
#define ENGRAM_STORE_JOURNAL_REBUILD_H

#include "store/journal/journal.h"
#include "store/results_owner.h"

#include "engram/pack.h"

/** Writes into `out`, which is open for writing and empty, the plan that `file` shows, every sound
 *  record of `damaged` that is about a trial of it, and the results that only `file` has, in the
 *  sessions they belong to. The same sweep goes on in it. What a stopping rule cut after the file
 *  was written is open again, for the rule to decide anew. Errors: EG_INVALID if the two do not fit
 *  together; EG_SYSTEM, EG_MEMORY. */
eg_status eg_journal_rebuild(eg_journal *out, eg_journal *damaged,
                             const eg_results *file) EG_WARN_UNUSED;

/** --- For store/journal/journal_rebuild.c only ------------------------------------------------ */

/** The payload of a PLAN of the first `points` points and the trials [count], with `text` as its
 *  sweep file. */
eg_status eg_journal_plan_write_stored(const eg_results *results, const char *text, size_t points,
                                       const eg_plan_trial *trials, size_t count,
                                       eg_writer *writer) EG_WARN_UNUSED;
/** The payload of the SESSION that a results file tells of as "key=value\n…"; *end and *why
 *  (eg_free) of its end, NaN if it has none. */
eg_status eg_session_write_stored(const char *text, eg_writer *writer, double *end,
                                  char **why) EG_WARN_UNUSED;

#endif
