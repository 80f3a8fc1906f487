/** Small helpers for tests of results: a sweep without training, records with known values. */
#ifndef ENGRAM_TEST_STORES_H
#define ENGRAM_TEST_STORES_H

#include "engram/store.h"

/** Two points that differ in the learning rate and the activation, three seeds: six trials. */
extern const char *const eg_test_sweep;
/** A session of a made-up machine. */
extern const eg_session eg_test_session;

/** DIRECTORY/NAME, in one of sixteen static buffers. */
const char *eg_test_path(const char *directory, const char *name);
/** Fixtures: a test has a directory of its own, whose path this is, and afterwards it is gone, and allocations
 *  that were made to fail succeed again. */
extern char eg_test_place[64];
int eg_test_enter(void **state);
int eg_test_leave(void **state);

/** Made-up values of all variables that the trial records; some are NaN, and extents differ between
 * trials. */
eg_record *eg_test_record(const eg_plan *plan, size_t trial);

/** How the made-up trial ends: 4 diverges, 5 fails, the others are done. */
eg_trial_status eg_test_status(size_t trial);
/** `like`, but of this trial of the plan; good until the next call. */
const eg_attempt *eg_test_attempt(const eg_attempt *like, const eg_plan *plan, size_t trial);
eg_status eg_test_finish(eg_store *store, const eg_plan *plan, size_t trial) EG_WARN_UNUSED;
/** Opens a store, finishes the trials from … to-1, closes it again. */
void eg_test_run(const char *path, const eg_plan *plan, size_t from, size_t to);

/** The trial is as eg_test_finish left it. `padded`: arrays may be longer, with NaN behind. */
void eg_test_compare(const eg_plan *plan, size_t trial, const eg_result *result, bool padded);

/** The results at PATH, which must load. */
eg_results *eg_test_load(const char *path);
/** The column of the setting NAME, which must exist. */
const eg_column *eg_test_stored_column(const eg_results *results, const char *name);

/** The result with the id of a trial of the plan. */
const eg_result *eg_test_find(const eg_results *results, const eg_plan *plan, size_t trial);

/** A file's bytes (eg_free). */
unsigned char *eg_test_read_file(const char *path, size_t *size);

#endif
