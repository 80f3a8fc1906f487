/** Writing and reading the state of an optimizer; see engram/optimizer.h. */
#include "optim/object.h"

#include "engram/memory.h"

#include <string.h>

/* kind name, size of a number, n; steps, phase, its steps, those of an epoch; slots; counts, if
 * every parameter has one */
void eg_optimizer_write(const eg_optimizer *optimizer, eg_writer *writer)
{
    eg_write_text(writer, optimizer->kind->component.name);
    eg_write_u32(writer, sizeof(eg_real));
    eg_write_u64(writer, optimizer->n);
    eg_write_u64(writer, optimizer->steps);
    eg_write_u64(writer, optimizer->phase);
    eg_write_u64(writer, optimizer->phase_steps);
    eg_write_u64(writer, optimizer->epoch_steps);
    for (size_t s = 0; s < optimizer->slots; s++) {
        eg_write_lasting(writer, optimizer->slot[s], optimizer->n * sizeof(eg_real));
    }
    if (optimizer->count != NULL) {
        eg_write_bytes(writer, optimizer->count, optimizer->n * sizeof *optimizer->count);
    }
}

static eg_status check_kind(const eg_optimizer *optimizer, eg_reader *reader)
{
    char *name = NULL;
    EG_TRY(eg_read_text(reader, &name));
    const char *expected = optimizer->kind->component.name;
    eg_status status = eg_ok();
    if (name == NULL || strcmp(name, expected) != 0) {
        status = eg_fail(EG_INVALID, "saved state of optimizer \"%s\", expected \"%s\"",
                         name != NULL ? name : "", expected);
    }
    eg_free(name);
    return status;
}

/* They are indices into a table. */
static eg_status read_counts(eg_optimizer *optimizer, const unsigned char *saved)
{
    for (size_t i = 0; i < optimizer->n; i++) {
        int32_t count = 0;
        memcpy(&count, saved + i * sizeof count, sizeof count);
        if (count < 0 || count > optimizer->correction_end) {
            return eg_fail(EG_INVALID, "saved optimizer state: %ld updates of parameter %zu",
                           (long)count, i);
        }
    }
    memcpy(optimizer->count, saved, optimizer->n * sizeof *optimizer->count);
    return eg_ok();
}

/* What schedules and bias corrections, in double, can tell apart; and counting on never begins at 0
 * again. */
static const uint64_t steps_max = (uint64_t)1 << 53;

eg_status eg_optimizer_read(eg_optimizer *optimizer, eg_reader *reader)
{
    EG_TRY(check_kind(optimizer, reader));
    uint32_t real_size = eg_read_u32(reader);
    uint64_t n = eg_read_u64(reader);
    uint64_t steps = eg_read_u64(reader);
    uint64_t phase = eg_read_u64(reader);
    uint64_t phase_steps = eg_read_u64(reader);
    uint64_t epoch_steps = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (real_size != sizeof(eg_real) || n != optimizer->n) {
        return eg_fail(EG_INVALID,
                       "saved optimizer state has %llu numbers of %u bytes, expected %zu of %zu",
                       (unsigned long long)n, (unsigned)real_size, optimizer->n, sizeof(eg_real));
    }
    if (steps > steps_max || phase_steps > steps_max) {
        return eg_fail(EG_INVALID, "saved optimizer state is after %llu updates",
                       (unsigned long long)(steps > steps_max ? steps : phase_steps));
    }
    const size_t slots = optimizer->slots;
    const void *saved[EG_OPTIMIZER_SLOTS_MAX] = {NULL};
    for (size_t s = 0; s < slots; s++) {
        saved[s] = eg_read_bytes(reader, optimizer->n * sizeof(eg_real));
    }
    bool counts = optimizer->count != NULL;
    const void *count =
        counts ? eg_read_bytes(reader, optimizer->n * sizeof *optimizer->count) : NULL;
    /* Nothing is changed before everything has been read. */
    EG_TRY(eg_reader_status(reader, false));
    if (counts) {
        EG_TRY(read_counts(optimizer, count));
    }
    for (size_t s = 0; s < slots; s++) {
        memcpy(optimizer->slot[s], saved[s], optimizer->n * sizeof(eg_real));
    }
    optimizer->steps = steps;
    optimizer->phase = phase;
    optimizer->phase_steps = phase_steps;
    optimizer->epoch_steps = epoch_steps;
    return eg_ok();
}
