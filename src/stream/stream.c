/** Creating streams, asking them and reading them; see engram/stream.h. */
#include "engram/stream.h"

#include "engram/memory.h"
#include "stream/order_file.h"

#include <assert.h>
#include <string.h>

/* A component is the first member of its descriptor. */
static const eg_stream_kind *kind_of(const eg_view *root)
{
    return (const eg_stream_kind *)(const void *)eg_view_component(root, "stream");
}

static eg_status check_text(const eg_view *root, bool is_text)
{
    const eg_stream_kind *kind = kind_of(root);
    if (kind->own_data || kind->reads_text == is_text) {
        return eg_ok();
    }
    return is_text
               ? eg_fail_setting("", "stream dataset",
                                 "stream = %s is one of labelled examples, and dataset = %s is "
                                 "a text; expected a stream such as text_mega_batches",
                                 kind->component.name, eg_view_component(root, "dataset")->name)
               : eg_fail_setting("", "stream dataset",
                                 "stream = %s is one of a text, and dataset = %s is none; "
                                 "expected dataset = text",
                                 kind->component.name, eg_view_component(root, "dataset")->name);
}

eg_status eg_stream_check_data(const eg_view *root)
{
    const eg_component *dataset = eg_view_component(root, "dataset");
    return check_text(root, ((const eg_dataset_kind *)(const void *)dataset)->is_text);
}

eg_status eg_stream_create(eg_stream **out, const eg_view *root, const eg_dataset *dataset,
                           uint64_t seed, double holdout)
{
    assert(holdout >= 0 && holdout < 1);
    *out = NULL;
    const eg_stream_kind *kind = kind_of(root);
    assert(kind->own_data || dataset != NULL);
    EG_TRY(check_text(root, dataset != NULL && dataset->text.blocks > 0));
    eg_view view = eg_view_inside(root, "stream");
    if (kind->own_data && eg_view_text(&view, "order_file")[0] != '\0') {
        return eg_fail_setting(
            view.prefix, "order_file",
            "%sorder_file with stream = %s, which makes its examples itself; expected a "
            "stream over a dataset",
            view.prefix, kind->component.name);
    }
    return kind->create(out, &view, dataset, seed, holdout);
}

struct eg_stream_order {
    char *path; /* owned */
    uint64_t hash;
};

void eg_stream_orders_clear(eg_stream_orders *orders)
{
    for (size_t i = 0; i < orders->count; i++) {
        eg_free(orders->file[i].path);
    }
    eg_free(orders->file);
    *orders = (eg_stream_orders){0};
}

static eg_status hash_file(uint64_t *out, const char *path)
{
    eg_order_file order = {0};
    eg_status status = eg_order_file_read(&order, path);
    if (status.code == EG_OK) {
        status = eg_order_file_hash(out, &order);
    }
    eg_order_file_clear(&order);
    return status;
}

eg_status eg_stream_order_hash(uint64_t *out, const eg_settings *settings, eg_stream_orders *known)
{
    const eg_setting *setting = eg_settings_find(settings, "stream.order_file");
    *out = 0;
    if (setting == NULL || setting->value.text[0] == '\0') {
        return eg_ok();
    }
    const char *path = setting->value.text;
    for (size_t i = 0; i < known->count; i++) {
        if (strcmp(known->file[i].path, path) == 0) {
            *out = known->file[i].hash;
            return eg_ok();
        }
    }
    EG_TRY(hash_file(out, path));
    EG_TRY(eg_grow(&known->file, &known->capacity, known->count + 1, sizeof *known->file));
    struct eg_stream_order *file = &known->file[known->count];
    EG_TRY(eg_strdup(&file->path, path));
    file->hash = *out;
    known->count++;
    return eg_ok();
}

void eg_stream_free(eg_stream *stream)
{
    if (stream != NULL) {
        stream->ops->free(stream);
    }
}

eg_phase eg_stream_phase(const eg_stream *stream, size_t phase)
{
    assert(phase < stream->shape.phases);
    eg_phase out = {.task = EG_NO_TASK};
    stream->ops->phase(stream, phase, &out);
    return out;
}

size_t eg_stream_steps(const eg_stream *stream, size_t phase)
{
    eg_phase about = eg_stream_phase(stream, phase);
    return about.steps * about.epochs;
}

static bool hold_out_by_phase(const eg_stream *stream, eg_subset subset)
{
    return subset == EG_SUBSET_VALIDATION && stream->shape.phases_hold_out;
}

size_t eg_stream_set(const eg_stream *stream, eg_subset subset, size_t phase, size_t task)
{
    return hold_out_by_phase(stream, subset) ? phase : task;
}

size_t eg_stream_count(const eg_stream *stream, eg_subset subset, size_t task)
{
    assert(task < (hold_out_by_phase(stream, subset) ? stream->shape.phases : stream->shape.tasks));
    return stream->ops->count(stream, subset, task);
}

uint32_t *eg_stream_pixels(eg_stream *stream)
{
    return stream->ops->pixels != NULL ? stream->ops->pixels(stream) : NULL;
}

const int32_t *eg_stream_class_tasks(const eg_stream *stream)
{
    return stream->ops->class_tasks != NULL ? stream->ops->class_tasks(stream) : NULL;
}

const uint32_t *eg_stream_task_identities(const eg_stream *stream)
{
    return stream->ops->task_identities != NULL ? stream->ops->task_identities(stream) : NULL;
}

eg_status eg_cursor_open(eg_cursor **out, const eg_stream *stream, const eg_cursor_setup *setup)
{
    *out = NULL;
    return stream->ops->open(out, stream, setup);
}

void eg_cursor_close(eg_cursor *cursor)
{
    if (cursor != NULL) {
        cursor->ops->free(cursor);
    }
}

void eg_cursor_get(eg_cursor *cursor, size_t phase, size_t step, eg_batch *out)
{
    assert(cursor->setup.trains && step < eg_stream_steps(cursor->stream, phase));
    *out = (eg_batch){.positions = cursor->stream->shape.positions,
                      .task = EG_NO_TASK,
                      .phase = phase,
                      .step = step};
    cursor->ops->get(cursor, phase, step, out);
}

void eg_cursor_examples(eg_cursor *cursor, eg_subset subset, size_t task, size_t first, size_t size,
                        eg_batch *out)
{
    assert(size <= cursor->setup.block && first <= eg_stream_count(cursor->stream, subset, task) &&
           size <= eg_stream_count(cursor->stream, subset, task) - first);
    *out = (eg_batch){.positions = cursor->stream->shape.positions, .task = EG_NO_TASK};
    cursor->ops->examples(cursor, subset, task, first, size, out);
}
