/** Plain binary encoding for journals, messages and checkpoints: little endian, no padding.
 *
 *  A writer grows its own buffer; a reader is bounded and remembers its first failure, so that a
 *  sequence of reads is checked once at the end. Damaged input never crashes a reader. */
#ifndef ENGRAM_PACK_H
#define ENGRAM_PACK_H

#include "engram/file.h"
#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Large data that a writer points to, where they stand between its own. */
typedef struct eg_borrowed {
    eg_file_part part;
    size_t at; /**< bytes of the writer's own before them */
} eg_borrowed;

typedef struct eg_writer {
    unsigned char *data; /**< owned; all that was written, unless it borrows */
    size_t size, capacity;
    bool failed; /**< an allocation failed; later writes do nothing */
    /** Set by who makes the writer and uses all of it at once: large arrays are not copied
     *  (eg_write_lasting), and eg_writer_parts gives all that was written. */
    bool borrows;
    eg_borrowed *borrowed; /**< [borrowed_count] in order; owned */
    size_t borrowed_count, borrowed_capacity;
} eg_writer;

/** A writer begins as {0}. Releases what it holds. */
void eg_writer_clear(eg_writer *writer);
/** Forgets the contents, keeps the memory. */
void eg_writer_reset(eg_writer *writer);
/** EG_MEMORY if any write since the last clear failed. */
eg_status eg_writer_status(const eg_writer *writer) EG_WARN_UNUSED;

/** All that was written, in order, in *count parts in *out (eg_free), valid until the next
 *  write. */
eg_status eg_writer_parts(const eg_writer *writer, eg_file_part **out,
                          size_t *count) EG_WARN_UNUSED;
/** CRC-32C of all that was written. */
uint32_t eg_writer_crc32c(const eg_writer *writer);

void eg_write_u8(eg_writer *writer, uint8_t value);
void eg_write_u32(eg_writer *writer, uint32_t value);
void eg_write_u64(eg_writer *writer, uint64_t value);
void eg_write_f64(eg_writer *writer, double value);
void eg_write_bytes(eg_writer *writer, const void *data, size_t size); /**< raw, no length */
void eg_write_text(eg_writer *writer, const char *text);               /**< u32 length, bytes */
/** The same bytes as eg_write_bytes; they must stay as they are until the writer is reset or
 *  cleared, as one that borrows only points to them if they are many. */
void eg_write_lasting(eg_writer *writer, const void *data, size_t size);
/** values [count] exactly: u32 size of a number, u64 count, the numbers as the machine has them, as
 *  eg_write_lasting. */
void eg_write_reals(eg_writer *writer, size_t count, const eg_real *values);

typedef struct eg_reader {
    const unsigned char *data; /**< borrowed */
    size_t size, at;
    bool failed; /**< a read went past the end or found nonsense; later reads give zeros */
} eg_reader;

eg_reader eg_reader_make(const void *data, size_t size);
uint8_t eg_read_u8(eg_reader *reader);
uint32_t eg_read_u32(eg_reader *reader);
uint64_t eg_read_u64(eg_reader *reader);
double eg_read_f64(eg_reader *reader);
/** Borrowed view of `size` bytes, or NULL (and failed) if fewer are left. */
const void *eg_read_bytes(eg_reader *reader, size_t size);
/** A copy of the text in *out (eg_free); NULL when failed. Embedded NULs are refused. */
eg_status eg_read_text(eg_reader *reader, char **out) EG_WARN_UNUSED;
/** Fills values [count] from what eg_write_reals wrote. EG_INVALID, and values unchanged, if it was
 * another count or another size of number, or bytes are missing; `what` names them: "weights". */
eg_status eg_read_reals(eg_reader *reader, size_t count, eg_real *values,
                        const char *what) EG_WARN_UNUSED;
/** EG_INVALID if any read failed, or bytes are left and `to_the_end`. */
eg_status eg_reader_status(const eg_reader *reader, bool to_the_end) EG_WARN_UNUSED;

/** CRC-32C (Castagnoli) of a block, continuing from `crc` (0 at the start). */
uint32_t eg_crc32c(uint32_t crc, const void *data, size_t size);

/** 64-bit content hash (XXH3), used for ids. */
uint64_t eg_hash64(const void *data, size_t size);

#endif
