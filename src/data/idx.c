/** Reading IDX files: through zlib, which reads plain files unchanged, but the data of a plain file
 * are mapped instead of copied; see data/idx.h.
 *
 *  Source of the format: the notes on the MNIST page of LeCun, Cortes and Burges. Magic number 00
 * 00 TT RR (TT 08: unsigned byte, RR: number of dimensions), the dimensions, the data; all numbers
 * are four bytes, most significant first. */
#include "data/idx.h"

#include "data/byte_source.h"
#include "data/mapping.h"
#include "engram/memory.h"

#include <stdbool.h>

enum {
    WORD_SIZE = 4,
    UNSIGNED_BYTE = 0x08,
    GZIP_BEST_RATIO = 1032, /* deflate cannot compress further */
};

static uint32_t big_endian(const unsigned char word[WORD_SIZE])
{
    return (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
}

static eg_status read_header(eg_byte_source *self, size_t rank, eg_idx *out)
{
    unsigned char words[(EG_IDX_RANK_MAX + 1) * WORD_SIZE] = {0};
    size_t size = (rank + 1) * WORD_SIZE;
    size_t got = 0;
    EG_TRY(eg_byte_source_read(self, words, size, &got));
    uint32_t expected = UNSIGNED_BYTE << 8 | (uint32_t)rank;
    if (got >= WORD_SIZE && big_endian(words) != expected) {
        return eg_fail(EG_INVALID,
                       "%s: wrong magic number 0x%08x; expected 0x%08x (IDX, unsigned bytes, %zu "
                       "dimension%s), plain or gzip",
                       self->path, (unsigned)big_endian(words), (unsigned)expected, rank,
                       rank == 1 ? "" : "s");
    }
    if (got < size) {
        return eg_fail(EG_INVALID, "%s: truncated: has %zu bytes of data; the header alone has %zu",
                       self->path, got, size);
    }
    out->rank = rank;
    out->size = 1;
    for (size_t i = 0; i < rank; i++) {
        out->dims[i] = big_endian(words + (i + 1) * WORD_SIZE);
        if (out->dims[i] == 0) {
            return eg_fail(EG_INVALID, "%s: dimension %zu is 0; expected at least 1", self->path,
                           i + 1);
        }
        if (out->size > SIZE_MAX / out->dims[i]) {
            return eg_fail(EG_INVALID,
                           "%s: the header's dimensions multiply to more than any "
                           "memory holds",
                           self->path);
        }
        out->size *= out->dims[i];
    }
    return eg_ok();
}

/* Compares what the header promises with the size on disk, so that a damaged header is found before
 * memory is asked for. Exact for plain files, a bound for gzip. */
static eg_status check_size(const eg_byte_source *self, const eg_idx *idx)
{
    size_t header = (idx->rank + 1) * WORD_SIZE;
    size_t most = self->plain ? self->file_size - header : self->file_size * GZIP_BEST_RATIO;
    if (idx->size > most) {
        return eg_fail(EG_INVALID,
                       "%s: truncated: the header promises %zu bytes of data, the file holds %s%zu",
                       self->path, idx->size, self->plain ? "" : "at most ", most);
    }
    return eg_ok();
}

static eg_status fail_trailing(const eg_byte_source *self, const eg_idx *idx)
{
    return eg_fail(EG_INVALID,
                   "%s: trailing bytes after the %zu bytes of data that the header promises",
                   self->path, idx->size);
}

static eg_status read_data(eg_byte_source *self, eg_idx *out)
{
    size_t got = 0;
    EG_TRY(eg_byte_source_read(self, out->block, out->size, &got));
    if (got < out->size) {
        return eg_fail(EG_INVALID,
                       "%s: truncated: the header promises %zu bytes of data, the file holds %zu",
                       self->path, out->size, got);
    }
    /* Asking for one byte more also makes zlib check the length and CRC at the end of gzip data. */
    unsigned char extra;
    EG_TRY(eg_byte_source_read(self, &extra, 1, &got));
    if (got != 0) {
        return fail_trailing(self, out);
    }
    out->data = out->block;
    return eg_ok();
}

/* A plain file is mapped. */
static eg_status map_data(const eg_byte_source *self, eg_idx *out)
{
    size_t header = (out->rank + 1) * WORD_SIZE;
    if (self->file_size > header + out->size) {
        return fail_trailing(self, out);
    }
    EG_TRY(eg_mapping_open(&out->mapping, self->path, self->file_size));
    out->data = (const uint8_t *)out->mapping.address + header;
    return eg_ok();
}

void eg_idx_clear(eg_idx *idx)
{
    eg_free(idx->block);
    eg_mapping_clear(&idx->mapping);
    *idx = (eg_idx){.data = NULL};
}

eg_status eg_idx_read(eg_idx *out, const char *path, size_t rank)
{
    *out = (eg_idx){.data = NULL};
    eg_byte_source self;
    EG_TRY(eg_byte_source_open(&self, path, "an IDX file"));
    eg_status status = eg_ok();
    EG_TRY_DONE(status, read_header(&self, rank, out));
    EG_TRY_DONE(status, check_size(&self, out));
    if (self.plain) {
        EG_TRY_DONE(status, map_data(&self, out));
    } else {
        EG_TRY_DONE(status, eg_alloc(&out->block, out->size, 1));
        EG_TRY_DONE(status, read_data(&self, out));
    }
done:
    eg_byte_source_close(&self);
    if (!eg_is_ok(&status)) {
        eg_idx_clear(out);
    }
    return status;
}
