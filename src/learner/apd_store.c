/** Sparse or dense numbers; see learner/apd_store.h. */
#include "learner/apd_store.h"

#include "engram/memory.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

void eg_apd_store_clear(eg_apd_store *store)
{
    eg_free(store->value);
    eg_free(store->place);
    *store = (eg_apd_store){.count = 0};
}

static bool stays(eg_real x, double threshold)
{
    return x != 0 && !(fabs((double)x) <= threshold);
}

static void keep(eg_apd_store *store, const eg_real *values, double threshold)
{
    size_t k = 0;
    for (size_t i = 0; i < store->count; i++) {
        bool is_kept = stays(values[i], threshold);
        if (store->place == NULL) {
            store->value[i] = is_kept ? values[i] : 0;
        } else if (is_kept) {
            store->value[k] = values[i];
            store->place[k++] = (uint32_t)i;
        }
    }
}

eg_status eg_apd_store_put(eg_apd_store *store, size_t count, const eg_real *values,
                           double threshold)
{
    size_t kept = 0;
    assert(count <= UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        kept += stays(values[i], threshold) ? 1 : 0;
    }
    bool sparse = kept * (sizeof(eg_real) + sizeof(uint32_t)) < count * sizeof(eg_real);
    eg_apd_store made = {.count = count, .kept = sparse ? kept : count};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&made.value, made.kept, sizeof *made.value));
    if (sparse) {
        EG_TRY_DONE(status, eg_alloc(&made.place, made.kept, sizeof *made.place));
    }
    keep(&made, values, threshold);
    eg_apd_store_clear(store);
    *store = made;
    return status;
done:
    eg_apd_store_clear(&made);
    return status;
}

/* The first kept number from place `at` on. */
static size_t find(const eg_apd_store *store, size_t at)
{
    size_t low = 0;
    for (size_t end = store->kept; low < end;) {
        size_t middle = low + (end - low) / 2;
        if (store->place[middle] < at) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    return low;
}

const eg_real *eg_apd_store_get(const eg_apd_store *store, size_t at, size_t n, eg_real *room)
{
    if (store->place == NULL) {
        return store->value + at;
    }
    memset(room, 0, n * sizeof *room);
    for (size_t k = find(store, at); k < store->kept && store->place[k] < at + n; k++) {
        room[store->place[k] - at] = store->value[k];
    }
    return room;
}

void eg_apd_store_write(const eg_apd_store *store, eg_writer *writer)
{
    eg_write_u64(writer, store->kept);
    eg_write_u8(writer, store->place != NULL);
    eg_write_reals(writer, store->kept, store->value);
    for (size_t k = 0; store->place != NULL && k < store->kept; k++) {
        eg_write_u32(writer, store->place[k]);
    }
}

static eg_status read_places(eg_apd_store *store, eg_reader *reader)
{
    for (size_t k = 0; k < store->kept; k++) {
        store->place[k] = eg_read_u32(reader);
        bool ascends = k == 0 || store->place[k] > store->place[k - 1];
        if (!ascends || store->place[k] >= store->count) {
            return eg_fail(EG_INVALID, "saved numbers: place %zu is %u of %zu", k,
                           (unsigned)store->place[k], store->count);
        }
    }
    return eg_reader_status(reader, false);
}

eg_status eg_apd_store_read(eg_apd_store *store, size_t count, eg_reader *reader)
{
    uint64_t kept = eg_read_u64(reader);
    uint8_t sparse = eg_read_u8(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (kept > count || sparse > 1 || (sparse == 0 && kept != count)) {
        return eg_fail(EG_INVALID, "saved numbers: %llu of %zu", (unsigned long long)kept, count);
    }
    eg_apd_store_clear(store);
    *store = (eg_apd_store){.count = count, .kept = (size_t)kept};
    EG_TRY(eg_alloc(&store->value, store->kept, sizeof *store->value));
    EG_TRY(eg_read_reals(reader, store->kept, store->value, "sparse numbers"));
    if (sparse == 1) {
        EG_TRY(eg_alloc(&store->place, store->kept, sizeof *store->place));
        EG_TRY(read_places(store, reader));
    }
    return eg_ok();
}
