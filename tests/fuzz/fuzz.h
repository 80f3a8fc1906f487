/** What the fuzz targets share. A target is one file with eg_fuzz_one; it is linked to libFuzzer (fuzz builds) or to
 *  replay.c (every other build). A target crashes, by itself or through fuzz_require, when a promise is
 *  broken. */
#ifndef ENGRAM_FUZZ_H
#define ENGRAM_FUZZ_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** Feeds one input, any bytes, to the code under test. */
void eg_fuzz_one(const uint8_t *data, size_t size);

/** The name libFuzzer and replay.c call: eg_fuzz_one, and no block may be left behind. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_require(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            eg_fuzz_broken(#condition, __FILE__, __LINE__);                                        \
        }                                                                                          \
    } while (0)
_Noreturn void eg_fuzz_broken(const char *condition, const char *file, int line);

/** Input may be refused with words, and nothing else: no other code, no success without a result. */
void eg_fuzz_check(const eg_status *status, const void *result);

/** A private directory for this process's files, removed at exit. */
const char *eg_fuzz_directory(void);
/** Writes DIRECTORY/NAME anew; its path stays valid until the next call. */
const char *eg_fuzz_file(const char *name, const void *data, size_t size);

/** Bytes of the input, taken from the front; zeros when it has ended. */
typedef struct eg_fuzz_bytes {
    const uint8_t *data;
    size_t left;
} eg_fuzz_bytes;
uint8_t eg_fuzz_u8(eg_fuzz_bytes *bytes);
uint16_t eg_fuzz_u16(eg_fuzz_bytes *bytes);

#endif
