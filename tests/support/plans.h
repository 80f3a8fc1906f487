/** Small helpers for tests of sweep files: plans from text, and what their points hold. */
#ifndef ENGRAM_TEST_PLANS_H
#define ENGRAM_TEST_PLANS_H

#include "engram/sweep.h"

/** Parses `text` as the file "t.yaml" with overrides up to the first NULL; fails the test if it is refused. */
eg_plan *eg_test_plan(const char *text, const char *const *overrides);

/** The status of parsing; the plan, if there is one, is released. */
eg_status eg_test_plan_status(const char *text, const char *const *overrides);

/** Value text of a setting at a point, "-" if the point has no such setting. */
const char *eg_test_value(const eg_plan *plan, size_t point, const char *name);

#define plan_of(text, ...) eg_test_plan((text), (const char *const[]){__VA_ARGS__, NULL})
#define plan_status(text, ...) eg_test_plan_status((text), (const char *const[]){__VA_ARGS__, NULL})

/** The values of `name` over all points, joined by spaces, must be `expected`. */
void eg_test_column(const eg_plan *plan, const char *name, const char *expected, const char *file,
                    int line);
#define assert_column(plan, name, expected)                                                        \
    eg_test_column((plan), (name), (expected), __FILE__, __LINE__)

#endif
