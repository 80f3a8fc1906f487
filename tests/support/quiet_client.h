/** A client of the scheduler that keeps nothing. Whoever needs more replaces that callback. */
#ifndef ENGRAM_TEST_QUIET_CLIENT_H
#define ENGRAM_TEST_QUIET_CLIENT_H

#include "engram/sched.h"

/** Of all callbacks but `next`, which is the caller's: those that hear of a loss, or of a trial that is not done,
 *  fail with its words; no mean is known; the others do nothing. */
eg_sched_client eg_test_quiet_client(void *user,
                                     eg_status (*next)(void *user, eg_work *out, bool *have));

#endif
