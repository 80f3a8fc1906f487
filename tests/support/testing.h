/** What every test file needs on top of cmocka, whose four standard headers must come first. */
#ifndef ENGRAM_TESTING_H
#define ENGRAM_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engram/status.h"

/** Fails with the status's own words unless it is EG_OK. */
#define assert_ok(call) eg_test_ok((call), #call, __FILE__, __LINE__)
void eg_test_ok(eg_status status, const char *what, const char *file, int line);

/** Fails unless the status has this code and its message contains `part`. */
#define assert_fails(call, code, part)                                                             \
    eg_test_fails((call), (code), (part), #call, __FILE__, __LINE__)
void eg_test_fails(eg_status status, eg_code code, const char *part, const char *what,
                   const char *file, int line);

/** |a - b| <= tolerance * max(1, |b|) in double (cmocka's own comparison casts to float). */
#define assert_close(a, b, tolerance) eg_test_close((a), (b), (tolerance), #a, __FILE__, __LINE__)
void eg_test_close(double a, double b, double tolerance, const char *what, const char *file,
                   int line);

/** A fresh temporary directory (static buffer); removed by eg_test_remove. */
const char *eg_test_directory(void);
void eg_test_remove(const char *directory);

/** For tests that try many cases: true if all are wanted (ENGRAM_FULL_TESTS=1 in the environment). */
bool eg_test_full(void);

/** For tests of which every case takes the same paths as its neighbours: 1 without the sanitizers and in
 *  the long versions, else `stride`. */
size_t eg_test_stride(size_t stride);

/** Writes a file, failing the test if it cannot. */
void eg_test_write_file(const char *path, const void *data, size_t size);

#endif
