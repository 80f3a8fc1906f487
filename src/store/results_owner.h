/** Results with what the public structure does not show: the texts they point to. */
#ifndef ENGRAM_STORE_RESULTS_OWNER_H
#define ENGRAM_STORE_RESULTS_OWNER_H

#include "engram/store.h"
#include "store/string_pool.h"

typedef struct eg_results_owner {
    eg_results results;  /**< first, so that eg_results_free finds the owner */
    eg_string_pool pool; /**< every text in `results` */
    char *empty;         /**< "" */
    size_t warning_capacity, session_capacity;
} eg_results_owner;

eg_status eg_results_owner_create(eg_results_owner **out) EG_WARN_UNUSED;
/** Adds a formatted warning. */
eg_status eg_results_owner_warn(eg_results_owner *owner, const char *format, ...) EG_WARN_UNUSED
    EG_PRINTF(2, 3);
eg_status eg_results_owner_add_session(eg_results_owner *owner, const char *text) EG_WARN_UNUSED;

/** The declaration called `name`, or NULL. */
const eg_stored_variable *eg_stored_find(const eg_results *results, const char *name);

/** Where value `i` of an array stands in one of larger extents (the result file pads with NaN). */
size_t eg_padded_index(const eg_array *array, const size_t *extent, size_t i);

/** How many trials have ended: done, diverged, failed. */
size_t eg_results_finished(const eg_results *results);
/** How many have results: those, and paused and stopped ones. */
size_t eg_results_with_results(const eg_results *results);

/** Warns if results come from more than one kind of processor, BLAS kernel or build: their last
 *  bits may then differ for no reason of the experiment. Needs the sessions. */
eg_status eg_results_owner_warn_mixed(eg_results_owner *owner) EG_WARN_UNUSED;

/** The same for data: one dataset (its settings) with different checksums. used [session_count]: it
 *  has results. */
eg_status eg_results_owner_warn_data(eg_results_owner *owner, const bool *used) EG_WARN_UNUSED;

/** The trial as the plan knows it. */
eg_plan_trial eg_result_planned(const eg_result *result);

/** Back to pending, as if it had never run. */
void eg_result_reset(eg_result *result, char *empty);

#endif
