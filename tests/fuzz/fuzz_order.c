/** Fuzz target: the order of examples in a file. What was read fits together, whatever the bytes were. */
#include "fuzz.h"

#include "stream/order_file.h"

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    eg_order_file order;
    uint64_t hash = 0;
    const char *path = eg_fuzz_file("fuzz-order", data, size);
    eg_status status = eg_order_file_read(&order, path);
    eg_fuzz_check(&status, status.code == EG_OK ? order.number : NULL);
    if (status.code == EG_OK) {
        size_t total = 0;
        fuzz_require(order.phases > 0 && order.phase[0] == 0);
        fuzz_require(order.phase[order.phases] == order.batches);
        for (size_t b = 0; b < order.batches; b++) {
            size_t count = 0;
            const uint32_t *number = eg_order_file_batch(&order, b, &count);
            fuzz_require(count > 0 && count <= order.largest && number == order.number + total);
            total += count;
        }
        status = eg_order_file_hash(&hash, &order);
        fuzz_require(status.code == EG_OK);
    }
    eg_order_file_clear(&order);
}
