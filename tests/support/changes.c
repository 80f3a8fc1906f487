/** Damage that follows from a number; see changes.h. */
#include "changes.h"

#include <string.h>

uint64_t eg_test_draw(uint64_t n)
{
    uint64_t draw = (n + 1) * 0x9e3779b97f4a7c15u; /* Weyl sequence, finalised below (splitmix64) */
    draw = (draw ^ draw >> 30) * 0xbf58476d1ce4e5b9u;
    draw = (draw ^ draw >> 27) * 0x94d049bb133111ebu;
    return draw ^ draw >> 31;
}

size_t eg_test_change(uint8_t *data, size_t size, uint64_t n)
{
    uint64_t draw = eg_test_draw(n);
    size_t at = (size_t)(draw >> 8) % size;
    if (draw % 4 == 0) {
        return at;
    }
    if (draw % 4 == 1) {
        data[at] = (uint8_t)(draw >> 40);
        return size;
    }
    if (draw % 4 == 2) {
        data[at] ^= (uint8_t)(1u << (draw >> 40) % 8);
        return size;
    }
    size_t from = (size_t)(draw >> 24) % size;
    size_t most = size - (at > from ? at : from);
    size_t length = 1 + (size_t)(draw >> 44) % 16;
    memmove(data + at, data + from, length < most ? length : most);
    return size;
}

void eg_test_write_frame(eg_writer *out, uint32_t type, double time, const void *payload,
                         size_t size)
{
    static const unsigned char magic[4] = {0x89, 'E', 'G', 'J'};
    size_t start = out->size;
    eg_write_bytes(out, magic, sizeof magic);
    eg_write_u32(out, type);
    eg_write_u64(out, size);
    eg_write_f64(out, time);
    eg_write_bytes(out, payload, size);
    eg_write_u32(out, eg_crc32c(0, out->data + start, out->size - start));
}
