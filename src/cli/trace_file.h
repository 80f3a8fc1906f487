/** The file of `engram train --trace`: one line for every minibatch, with its loss and the examples
 *  in it. */
#ifndef CLI_TRACE_FILE_H
#define CLI_TRACE_FILE_H

#include "cli/text_file.h"
#include "engram/trial.h"

/** As eg_text_file_open. */
eg_status eg_trace_open(eg_text_file *out, const char *path) EG_WARN_UNUSED;
/** eg_trial_options.trace, with the eg_text_file as its user. EG_SYSTEM if it cannot be written. */
eg_status eg_trace_step(void *file, const eg_traced_step *step);

#endif
