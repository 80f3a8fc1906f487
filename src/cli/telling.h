/** Which swept settings are worth a column: those that take more than one value. A parameter that merely
 *  exists where its component was chosen, with the same value everywhere, tells nothing. */
#ifndef CLI_TELLING_H
#define CLI_TELLING_H

#include "engram/status.h"
#include "engram/store.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>

/** Indices into plan->swept. Release *out with eg_free. */
eg_status eg_telling_of_plan(size_t **out, size_t *count, const eg_plan *plan) EG_WARN_UNUSED;

/** Indices into results->columns; `all`: every swept one. Release *out with eg_free. */
eg_status eg_telling_of_results(size_t **out, size_t *count, const eg_results *results,
                                bool all) EG_WARN_UNUSED;

#endif
