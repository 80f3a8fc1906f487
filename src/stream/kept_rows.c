/** Rows that are kept; see stream/kept_rows.h. */
#include "stream/kept_rows.h"

#include "engram/memory.h"
#include "math/shared/prefetch.h"

#include <string.h>

/* Rows differ in length, and so do examples of the phases. */
static const double spare = 1.5;

eg_status eg_kept_rows_init(eg_kept_rows *out, size_t examples, size_t blocks,
                            size_t phase_examples, double row_entries)
{
    *out = (eg_kept_rows){.examples = examples, .blocks = blocks};
    double wanted = spare * (double)phase_examples * row_entries;
    if (wanted < 1 || wanted > EG_KEPT_ENTRIES_MAX) {
        return eg_ok();
    }
    size_t most = phase_examples + phase_examples / 2;
    size_t entries = (size_t)wanted;
    EG_TRY(eg_alloc(&out->place, examples, sizeof *out->place));
    EG_TRY(eg_alloc(&out->start, most, (blocks + 1) * sizeof *out->start));
    EG_TRY(eg_alloc(&out->column, entries, sizeof *out->column));
    EG_TRY(eg_alloc(&out->value, entries, sizeof *out->value));
    out->most = most;
    out->most_entries = entries;
    return eg_ok();
}

void eg_kept_rows_clear(eg_kept_rows *self)
{
    eg_free(self->place);
    eg_free(self->start);
    eg_free(self->column);
    eg_free(self->value);
    *self = (eg_kept_rows){.examples = 0};
}

static const uint32_t *start_of(const eg_kept_rows *self, uint32_t example)
{
    return self->start + (self->place[example] - 1) * (self->blocks + 1);
}

void eg_kept_rows_fetch(const eg_kept_rows *self, uint32_t example)
{
    const uint32_t *start = start_of(self, example);
    size_t count = start[self->blocks] - start[0];
    eg_prefetch(self->column + start[0], count * sizeof *self->column);
    eg_prefetch(self->value + start[0], count * sizeof *self->value);
}

size_t eg_kept_rows_copy(const eg_kept_rows *self, uint32_t example, size_t r, eg_sparse *out,
                         size_t n)
{
    const uint32_t *start = start_of(self, example);
    size_t count = start[self->blocks] - start[0];
    memcpy(out->column + n, self->column + start[0], count * sizeof *out->column);
    memcpy(out->value + n, self->value + start[0], count * sizeof *out->value);
    for (size_t b = 1; b <= self->blocks; b++) {
        out->start[r * self->blocks + b] = (uint32_t)n + (start[b] - start[0]);
    }
    return n + count;
}

void eg_kept_rows_add(eg_kept_rows *self, size_t phase, uint32_t example, size_t r,
                      const eg_sparse *from)
{
    size_t first = eg_sparse_row(from, r);
    size_t count = eg_sparse_row(from, r + 1) - first;
    bool room = self->count < self->most && count <= self->most_entries - self->entries;
    if (!room && self->most > 0 && phase != self->phase && count <= self->most_entries) {
        memset(self->place, 0, self->examples * sizeof *self->place);
        self->count = 0;
        self->entries = 0;
        self->phase = phase;
        room = true;
    }
    if (!room) {
        return;
    }
    uint32_t *start = self->start + self->count * (self->blocks + 1);
    for (size_t b = 0; b <= self->blocks; b++) {
        size_t before = from->start[r * self->blocks + b] - first;
        start[b] = (uint32_t)(self->entries + before);
    }
    memcpy(self->column + self->entries, from->column + first, count * sizeof *self->column);
    memcpy(self->value + self->entries, from->value + first, count * sizeof *self->value);
    self->entries += count;
    self->place[example] = (uint32_t)++self->count;
}
