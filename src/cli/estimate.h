/** How long a plan will take. */
#ifndef CLI_ESTIMATE_H
#define CLI_ESTIMATE_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>

/** Share of the measured matrix-multiplication rate that whole trials reach: small matrices, activations,
 *  optimizer and evaluation included. Measured on multilayer perceptrons of 200 and of 1000 units. */
#define EG_ESTIMATE_EFFICIENCY 0.8

typedef struct eg_estimate {
    char *path;        /**< of the results file that was looked for; owned */
    bool found;        /**< it exists and was read */
    size_t known;      /**< trials of the plan that are finished in it */
    size_t measured;   /**< of these, how many have a time */
    double probe_rate; /**< measured floating-point operations per second; 0: not measured */
    double rate;       /**< operations of the cost model per second of one core */
    double total_seconds, left_seconds; /**< of one core */
} eg_estimate;

/** `path`: NULL for the default. Release with eg_estimate_clear, also after a failure. */
eg_status eg_estimate_make(eg_estimate *out, const eg_plan *plan, const char *path) EG_WARN_UNUSED;
void eg_estimate_clear(eg_estimate *estimate);

#endif
