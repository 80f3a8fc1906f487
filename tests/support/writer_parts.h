/** The parts of a writer that borrows. */
#ifndef ENGRAM_WRITER_PARTS_H
#define ENGRAM_WRITER_PARTS_H

#include "testing.h"

#include "engram/memory.h"
#include "engram/pack.h"

/** One after the other they are what a writer that copies holds. */
static inline void assert_parts_are(const eg_writer *borrows, const eg_writer *copies)
{
    eg_file_part *parts = NULL;
    size_t count = 0;
    size_t at = 0;
    assert_ok(eg_writer_parts(borrows, &parts, &count));
    for (size_t k = 0; k < count; k++) {
        assert_true(at + parts[k].size <= copies->size);
        if (parts[k].size > 0) {
            assert_memory_equal(parts[k].data, copies->data + at, parts[k].size);
        }
        at += parts[k].size;
    }
    assert_int_equal(at, copies->size);
    eg_free(parts);
}

#endif
