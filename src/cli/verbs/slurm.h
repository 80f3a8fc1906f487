/** What `engram slurm` and the job it submits share. */
#ifndef CLI_SLURM_H
#define CLI_SLURM_H

#include "cli/cli.h"
#include "cli/command.h"
#include "engram/sweep.h"

/** Which sweep, and where its results go. */
typedef struct eg_slurm_sweep {
    eg_command arguments; /**< the sweep file and name=value */
    const char *output;   /**< value of -o after them; NULL: not given. Borrowed */
} eg_slurm_sweep;

/** Sorts the arguments of a verb of Slurm's. Only -o FILE and name=value may follow the sweep
 *  file: a job that goes back into the queue would do anything else again. Release with
 *  eg_slurm_sweep_clear, also after a failure. */
eg_status eg_slurm_sweep_read(eg_slurm_sweep *out, const eg_args *args) EG_WARN_UNUSED;
void eg_slurm_sweep_clear(eg_slurm_sweep *sweep);

/** Slice `slice` of `slices` (0: the whole sweep): its plan, and the name of its results file.
 *  Both are the caller's to free. */
eg_status eg_slurm_sweep_plan(eg_plan **plan, char **results, const eg_slurm_sweep *sweep,
                              size_t slice, size_t slices) EG_WARN_UNUSED;

/** Trials of the plan that are finished in the file. */
eg_status eg_slurm_count_finished(size_t *out, const eg_plan *plan,
                                  const char *results) EG_WARN_UNUSED;

/** The cores of the smallest node of the partition (NULL: the default one): hardware threads
 *  beyond them gain nothing here. */
eg_status eg_slurm_smallest_node(unsigned long *cores, const char *partition) EG_WARN_UNUSED;

/** One line "#SBATCH --name=value" of a batch script. */
typedef struct eg_directive {
    char *name;  /**< with its dashes; owned */
    char *value; /**< owned; NULL: --name alone */
} eg_directive;

enum { EG_DIRECTIVES_MAX = 64 };

typedef struct eg_slurm_script {
    eg_directive directives[EG_DIRECTIVES_MAX];
    size_t count;
    eg_command command; /**< what the job runs; owned */
} eg_slurm_script;

/** Adds a directive, or replaces the one of that name. `value`: NULL for a name alone. */
eg_status eg_slurm_script_set(eg_slurm_script *script, const char *name,
                              const char *value) EG_WARN_UNUSED;
/** The text of the batch script, new. */
eg_status eg_slurm_script_text(char **out, const eg_slurm_script *script) EG_WARN_UNUSED;
void eg_slurm_script_clear(eg_slurm_script *script);

#endif
