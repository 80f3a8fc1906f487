/** What a trial leaves behind: how it ended, and named arrays over named dimensions. */
#ifndef ENGRAM_RECORD_H
#define ENGRAM_RECORD_H

#include "engram/pack.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** How a trial stands. Values are stored in files: never renumber. */
typedef enum eg_trial_status {
    EG_TRIAL_PENDING = 0,
    EG_TRIAL_RUNNING = 1,
    EG_TRIAL_DONE = 2,
    EG_TRIAL_DIVERGED = 3, /**< non-finite loss: a result, not an error */
    EG_TRIAL_FAILED = 4,   /**< an error of the system or the data; the message says which */
    EG_TRIAL_TIMEOUT = 5,  /**< it trained for longer than `max_seconds`: its curves end there */
    EG_TRIAL_SKIPPED = 6,  /**< cut by a stopping rule before it ran */
    EG_TRIAL_PAUSED = 7,   /**< ran up to an evaluation and waits for a stopping rule */
    EG_TRIAL_STOPPED = 8,  /**< cut by a stopping rule on its way: its curves end there */
} eg_trial_status;
#define EG_TRIAL_STATUS_COUNT 9

/** "pending" … "stopped"; NULL for a number that is no status. */
const char *eg_trial_status_name(eg_trial_status status);

/** What a status says, for everybody who asks:
 *
 *                  open  final  finished  cut  result  record
 *      pending      x
 *      running      x
 *      paused       x                                    x
 *      done                x       x              x      x
 *      diverged            x       x              x      x
 *      failed              x       x
 *      timeout             x       x                    x
 *      skipped             x               x
 *      stopped             x               x             x
 */
bool eg_trial_status_is_open(eg_trial_status status);     /**< it may still change by itself */
bool eg_trial_status_is_final(eg_trial_status status);    /**< not open */
bool eg_trial_status_is_finished(eg_trial_status status); /**< the trial ended by itself */
bool eg_trial_status_is_failure(eg_trial_status status);  /**< finished, but not with a result */
bool eg_trial_status_is_cut(eg_trial_status status);      /**< by a stopping rule */
bool eg_trial_status_is_result(eg_trial_status status);   /**< with all its curves */
bool eg_trial_status_has_record(eg_trial_status status);  /**< with curves, maybe not to the end */

enum { EG_RANK_MAX = 3, EG_VARIABLE_NAME_SIZE = 48 };

/** The declaration of a measured quantity. It belongs to whoever measures it: core, learner,
 * stream. */
typedef struct eg_variable {
    const char *name;              /**< "accuracy" */
    const char *dims[EG_RANK_MAX]; /**< after `trial`: "eval", "task", "layer"; unset at the end */
    bool wide;                     /**< stored as float64 (counts, times) and not float32 */
    const char *unit;              /**< "1" for ratios */
    const char *doc;               /**< long_name: one line with the formula */
    bool volatile_;                /**< differs between identical runs (times, memory) */
    /* Of scalars, by which points can be ranked: */
    const char *data;    /**< examples it is measured on, "test"; NULL: on none */
    bool less_is_better; /**< rankings show the least first */
    /** a diverged trial records what guessing scores, and counts with that; of every other
     * variable it has no value */
    bool chance_if_diverged;
} eg_variable;

size_t eg_variable_rank(const eg_variable *variable);

/** One measured quantity of one trial: row-major doubles, NaN where nothing was measured. */
typedef struct eg_array {
    char name[EG_VARIABLE_NAME_SIZE];
    bool wide;
    size_t rank; /**< 0: a scalar */
    size_t extent[EG_RANK_MAX];
    size_t count; /**< product of the extents */
    double *data; /**< owned by the record */
} eg_array;

typedef struct eg_record eg_record;

eg_status eg_record_create(eg_record **out) EG_WARN_UNUSED;
void eg_record_free(eg_record *record);

void eg_record_set_status(eg_record *record, eg_trial_status status, const char *message);
eg_trial_status eg_record_status(const eg_record *record);
const char *eg_record_message(const eg_record *record);

/** Adds an array of the given extents (NULL for a scalar), filled with NaN; *out is borrowed and
 * stays valid while the record lives. A name may be declared once. */
eg_status eg_record_declare(eg_record *record, const eg_variable *variable, const size_t *extent,
                            eg_array **out) EG_WARN_UNUSED;
/** Declares a scalar and sets it. */
eg_status eg_record_scalar(eg_record *record, const eg_variable *variable,
                           double value) EG_WARN_UNUSED;
const eg_array *eg_record_find(const eg_record *record, const char *name);
size_t eg_record_count(const eg_record *record);
const eg_array *eg_record_at(const eg_record *record, size_t index);
/** Place of the first value that differs, as files store it (float32 unless wide; NaN equals NaN),
 *  or 0 if the shapes differ; SIZE_MAX: nothing does. `b` NULL: it is missing. */
size_t eg_array_difference(const eg_array *a, const eg_array *b);
/** Value of a scalar, NaN if there is none. */
double eg_record_value(const eg_record *record, const char *name);

/** Binary form; values as float32 unless `wide`. */
void eg_record_write(const eg_record *record, eg_writer *writer);
eg_status eg_record_read(eg_record **out, eg_reader *reader) EG_WARN_UNUSED;

/** An array of a record in its binary form, whose values are not taken out. */
typedef struct eg_array_outline {
    char name[EG_VARIABLE_NAME_SIZE];
    bool wide;
    size_t rank, extent[EG_RANK_MAX];
    double first; /**< the first value; NaN if there is none */
} eg_array_outline;

/** Reads past a record, shows its arrays one by one and allocates nothing. Errors: as
 *  eg_record_read (but a name may be there twice), and what `visit` says. */
eg_status eg_record_skim(eg_reader *reader,
                         eg_status (*visit)(void *user, const eg_array_outline *array),
                         void *user) EG_WARN_UNUSED;

#endif
