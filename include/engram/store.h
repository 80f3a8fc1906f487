/** Results on disk: an append-only journal that is the truth, and the HDF5 file made from it. */
#ifndef ENGRAM_STORE_H
#define ENGRAM_STORE_H

#include "engram/attempt.h"
#include "engram/record.h"
#include "engram/status.h"
#include "engram/sweep.h"

#include <stddef.h>
#include <stdint.h>

/** The results file that PATH means, everywhere in this header: NAME.h5, also given as NAME.journal
 *  or, if NAME has no dot, as NAME alone. A new string. EG_INVALID: another ending. */
eg_status eg_store_file(char **out, const char *path) EG_WARN_UNUSED;

/** What was said to a tuner: a line of JSON, and the line that it answered, "" where none was
 *  due. */
typedef struct eg_exchange {
    const char *sent, *answer;
    size_t suggested; /**< points in the answer */
    size_t wanted;    /**< points that the sweep asks for in all */
} eg_exchange;

/** One run of the command, as written to the journal. */
typedef struct eg_session {
    const char *command;   /**< command line */
    const char *version;   /**< generator version */
    const char *build;     /**< compiler and flags */
    const char *blas_core; /**< eg_blas_core() */
    const char *blas;      /**< eg_blas_config(), and the kernels of convolutions */
    const char *processor;
    const char *environment; /**< "NAME=value\n…": batch system, MPI */
    /** "SETTINGS=CHECKSUM\n…" of the datasets that trials of this run may use (SETTINGS: those of
     *  the dataset that can change results); NULL: none. */
    const char *data;
    /** "SETTINGS=VOCABULARY\n…" of those that are texts, one line each (eg_dataset_vocabulary);
     *  NULL: none. */
    const char *vocabularies;
    bool accept_data; /**< also if the results so far were made with other data */
    uint32_t ranks;
    double time; /**< seconds since 1970 */
    /** [exchange_count] that were made for the plan's points since the file was read */
    const eg_exchange *exchanges;
    size_t exchange_count;
} eg_session;

/** A results file being written. One writer at a time. */
typedef struct eg_store eg_store;

/** Opens PATH (NAME.h5; the journal is NAME.journal beside it) for a sweep, creating it if there is
 *  none. Existing results are read: outcomes [plan->trial_count] receives the status and objective
 *  of every plan trial (running ones become pending, or paused if they were before), and what
 *  eg_plan_measure says of their curves. Errors, EG_INVALID: the file belongs to another sweep
 *  (says what differs) or was made with other data; the directory does not exist or is not
 *  writable; another process is writing (says host, pid); PATH is something else. Nothing is
 *  written before all checks passed. */
eg_status eg_store_open(eg_store **out, const char *path, const eg_plan *plan,
                        const eg_session *session, eg_outcome *outcomes) EG_WARN_UNUSED;
/** What eg_store_open would say of the same arguments, without writing anything: its errors, and in
 *  *writer who is writing to the file now, "host pid" (a new text; NULL: nobody), which would be
 *  another. */
eg_status eg_store_check_open(char **writer, const char *path, const eg_plan *plan) EG_WARN_UNUSED;
/** What changed in the sweep since the file's last run: "4 of its 12 trials are new; …"; "" if
 *  nothing did. Lives as long as the store. */
const char *eg_store_change(const eg_store *store);
/** Where the old journal is, if it was damaged in a part that is there twice and so was written
 *  anew; NULL otherwise. Lives as long as the store. */
const char *eg_store_kept(const eg_store *store);
/** The plan grew (second stage): writes the new trials; `outcomes` grows to the new count. */
eg_status eg_store_extend(eg_store *store, const eg_plan *plan,
                          eg_outcome *outcomes) EG_WARN_UNUSED;
/** NAME.checkpoints beside PATH (NAME.h5): the directory for what running trials save of
 *  themselves; a new string. Nothing is made or opened. */
eg_status eg_store_checkpoint_directory(char **out, const char *path) EG_WARN_UNUSED;
/** NAME.weights beside PATH: the directory for what trials have learned; the same. */
eg_status eg_store_weights_directory(char **out, const char *path) EG_WARN_UNUSED;
/** The exchange that comes next. */
eg_status eg_store_exchanged(eg_store *store, const eg_exchange *exchange) EG_WARN_UNUSED;
/** The plan has new points: writes it, and what rules have cut once more. `outcomes` grows by those
 *  of the new trials, from `first` on. No trial may be running. */
eg_status eg_store_grow(eg_store *store, const eg_plan *plan, eg_outcome *outcomes,
                        size_t first) EG_WARN_UNUSED;
/** What a journal says of exchanges; its texts belong to it. */
typedef struct eg_exchanges {
    eg_exchange *items; /**< [count] in order */
    size_t count;
    bool begun;  /**< there is a journal, and a plan in it */
    void *owner; /**< of the texts */
} eg_exchanges;
/** The exchanges in the journal of PATH; none if there is no journal. Only reads. Release with
 *  eg_exchanges_clear, also after a failure. */
eg_status eg_store_exchanges(eg_exchanges *out, const char *path) EG_WARN_UNUSED;
void eg_exchanges_clear(eg_exchanges *exchanges);

/** Index of the plan's trial with this id; SIZE_MAX: the plan has none. */
size_t eg_store_find(const eg_store *store, uint64_t id);
/** Attempts made so far at a trial. */
uint32_t eg_store_attempts(const eg_store *store, size_t trial);
/** `attempt`, here and below: of a trial of the plan; its host may be NULL. */
eg_status eg_store_started(eg_store *store, const eg_attempt *attempt) EG_WARN_UNUSED;
/** Appends a result, or what a paused trial has so far; it is safe on disk after the next
 *  eg_store_commit. `record` NULL: failed, with `message`. */
eg_status eg_store_finished(eg_store *store, const eg_attempt *attempt, eg_trial_status status,
                            const char *message, const eg_record *record) EG_WARN_UNUSED;
/** Forces everything appended so far to disk. After a failure nobody knows what is there, and the
 * journal takes no more. */
eg_status eg_store_commit(eg_store *store) EG_WARN_UNUSED;
/** False after the journal was found to have been removed, replaced or changed by somebody else.
 *  The failure that found it said where the results are; nothing more can be written. */
bool eg_store_has_journal(const eg_store *store);
/** The worker that held a trial is lost: the trial is pending again, or paused if it was.
 *  `was_running`: it counts against the trial (eg_store_losses); otherwise it only waited there for
 *  its turn. */
eg_status eg_store_lost(eg_store *store, const eg_attempt *attempt, bool was_running,
                        const char *why) EG_WARN_UNUSED;
/** Workers that were lost while they ran a trial, in all runs of the command since it was last
 *  redone. */
uint32_t eg_store_losses(const eg_store *store, size_t trial);
/** A rule cut the trial: a paused one is stopped and keeps its curves, another one skipped. */
eg_status eg_store_skipped(eg_store *store, size_t trial, const char *why) EG_WARN_UNUSED;
/** Makes a trial run again (--redo). Its earlier result is what readers show until it has a new one
 *  that did not fail; in the journal it stays. Safe on disk after the next eg_store_commit. */
eg_status eg_store_redo(eg_store *store, size_t trial) EG_WARN_UNUSED;
/** What a trial that runs again recorded before (new; NULL: it does not run again, or recorded
 *  nothing). */
eg_status eg_store_earlier(eg_record **out, eg_store *store, size_t trial) EG_WARN_UNUSED;
/** Writes the HDF5 file from what is known now: temporary name, fsync, rename. */
eg_status eg_store_publish(eg_store *store, bool complete) EG_WARN_UNUSED;
/** Publishes if the journal grew and enough time passed for it to cost at most `share` of the time.
 */
eg_status eg_store_publish_if_due(eg_store *store, double share) EG_WARN_UNUSED;
/** Writes to the journal that this run of the command ends: no trial is running from now on, and a
 *  results file published afterwards says so. `why`: "done", "stopped", …. */
eg_status eg_store_end(eg_store *store, const char *why) EG_WARN_UNUSED;
/** Ends the run if eg_store_end has not, and releases the lock. */
eg_status eg_store_close(eg_store *store, const char *why) EG_WARN_UNUSED;

/** --- Reading -----------------------------------------------------------------------------------
 */

/** One trial as found in a results file. */
typedef struct eg_result {
    eg_attempt attempt; /**< the latest; its trial is this one, its host the results' */
    uint32_t point, replicate;
    uint64_t seed;
    eg_trial_status status;
    /** Workers lost while they ran it, since it was last redone; 0 without a journal. */
    uint32_t losses;
    uint32_t pauses; /**< attempts that ended in a pause, since it was last redone */
    char *message;   /**< of the results; "" when there is none */
    eg_stage stage;
    double objective;
    double reported;   /**< the objective's variable as recorded, on test data */
    size_t session;    /**< index into eg_results.sessions: the run it finished in; SIZE_MAX */
    eg_record *record; /**< NULL unless done, diverged, paused or stopped */
} eg_result;

/** A column: one setting over all trials. */
typedef struct eg_column {
    char *name;   /**< dotted */
    uint8_t type; /**< eg_type */
    char *unit, *doc;
    bool swept;
    char *
        *text; /**< [point_count] canonical text; NULL where the point does not have the setting */
} eg_column;

/** A declared variable, as stored. */
typedef struct eg_stored_variable {
    char *name;
    size_t rank;
    char *dims[EG_RANK_MAX];
    bool wide, volatile_;
    char *unit, *doc;
} eg_stored_variable;

typedef struct eg_results {
    char *name, *doc, *text, *overrides, *objective;
    bool maximise, complete;
    double created;
    eg_column *columns;
    size_t column_count, point_count;
    eg_result *trials;
    size_t trial_count;
    eg_stored_variable *variables;
    size_t variable_count;
    double last_activity; /**< time of the newest journal record */
    char *writer;         /**< "host pid" of the process writing now, NULL if none */
    char **warnings;      /**< e.g. torn tail cut, several processor kinds mixed */
    size_t warning_count;
    /** provenance of all sessions, as "key=value\n…" texts */
    char **sessions;
    size_t session_count;
} eg_results;

/** How the plan's trials stand in the file at PATH, as eg_store_open would say; all pending if
 *  there is no journal. Only reads. */
eg_status eg_store_look(eg_outcome *outcomes, const char *path, const eg_plan *plan) EG_WARN_UNUSED;

/** Whether a sweep has begun into the file at PATH, so that it can be loaded: the journal holds its
 *  plan, or there is only the HDF5 file. */
eg_status eg_results_begun(bool *out, const char *path) EG_WARN_UNUSED;

/** The trials of the plan in the journal of PATH, second stage included (eg_free); none if there is
 *  no journal. Only reads. */
eg_status eg_store_trials(eg_plan_trial **out, size_t *count, const char *path) EG_WARN_UNUSED;

/** Loads NAME.h5 or NAME.journal: the journal if there is one, else the HDF5 file. That one also,
 *  with a warning, if the journal lost its header or plan and it has results. */
eg_status eg_results_load(eg_results **out, const char *path) EG_WARN_UNUSED;
/** The same for who needs no curves: records only of trials that a rule stopped on their way. */
eg_status eg_results_load_brief(eg_results **out, const char *path) EG_WARN_UNUSED;
void eg_results_free(eg_results *results);

/** EG_INVALID if results are at `path`, whatever they are called there, or if it has a name that
 *  only they have (NAME.h5, NAME.journal): no other output may go there. */
eg_status eg_store_is_no_results(const char *path) EG_WARN_UNUSED;

/** Writes a journal anew whose header or plan are damaged: from their copies, or, where both are,
 *  from the results file and every record that is intact. The old one stays beside it, *kept
 *  (eg_free); NULL if there was nothing to repair, or nothing to repair it from. Errors: EG_INVALID
 *  if somebody is writing it; EG_SYSTEM, EG_MEMORY. */
eg_status eg_store_repair(char **kept, const char *path) EG_WARN_UNUSED;

/** (Re)builds the HDF5 file from the journal; any process, any time. */
eg_status eg_store_collect(const char *path) EG_WARN_UNUSED;

/** Joins results files of one sweep: slices, copies that went on in different places, earlier and
 *  later versions. OUT (NAME.h5 with a journal of its own, so that it can be continued) gets every
 *  trial of `files` [count]; if it exists it gets what it lacks. For a new OUT the bytes do not
 *  depend on the order of `files`. A trial comes, with its attempts and their sessions, from a file
 *  that finished it, else from one where it failed, else where it began. *notes (eg_free): a
 *  sentence a line on files that are being written or damaged. Errors, EG_INVALID, nothing is
 *  written: two files have different results for a trial (names trial and variable); they are of
 *  different sweeps (says what differs); one has no journal; as for eg_store_open. */
eg_status eg_store_merge(char **notes, const char *out, const char *const *files,
                         size_t count) EG_WARN_UNUSED;

/** Checks journal and result file. Fills a report (one finding per line; owned by the caller,
 * eg_free); *sound is false if anything is damaged. */
eg_status eg_store_check(char **report, bool *sound, const char *path) EG_WARN_UNUSED;

#endif
