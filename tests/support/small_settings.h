/** Settings of a test: what all of its cases have, and more. */
#ifndef ENGRAM_SMALL_SETTINGS_H
#define ENGRAM_SMALL_SETTINGS_H

#include "testing.h"

#include "engram/trial.h"

/** `more`: "name", "value", …, NULL; they stand in place of those of `small` [count]. */
static inline eg_settings *small_settings(const eg_assignment *small, size_t count,
                                          const char *const *more)
{
    enum { ASSIGNMENTS_MAX = 32 };
    eg_assignment all[ASSIGNMENTS_MAX];
    size_t used = 0;
    assert_true(count <= ASSIGNMENTS_MAX);
    for (; used < count; used++) {
        all[used] = small[used];
    }
    for (size_t i = 0; more[i] != NULL; i += 2) {
        assert_true(used < ASSIGNMENTS_MAX);
        all[used++] = (eg_assignment){.name = more[i], .value = more[i + 1]};
    }
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, used));
    return settings;
}

#endif
