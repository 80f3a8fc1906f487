/** The parts of a merge: journals to read, what plan they have together, which of them gives what.
 *
 *  Sources that describe the same sweep (equal PLAN frames but for the trials, as slices have) form
 *  a group, and their plan is the union of their trials. The group with the largest plan is the one
 *  that the merged file goes on with; the others, of earlier or later versions of the sweep, give
 *  what is finished. Frames are copied as they are, each trial's from one source: so attempts,
 *  times and sessions stay what they were. Everything is put into an order that depends on contents
 *  only. */
#ifndef ENGRAM_STORE_MERGE_H
#define ENGRAM_STORE_MERGE_H

#include "store/journal/journal.h"
#include "store/journal/journal_state.h"
#include "store/paths.h"
#include "store/string_pool.h"

/** A journal that takes part. */
typedef struct eg_merge_source {
    eg_paths paths;
    eg_journal journal;
    eg_journal_state *state;
    bool target;        /**< what the merged file holds already: stays, and is not copied */
    eg_writer base;     /**< payload of its last PLAN without the trials … */
    uint64_t base_hash; /**< … its hash … */
    double plan_time;   /**< … and the frame's time */
    bool older;         /**< it has PLANs with another base, too */
    uint64_t content;   /**< hash of all frames */
    double start;       /**< of its first session */
    size_t group;       /**< index of its group */
    bool *owned;        /**< [trials of the journal state] copied from here */
} eg_merge_source;

/** Opens and reads PATH's journal. *note (new text, or NULL): what the user should know about it:
 *  somebody is writing it, it is damaged. `scratch`: a name for a file that takes the place of a
 *  journal which lost its header or plan, and is gone at once; NULL: that is an error. Errors:
 *  EG_INVALID. Release with eg_merge_source_close, also after a failure. */
eg_status eg_merge_source_open(eg_merge_source *out, const char *path, const char *scratch,
                               char **note) EG_WARN_UNUSED;
void eg_merge_source_close(eg_merge_source *source);

/** The frames from the first on, once more; damaged stretches are skipped. */
void eg_merge_source_rewind(eg_merge_source *source);
eg_status eg_merge_source_next(eg_merge_source *source, eg_frame *frame, bool *have) EG_WARN_UNUSED;

/** Bytes of a PLAN's payload before its trials. */
eg_status eg_journal_plan_base_size(size_t *out, const eg_frame *plan) EG_WARN_UNUSED;

/** Sources with the same sweep, and the plan they have together. */
typedef struct eg_merge_group {
    const eg_merge_source *example; /**< one of them */
    eg_plan_trial *trials; /**< owned; (replicate, point) ascending, the second stage's behind */
    size_t trial_count, first_count;
    double time;            /**< of the earliest PLAN */
    eg_writer plan, extend; /**< payloads; the second is empty if there is no second stage */
} eg_merge_group;

typedef struct eg_merge_groups {
    eg_merge_group *items; /**< the one to go on with comes last */
    size_t count;
} eg_merge_groups;

/** Groups the sources, sorts both and checks that they belong together. Errors: EG_INVALID saying
 *  what differs. Release with eg_merge_groups_clear, also after a failure. */
eg_status eg_merge_groups_init(eg_merge_groups *out, eg_merge_source *sources,
                               size_t count) EG_WARN_UNUSED;
void eg_merge_groups_clear(eg_merge_groups *groups);

/** Decides which source gives each trial: one that finished it before one that failed, before one
 *  where it was stopped, paused, skipped, before one that only began; among equals the first.
 *  Errors: EG_INVALID naming trial and variable if two results disagree. */
eg_status eg_merge_owners(eg_merge_source *sources, size_t count) EG_WARN_UNUSED;

#endif
