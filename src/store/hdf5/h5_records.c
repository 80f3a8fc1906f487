/** Recorded variables in the result file. Records are read back from the journal a few at a time,
 *  so that memory does not grow with the sweep. */
#include "store/hdf5/h5_parts.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

enum { SLAB = 64 /* trials; a multiple of every chunk's */ };

/** One variable being written. */
typedef struct sink {
    const eg_stored_variable *declared;
    hid_t dataset, space;
    size_t rank;                   /* with `trial` */
    size_t extent[EG_H5_RANK_MAX]; /* extent[0]: trials written at once */
    size_t rest;                   /* values per trial */
    double *values;                /* [extent[0], rest] */
    bool whole;                    /* scalars: all trials at once, at the end */
} sink;

static const float missing_single = (float)NAN;
static const double missing_double = (double)NAN;

static eg_status open_sink(eg_h5_out *out, const eg_journal_state *state,
                           const eg_stored_variable *declared, const char *name, sink *s)
{
    uint8_t one = 1;
    eg_h5_variable variable = {.name = name,
                               .type = declared->wide ? H5T_IEEE_F64LE : H5T_IEEE_F32LE,
                               .rank = 1 + declared->rank,
                               .doc = declared->doc,
                               .unit = declared->unit};
    variable.fill = declared->wide ? (const void *)&missing_double : (const void *)&missing_single;
    s->declared = declared;
    s->rank = variable.rank;
    s->rest = 1;
    for (size_t i = 0; i < declared->rank; i++) {
        variable.dims[1 + i] = 1 + eg_journal_state_dimension(state, declared->dims[i]);
        s->extent[1 + i] = out->lengths[variable.dims[1 + i]];
        s->rest *= s->extent[1 + i];
    }
    hsize_t chunk[EG_H5_RANK_MAX];
    EG_TRY(eg_h5_create(out, &s->dataset, &variable, chunk));
    s->whole = declared->rank == 0;
    s->extent[0] = s->whole ? out->lengths[0] : (size_t)chunk[0];
    EG_TRY(eg_alloc(&s->values, s->extent[0] * s->rest, sizeof *s->values));
    for (size_t i = 0; s->whole && i < s->extent[0]; i++) {
        s->values[i] = (double)NAN;
    }
    s->space = H5Dget_space(s->dataset);
    if (s->space < 0) {
        return eg_h5_failure();
    }
    EG_TRY(eg_h5_attribute(s->dataset, "recorded", H5T_STD_U8LE, &one));
    if (strcmp(name, declared->name) != 0) {
        EG_TRY(eg_h5_attribute_text(s->dataset, "variable_name", declared->name));
    }
    return declared->volatile_ ? eg_h5_attribute(s->dataset, "volatile", H5T_STD_U8LE, &one)
                               : eg_ok();
}

/** Copies an array into a row of larger extents, line by line; the rest of the row stays as it
 *  is. */
static void place(const eg_array *array, const size_t *extent, double *row)
{
    size_t line = array->rank == 0 ? 1 : array->extent[array->rank - 1];
    for (size_t i = 0; i < array->count; i += line) {
        memcpy(row + eg_padded_index(array, extent, i), array->data + i, line * sizeof *row);
    }
}

/** Writes rows `first` … first+count-1 of a sink. */
static eg_status write_rows(const sink *s, size_t first, size_t count)
{
    eg_status status = eg_ok();
    hsize_t start[EG_H5_RANK_MAX] = {first};
    hsize_t extent[EG_H5_RANK_MAX] = {count};
    for (size_t i = 1; i < s->rank; i++) {
        extent[i] = s->extent[i];
    }
    hid_t memory = H5Screate_simple((int)s->rank, extent, NULL);
    EG_H5_DONE(status, memory);
    EG_H5_DONE(status, H5Sselect_hyperslab(s->space, H5S_SELECT_SET, start, NULL, extent, NULL));
    EG_H5_DONE(status,
               H5Dwrite(s->dataset, H5T_NATIVE_DOUBLE, memory, s->space, H5P_DEFAULT, s->values));
done:
    eg_h5_close(memory);
    return eg_status_wrap(status, "%s", s->declared->name);
}

/** The trials first … first+count-1 of one variable. Rows that nobody recorded are not written:
 *  they read as the fill value. */
static eg_status write_slab(const sink *s, eg_record *const *records, size_t first, size_t count)
{
    for (size_t at = 0; at < count; at += s->extent[0]) {
        size_t rows = count - at < s->extent[0] ? count - at : s->extent[0];
        bool any = false;
        for (size_t i = 0; i < rows * s->rest; i++) {
            s->values[i] = (double)NAN;
        }
        for (size_t i = 0; i < rows; i++) {
            const eg_array *array =
                records[at + i] == NULL ? NULL : eg_record_find(records[at + i], s->declared->name);
            if (array != NULL) {
                place(array, s->extent + 1, s->values + i * s->rest);
                any = true;
            }
        }
        if (any) {
            EG_TRY(write_rows(s, first + at, rows));
        }
    }
    return eg_ok();
}

static void take_scalars(const sink *s, eg_record *const *records, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i] != NULL) {
            s->values[first + i] = eg_record_value(records[i], s->declared->name);
        }
    }
}

static eg_status write_trials(const eg_journal_state *state, eg_journal *journal, const sink *sinks,
                              size_t sink_count, eg_order_groups *groups)
{
    const eg_result *results = state->owner->results.trials;
    size_t trials = state->owner->results.trial_count;
    eg_record *records[SLAB] = {0};
    eg_status status = eg_ok();
    for (size_t first = 0; first < trials && status.code == EG_OK; first += SLAB) {
        size_t count = trials - first < SLAB ? trials - first : SLAB;
        for (size_t i = 0; i < count && status.code == EG_OK; i++) {
            status = eg_journal_state_record(&records[i], state, journal, first + i);
            if (status.code == EG_OK) {
                status = eg_results_groups_add(groups, &results[first + i], records[i]);
            }
        }
        for (size_t k = 0; k < sink_count && status.code == EG_OK; k++) {
            if (sinks[k].whole) {
                take_scalars(&sinks[k], records, first, count);
            } else {
                status = write_slab(&sinks[k], records, first, count);
            }
        }
        for (size_t i = 0; i < count; i++) {
            eg_record_free(records[i]);
            records[i] = NULL;
        }
    }
    for (size_t k = 0; k < sink_count && status.code == EG_OK; k++) {
        if (sinks[k].whole) {
            status = write_rows(&sinks[k], 0, trials);
        }
    }
    return status;
}

eg_status eg_h5_write_records(eg_h5_out *out, const eg_journal_state *state, eg_journal *journal,
                              const char *const *names, eg_order_groups *groups)
{
    const eg_results *results = &state->owner->results;
    sink *sinks = NULL;
    size_t count = 0;
    EG_TRY(eg_alloc(&sinks, results->variable_count, sizeof *sinks));
    eg_status status = eg_ok();
    for (size_t i = 0; i < results->variable_count && status.code == EG_OK; i++) {
        if (names[i] != NULL) {
            sinks[count] = (sink){.dataset = H5I_INVALID_HID, .space = H5I_INVALID_HID};
            status = open_sink(out, state, &results->variables[i], names[i], &sinks[count]);
            count++;
        }
    }
    if (status.code == EG_OK) {
        status = write_trials(state, journal, sinks, count, groups);
    }
    for (size_t i = 0; i < count; i++) {
        eg_free(sinks[i].values);
        eg_h5_close(sinks[i].space);
        eg_h5_close(sinks[i].dataset);
    }
    eg_free(sinks);
    return status;
}
