/** All that additive parameter decomposition remembers, for checkpoints. */
#include "engram/memory.h"
#include "learner/apd.h"

/* A number that may be EG_APD_NONE. */
static void write_place(eg_writer *writer, size_t place)
{
    eg_write_u64(writer, place == EG_APD_NONE ? UINT64_MAX : place);
}

/* Below `end`, or none. */
static eg_status read_place(eg_reader *reader, size_t *place, size_t end, const char *what)
{
    uint64_t value = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (value != UINT64_MAX && value >= end) {
        return eg_fail(EG_INVALID, "saved learner: %s %llu, expected less than %zu", what,
                       (unsigned long long)value, end);
    }
    *place = value == UINT64_MAX ? EG_APD_NONE : (size_t)value;
    return eg_ok();
}

static eg_status read_flag(eg_reader *reader, bool *flag)
{
    uint8_t value = eg_read_u8(reader);
    *flag = value != 0;
    return value > 1 ? eg_fail(EG_INVALID, "saved learner: a flag is %u", value)
                     : eg_reader_status(reader, false);
}

static void write_task(const eg_apd *self, size_t t, eg_writer *writer)
{
    const eg_apd_layout *layout = &self->layout;
    const eg_apd_task *of = &self->task[t];
    eg_write_u8(writer, of->known);
    if (!of->known) {
        return;
    }
    eg_write_u8(writer, of->masked);
    write_place(writer, of->plane);
    for (size_t p = 0; p < layout->part_count; p++) {
        write_place(writer, of->group[p]);
    }
    eg_write_u8(writer, of->own != NULL);
    if (of->own != NULL) {
        eg_write_reals(writer, eg_apd_own_size(layout, eg_apd_active(self, t)), of->own);
    }
    if (of->plane == EG_APD_NONE) {
        eg_apd_store_write(&of->tau, writer);
        eg_write_reals(writer, layout->units, of->mask);
    }
}

static eg_status read_task(eg_apd *self, size_t t, eg_reader *reader)
{
    const eg_apd_layout *layout = &self->layout;
    eg_apd_task *of = &self->task[t];
    bool has_own = false;
    EG_TRY(read_flag(reader, &of->known));
    if (!of->known) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&of->group, layout->part_count, sizeof *of->group));
    EG_TRY(read_flag(reader, &of->masked));
    EG_TRY(read_place(reader, &of->plane, self->planes, "plane"));
    for (size_t p = 0; p < layout->part_count; p++) {
        EG_TRY(read_place(reader, &of->group[p], self->phases, "group"));
    }
    EG_TRY(read_flag(reader, &has_own));
    if (has_own) {
        size_t own = eg_apd_own_size(layout, eg_apd_active(self, t));
        EG_TRY(eg_alloc(&of->own, own, sizeof *of->own));
        EG_TRY(eg_read_reals(reader, own, of->own, "biases and head of a task"));
    } else if (!self->learning || t != self->current) {
        return eg_fail(EG_INVALID, "saved learner: task %zu has no biases and head", t);
    }
    if (of->plane == EG_APD_NONE) {
        EG_TRY(eg_alloc(&of->mask, layout->units, sizeof *of->mask));
        EG_TRY(eg_apd_store_read(&of->tau, layout->weights, reader));
        EG_TRY(eg_read_reals(reader, layout->units, of->mask, "masks of a task"));
    }
    return eg_ok();
}

/* Of a part: groups, or centroids. */
static void write_arrays(const eg_apd *self, eg_real *const *array, size_t count, eg_writer *writer)
{
    for (size_t g = 0; g < self->phases; g++) {
        eg_write_u8(writer, array[g] != NULL);
        if (array[g] != NULL) {
            eg_write_reals(writer, count, array[g]);
        }
    }
}

static eg_status read_arrays(const eg_apd *self, eg_real **array, size_t count, eg_reader *reader)
{
    for (size_t g = 0; g < self->phases; g++) {
        bool there = false;
        EG_TRY(read_flag(reader, &there));
        if (there && array[g] == NULL) {
            EG_TRY(eg_alloc(&array[g], count, sizeof *array[g]));
        }
        EG_TRY(there ? eg_read_reals(reader, count, array[g], "weights of a group") : eg_ok());
    }
    return eg_ok();
}

static size_t all_count(const eg_apd *self)
{
    return self->layout.first_plane + self->planes * self->layout.plane;
}

static size_t anchor_count(const eg_apd *self)
{
    size_t anchors = self->settings.retroactive ? self->old : !self->first;
    return anchors * self->layout.weights;
}

void eg_apd_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_apd *self = (const eg_apd *)learner;
    eg_write_u64(writer, self->planes);
    eg_write_u64(writer, self->learned);
    write_place(writer, self->current);
    eg_write_u8(writer, self->learning);
    eg_write_u8(writer, self->first);
    eg_write_u64(writer, self->old);
    eg_write_u64(writer, self->updates);
    eg_write_f64(writer, self->deleted);
    eg_write_reals(writer, all_count(self), self->all);
    for (size_t t = 0; t < self->phases; t++) {
        write_task(self, t, writer);
    }
    for (size_t p = 0; p < self->layout.part_count; p++) {
        size_t count = self->layout.parts[p].block->count;
        write_arrays(self, self->groups[p].shared, count, writer);
        write_arrays(self, self->groups[p].centroid, count, writer);
    }
    if (self->learning) {
        eg_write_reals(writer, anchor_count(self), self->anchor);
    }
    eg_gradient_learner_write(learner, writer);
}

static eg_status read_counts(eg_apd *self, eg_reader *reader)
{
    uint64_t planes = eg_read_u64(reader);
    uint64_t learned = eg_read_u64(reader);
    EG_TRY(read_place(reader, &self->current, self->phases, "task"));
    EG_TRY(read_flag(reader, &self->learning));
    EG_TRY(read_flag(reader, &self->first));
    uint64_t old = eg_read_u64(reader);
    self->updates = eg_read_u64(reader);
    self->deleted = eg_read_f64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (planes > self->phases || learned > self->phases || old > planes ||
        (self->learning && self->current == EG_APD_NONE)) {
        return eg_fail(EG_INVALID,
                       "saved learner: %llu of %llu tasks in %llu places, expected at most %zu",
                       (unsigned long long)old, (unsigned long long)learned,
                       (unsigned long long)planes, self->phases);
    }
    self->learned = (size_t)learned;
    self->old = (size_t)old;
    return eg_apd_resize(self, (size_t)planes);
}

/* Tasks in the same place, or learning with none, would be written over each other. */
static eg_status check_places(const eg_apd *self)
{
    for (size_t t = 0; t < self->phases; t++) {
        for (size_t u = 0; self->task[t].plane != EG_APD_NONE && u < t; u++) {
            if (self->task[u].plane == self->task[t].plane) {
                return eg_fail(EG_INVALID, "saved learner: tasks %zu and %zu are in one place", u,
                               t);
            }
        }
        bool old = self->learning && self->settings.retroactive && self->task[t].known;
        bool current = self->learning && t == self->current;
        size_t plane = self->task[t].plane;
        if (current ? plane != self->old : old && plane >= self->old) {
            return eg_fail(EG_INVALID, "saved learner: task %zu is in no place", t);
        }
    }
    return eg_ok();
}

eg_status eg_apd_read(eg_learner *learner, eg_reader *reader)
{
    eg_apd *self = (eg_apd *)learner;
    EG_TRY(read_counts(self, reader));
    EG_TRY(eg_read_reals(reader, all_count(self), self->all, "shared and own weights"));
    for (size_t t = 0; t < self->phases; t++) {
        EG_TRY(read_task(self, t, reader));
    }
    EG_TRY(check_places(self));
    for (size_t p = 0; p < self->layout.part_count; p++) {
        size_t count = self->layout.parts[p].block->count;
        EG_TRY(read_arrays(self, self->groups[p].shared, count, reader));
        EG_TRY(read_arrays(self, self->groups[p].centroid, count, reader));
    }
    if (self->learning) {
        self->active = eg_apd_active(self, self->current);
        EG_TRY(eg_apd_open_learning(self, eg_stream_phase(self->base.stream, self->current).steps));
        EG_TRY(eg_read_reals(reader, anchor_count(self), self->anchor, "weights of old tasks"));
    }
    self->shown = EG_APD_NONE;
    return eg_gradient_learner_read(learner, reader);
}
