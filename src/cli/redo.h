/** The words of --redo: which finished trials run again. */
#ifndef CLI_REDO_H
#define CLI_REDO_H

#include "engram/record.h"
#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>

#define EG_REDO_DOC                                                                                \
    "Runs finished trials again: failed, diverged, all, status=NAME (done, diverged, failed), or " \
    "id=HEX (the first digits of a trial id), or several of these "                                \
    "separated by commas. Earlier results are shown until the new ones are there. To go on after " \
    "an interruption, "                                                                            \
    "leave it out: what is already done anew would be done once more."

/** EG_INVALID, naming the word, unless every word of the list is known. */
eg_status eg_redo_check(const char *words) EG_WARN_UNUSED;

/** Whether a word names the trial, which has the given status; used [words], if not NULL, remembers which words
 *  named any. `words` NULL: none. */
bool eg_redo_names(const char *words, const eg_plan_trial *trial, eg_trial_status status,
                   bool *used);

/** EG_INVALID if an id=HEX named no trial. */
eg_status eg_redo_check_used(const char *words, const bool *used) EG_WARN_UNUSED;

#endif
