/** The arguments that say which sweep: sweep file, overrides, slice; and where its results go. */
#ifndef CLI_SWEEP_ARGUMENTS_H
#define CLI_SWEEP_ARGUMENTS_H

#include "cli/cli.h"
#include "engram/sweep.h"

#define EG_SLICE_DOC                                                                               \
    "Only part I of N of the sweep, I from 1 to N: for N jobs that share a sweep, each with a "    \
    "results file of its own, which `engram merge` joins. All parts cost about the same; the "     \
    "same I and N always give the same trials."

#define EG_REDO_DOC                                                                                \
    "Runs finished trials again: failed, diverged, timeout, all, status=NAME (done, diverged, "    \
    "failed, timeout), or id=HEX (the first digits of a trial id), or several of these "           \
    "separated by commas. Earlier results are shown until the new ones are there. To go on after " \
    "an interruption, "                                                                            \
    "leave it out: what is already done anew would be done once more."

/** Loads the plan that operands[0] (a sweep file), the overrides after it and the value of --slice
 *  (NULL: the whole sweep) describe. Errors: EG_INVALID. */
eg_status eg_sweep_arguments_plan(eg_plan **out, const eg_args *args,
                                  const char *slice) EG_WARN_UNUSED;

/** Where the plan's results go: the file that `given` (the value of --output) means; if it is NULL
 *  results/NAME.h5, for a slice results/NAME.IofN.h5. A new text. Errors: EG_INVALID for another
 *  ending than .h5. */
eg_status eg_sweep_arguments_path(char **out, const eg_plan *plan,
                                  const char *given) EG_WARN_UNUSED;

/** The same for a plan whose points a tuner suggests. */
eg_status eg_sweep_arguments_space(eg_plan **out, const eg_args *args) EG_WARN_UNUSED;

#endif
