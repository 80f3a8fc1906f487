/** Binary encoding, checksums and hashes; see engram/pack.h. */
#include "engram/pack.h"

#include "engram/memory.h"

#include <isa-l.h>
#include <limits.h>
#include <string.h>
#include <xxhash.h>

enum { BORROW = 1 << 16 /* bytes from which on pointing is worth a part of its own */ };

void eg_writer_clear(eg_writer *writer)
{
    eg_free(writer->data);
    eg_free(writer->borrowed);
    *writer = (eg_writer){0};
}

void eg_writer_reset(eg_writer *writer)
{
    writer->size = 0;
    writer->borrowed_count = 0;
    writer->failed = false;
}

eg_status eg_writer_status(const eg_writer *writer)
{
    return writer->failed ? eg_fail_memory(writer->size) : eg_ok();
}

void eg_write_bytes(eg_writer *writer, const void *data, size_t size)
{
    if (writer->failed || size == 0) {
        return;
    }
    eg_status grown = eg_grow(&writer->data, &writer->capacity, writer->size + size, 1);
    if (grown.code != EG_OK) {
        writer->failed = true;
        return;
    }
    memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

void eg_write_lasting(eg_writer *writer, const void *data, size_t size)
{
    if (!writer->borrows || size < BORROW) {
        eg_write_bytes(writer, data, size);
        return;
    }
    eg_status grown = eg_grow(&writer->borrowed, &writer->borrowed_capacity,
                              writer->borrowed_count + 1, sizeof *writer->borrowed);
    writer->failed = writer->failed || grown.code != EG_OK;
    if (!writer->failed) {
        writer->borrowed[writer->borrowed_count++] =
            (eg_borrowed){.part = {data, size}, .at = writer->size};
    }
}

/* The k-th part: own bytes before a borrowed piece and that piece in turns, then the rest. */
static eg_file_part part_of(const eg_writer *writer, size_t k)
{
    size_t piece = k / 2;
    if (k % 2 == 1) {
        return writer->borrowed[piece].part;
    }
    size_t begin = piece == 0 ? 0 : writer->borrowed[piece - 1].at;
    size_t end = piece < writer->borrowed_count ? writer->borrowed[piece].at : writer->size;
    return (eg_file_part){writer->data != NULL ? writer->data + begin : NULL, end - begin};
}

eg_status eg_writer_parts(const eg_writer *writer, eg_file_part **out, size_t *count)
{
    *count = 2 * writer->borrowed_count + 1;
    EG_TRY(eg_alloc(out, *count, sizeof **out));
    for (size_t k = 0; k < *count; k++) {
        (*out)[k] = part_of(writer, k);
    }
    return eg_ok();
}

uint32_t eg_writer_crc32c(const eg_writer *writer)
{
    uint32_t sum = 0;
    for (size_t k = 0; k < 2 * writer->borrowed_count + 1; k++) {
        eg_file_part part = part_of(writer, k);
        sum = part.size > 0 ? eg_crc32c(sum, part.data, part.size) : sum;
    }
    return sum;
}

void eg_write_u8(eg_writer *writer, uint8_t value)
{
    eg_write_bytes(writer, &value, 1);
}

static void write_little(eg_writer *writer, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    eg_write_bytes(writer, bytes, size);
}

void eg_write_u32(eg_writer *writer, uint32_t value)
{
    write_little(writer, value, 4);
}

void eg_write_u64(eg_writer *writer, uint64_t value)
{
    write_little(writer, value, 8);
}

void eg_write_f64(eg_writer *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    write_little(writer, bits, 8);
}

void eg_write_text(eg_writer *writer, const char *text)
{
    size_t length = strlen(text);
    if (length > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    eg_write_u32(writer, (uint32_t)length);
    eg_write_bytes(writer, text, length);
}

void eg_write_reals(eg_writer *writer, size_t count, const eg_real *values)
{
    eg_write_u32(writer, sizeof *values);
    eg_write_u64(writer, count);
    eg_write_lasting(writer, values, count * sizeof *values);
}

eg_reader eg_reader_make(const void *data, size_t size)
{
    eg_reader reader = {.data = data, .size = size};
    return reader;
}

const void *eg_read_bytes(eg_reader *reader, size_t size)
{
    if (reader->failed || size > reader->size - reader->at) {
        reader->failed = true;
        return NULL;
    }
    const void *bytes = reader->data + reader->at;
    reader->at += size;
    return bytes;
}

static uint64_t read_little(eg_reader *reader, size_t size)
{
    const unsigned char *bytes = eg_read_bytes(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

uint8_t eg_read_u8(eg_reader *reader)
{
    return (uint8_t)read_little(reader, 1);
}

uint32_t eg_read_u32(eg_reader *reader)
{
    return (uint32_t)read_little(reader, 4);
}

uint64_t eg_read_u64(eg_reader *reader)
{
    return read_little(reader, 8);
}

double eg_read_f64(eg_reader *reader)
{
    uint64_t bits = read_little(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

eg_status eg_read_text(eg_reader *reader, char **out)
{
    *out = NULL;
    size_t length = eg_read_u32(reader);
    const char *bytes = eg_read_bytes(reader, length);
    if (bytes == NULL) {
        return eg_ok(); /* the reader remembers; the caller checks it once at the end */
    }
    if (memchr(bytes, '\0', length) != NULL) {
        reader->failed = true;
        return eg_ok();
    }
    EG_TRY(eg_alloc(out, length + 1, 1));
    memcpy(*out, bytes, length);
    return eg_ok();
}

eg_status eg_read_reals(eg_reader *reader, size_t count, eg_real *values, const char *what)
{
    uint32_t size = eg_read_u32(reader);
    uint64_t saved = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (size != sizeof *values || saved != count) {
        return eg_fail(EG_INVALID, "saved %s: %llu numbers of %lu bytes, expected %zu of %zu", what,
                       (unsigned long long)saved, (unsigned long)size, count, sizeof *values);
    }
    const void *bytes = eg_read_bytes(reader, count * sizeof *values);
    EG_TRY(eg_reader_status(reader, false));
    memcpy(values, bytes, count * sizeof *values);
    return eg_ok();
}

eg_status eg_reader_status(const eg_reader *reader, bool to_the_end)
{
    if (reader->failed) {
        return eg_fail(EG_INVALID, "damaged data at byte %zu of %zu", reader->at, reader->size);
    }
    if (to_the_end && reader->at != reader->size) {
        return eg_fail(EG_INVALID, "%zu unexpected bytes after byte %zu", reader->size - reader->at,
                       reader->at);
    }
    return eg_ok();
}

uint32_t eg_crc32c(uint32_t crc, const void *data, size_t size)
{
    /* ISA-L works on the raw register; the standard inverts it before and after. Its prototype
     * lacks a const and counts in int. */
    unsigned char *bytes;
    memcpy(&bytes, &data, sizeof bytes);
    uint32_t state = ~crc;
    while (size > 0) {
        size_t piece = size < INT_MAX ? size : INT_MAX;
        state = crc32_iscsi(bytes, (int)piece, state);
        bytes += piece;
        size -= piece;
    }
    return ~state;
}

uint64_t eg_hash64(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}
