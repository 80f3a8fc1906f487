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

bool eg_kept_rows_have(const eg_kept_rows *self, size_t count, const uint32_t *example)
{
    bool all = self->most > 0;
    for (size_t r = 0; r < count && all; r++) {
        all = self->place[example[r]] != 0;
    }
    return all;
}

/* Examples come in random order: their rows are fetched before they are needed. */
void eg_kept_rows_show(const eg_kept_rows *self, size_t count, const uint32_t *example,
                       const eg_sparse *like, eg_sparse *out)
{
    const size_t stride = self->blocks + 1;
    uint32_t *start = out->start;
    *out = *like;
    out->rows = count;
    out->stride = stride;
    out->start = start;
    out->column = self->column;
    out->value = self->value;
    for (size_t r = 0; r < count; r++) {
        const uint32_t *kept = self->start + (self->place[example[r]] - 1) * stride;
        memcpy(start + r * stride, kept, stride * sizeof *start);
        size_t entries = kept[self->blocks] - kept[0];
        eg_prefetch(self->column + kept[0], entries * sizeof *self->column);
        eg_prefetch(self->value + kept[0], entries * sizeof *self->value);
    }
}

void eg_kept_rows_add(eg_kept_rows *self, size_t phase, uint32_t example, size_t r,
                      const eg_sparse *from)
{
    if (self->most == 0 || self->place[example] != 0) {
        return;
    }
    size_t first = eg_sparse_row(from, r);
    size_t count = eg_sparse_row_end(from, r) - first;
    bool room = self->count < self->most && count <= self->most_entries - self->entries;
    if (!room && phase != self->phase && count <= self->most_entries) {
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
        size_t before = from->start[r * from->stride + b] - first;
        start[b] = (uint32_t)(self->entries + before);
    }
    memcpy(self->column + self->entries, from->column + first, count * sizeof *self->column);
    memcpy(self->value + self->entries, from->value + first, count * sizeof *self->value);
    self->entries += count;
    self->place[example] = (uint32_t)++self->count;
}
