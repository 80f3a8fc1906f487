/** Measures that summarise the accuracy matrix; see metric/summary_measure.h. */
#include "metric/summary_measure.h"

#include <math.h>
#include <string.h>

/** `leading`: so many phases and tasks count; 0: all. */
static eg_status init(eg_matrix_summary *out, const eg_stream *stream, eg_subset subset,
                      size_t leading)
{
    const eg_stream_shape *shape = &stream->shape;
    size_t phases = leading > 0 && leading < shape->phases ? leading : shape->phases;
    size_t tasks = leading > 0 && leading < shape->tasks ? leading : shape->tasks;
    EG_TRY(eg_matrix_summary_init(out, phases, tasks));
    for (size_t t = 0; t < tasks; t++) {
        out->weight[t] = (double)eg_stream_count(stream, subset, t);
    }
    return eg_ok();
}

eg_status eg_summary_init(eg_summary_measure *self, const eg_summary_field *fields, size_t count)
{
    const eg_measure_setup *setup = self->base.setup;
    memcpy(self->field, fields, count * sizeof *fields);
    EG_TRY(init(&self->reported, setup->stream, EG_SUBSET_TEST, 0));
    return init(&self->selecting, setup->stream, setup->selection.subset, setup->selection.tasks);
}

void eg_summary_clear(eg_measure *measure)
{
    eg_summary_measure *self = (eg_summary_measure *)measure;
    eg_matrix_summary_clear(&self->reported);
    eg_matrix_summary_clear(&self->selecting);
}

eg_status eg_summary_evaluation(eg_measure *measure, const eg_moment *now,
                                const eg_evaluation *evaluation)
{
    eg_summary_measure *self = (eg_summary_measure *)measure;
    if (evaluation->phase_end && evaluation->subset == EG_SUBSET_TEST) {
        eg_matrix_summary_add(&self->reported, now->phase, evaluation->accuracy);
    }
    if (evaluation->phase_end && evaluation->subset == measure->setup->selection.subset) {
        eg_matrix_summary_add(&self->selecting, now->phase, evaluation->accuracy);
    }
    return eg_ok();
}

/* A diverged network predicts nothing: it scores what guessing scores. */
static double value_of(const eg_summary_measure *self, const eg_summary_field *field,
                       const eg_matrix_summary *summary)
{
    if (!self->diverged) {
        return field->value(summary);
    }
    double chance = 1.0 / (double)self->base.setup->stream->shape.outputs;
    return field->variable->chance_if_diverged ? chance : (double)NAN;
}

eg_status eg_summary_end_trial(eg_measure *measure, const eg_moment *now)
{
    eg_summary_measure *self = (eg_summary_measure *)measure;
    self->diverged = now->diverged;
    for (size_t i = 0; i < EG_SUMMARY_FIELDS_MAX && self->field[i].variable != NULL; i++) {
        const eg_summary_field *field = &self->field[i];
        EG_TRY(eg_record_scalar(measure->setup->record, field->variable,
                                value_of(self, field, &self->reported)));
    }
    return eg_ok();
}

bool eg_summary_selecting(const eg_measure *measure, const char *name, double *out)
{
    const eg_summary_measure *self = (const eg_summary_measure *)measure;
    for (size_t i = 0; i < EG_SUMMARY_FIELDS_MAX && self->field[i].variable != NULL; i++) {
        if (strcmp(self->field[i].variable->name, name) == 0) {
            *out = value_of(self, &self->field[i], &self->selecting);
            return true;
        }
    }
    return false;
}

void eg_summary_write(const eg_measure *measure, eg_writer *writer)
{
    const eg_summary_measure *self = (const eg_summary_measure *)measure;
    eg_matrix_summary_write(&self->reported, writer);
    eg_matrix_summary_write(&self->selecting, writer);
}

eg_status eg_summary_read(eg_measure *measure, eg_reader *reader)
{
    eg_summary_measure *self = (eg_summary_measure *)measure;
    EG_TRY(eg_matrix_summary_read(&self->reported, reader));
    return eg_matrix_summary_read(&self->selecting, reader);
}
