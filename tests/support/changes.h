/** Damage that follows from a number, for tests that feed readers what nobody wrote. */
#ifndef ENGRAM_TEST_CHANGES_H
#define ENGRAM_TEST_CHANGES_H

#include "engram/pack.h"

#include <stddef.h>
#include <stdint.h>

/** 64 bits that follow from n and look random. */
uint64_t eg_test_draw(uint64_t n);

/** Change number `n` of an input of `size` > 0 bytes: a cut, a wrong byte, a flipped bit, or a few bytes of another
 *  place. Returns the new size, which is never larger. */
size_t eg_test_change(uint8_t *data, size_t size, uint64_t n);

/** Appends a frame as a journal has it (store/journal/journal.h), with its checksum. */
void eg_test_write_frame(eg_writer *out, uint32_t type, double time, const void *payload,
                         size_t size);

#endif
