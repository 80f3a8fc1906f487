/** Fuzz target: an IDX file, plain or gzip. The first byte is the rank asked for, the rest the file. */
#include "fuzz.h"

#include "data/idx.h"

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    eg_fuzz_bytes bytes = {data, size};
    size_t rank = 1 + eg_fuzz_u8(&bytes) % EG_IDX_RANK_MAX;
    eg_idx idx;
    const char *path = eg_fuzz_file("fuzz-idx", bytes.data, bytes.left);
    eg_status status = eg_idx_read(&idx, path, rank);
    eg_fuzz_check(&status, idx.data);
    unsigned sum = 0;
    for (size_t i = 0; i < idx.size; i++) {
        sum += idx.data[i]; /* every byte is there */
    }
    fuzz_require(sum <= 255 * idx.size);
    eg_idx_clear(&idx);
}
