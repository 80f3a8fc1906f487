/** What every rank does with the weights of a trial that are to be kept. */
#ifndef CLI_KEEP_WEIGHTS_H
#define CLI_KEEP_WEIGHTS_H

#include "engram/predictor.h"

/** eg_sched_options.keep_weights. */
eg_status eg_keep_weights(const char *path, uint32_t attempt,
                          const eg_predictor *predictor) EG_WARN_UNUSED;

#endif
