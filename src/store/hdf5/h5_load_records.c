/** Records from a result file. Rows come in padded with NaN to the longest trial's extents. */
#include "store/hdf5/h5_load.h"

#include "engram/memory.h"
#include "store/hdf5/h5_input.h"
#include "store/hdf5/h5_layout.h"

#include <math.h>
#include <string.h>

enum { ROWS_BYTES = 8 << 20 /* read at once */ };

/** A recorded dataset being read. */
typedef struct source {
    hid_t dataset, space;
    size_t rank; /* with `trial` */
    size_t extent[EG_H5_RANK_MAX];
    size_t rest; /* values per trial */
    eg_variable variable;
    bool reported; /* the objective's variable */
    bool brief;    /* only the records of stopped trials are wanted */
} source;

static eg_status read_rows(const source *s, size_t first, size_t count, double *values)
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
               H5Dread(s->dataset, H5T_NATIVE_DOUBLE, memory, s->space, H5P_DEFAULT, values));
done:
    eg_h5_close(memory);
    if (status.code != EG_OK) {
        status = eg_fail(EG_INVALID, "damaged: cannot be read (%.300s)", status.message);
    }
    return status;
}

/** A trial that measured nothing of this has no such array. */
static eg_status take_row(eg_result *trial, const source *s, const double *row)
{
    bool any = false;
    if (s->reported && eg_trial_status_has_record(trial->status)) {
        trial->reported = row[0];
    }
    if (s->brief && trial->status != EG_TRIAL_STOPPED) {
        return eg_ok();
    }
    for (size_t i = 0; i < s->rest && !any; i++) {
        any = !isnan(row[i]);
    }
    if (!any || !eg_trial_status_has_record(trial->status)) {
        return eg_ok();
    }
    if (trial->record == NULL) {
        EG_TRY(eg_record_create(&trial->record));
        eg_record_set_status(trial->record, trial->status, trial->message);
    }
    eg_array *array = NULL;
    EG_TRY(eg_record_declare(trial->record, &s->variable, s->extent + 1, &array));
    memcpy(array->data, row, s->rest * sizeof *row);
    return eg_ok();
}

/** Some of these trials have values that are wanted. */
static bool are_wanted(const eg_result *trials, size_t count, const source *s)
{
    bool wanted = !s->brief || s->reported;
    for (size_t i = 0; i < count && !wanted; i++) {
        wanted = trials[i].status == EG_TRIAL_STOPPED;
    }
    return wanted;
}

static eg_status read_all(eg_results_owner *owner, const source *s)
{
    eg_results *results = &owner->results;
    double *values = NULL;
    if (!are_wanted(results->trials, results->trial_count, s)) {
        return eg_ok();
    }
    size_t rows = ROWS_BYTES / sizeof(double) / s->rest;
    rows = rows < 1 ? 1 : rows;
    rows = rows < results->trial_count ? rows : results->trial_count;
    EG_TRY(eg_alloc(&values, rows * s->rest, sizeof *values));
    eg_status status = eg_ok();
    for (size_t first = 0; first < results->trial_count && status.code == EG_OK; first += rows) {
        size_t left = results->trial_count - first;
        size_t count = left < rows ? left : rows;
        if (!are_wanted(results->trials + first, count, s)) {
            continue;
        }
        status = read_rows(s, first, count, values);
        for (size_t i = 0; i < count && status.code == EG_OK; i++) {
            status = take_row(&results->trials[first + i], s, values + i * s->rest);
        }
    }
    eg_free(values);
    return status;
}

static eg_status add_declaration(eg_results_owner *owner, const eg_stored_variable *variable)
{
    eg_results *results = &owner->results;
    size_t capacity = results->variable_count;
    if (eg_stored_find(results, variable->name) != NULL) {
        return eg_fail(EG_INVALID, "damaged: the variable '%s' is there twice", variable->name);
    }
    EG_TRY(eg_grow(&results->variables, &capacity, results->variable_count + 1,
                   sizeof *results->variables));
    results->variables[results->variable_count++] = *variable;
    return eg_ok();
}

static eg_status describe(eg_results_owner *owner, source *s, const char *name)
{
    eg_stored_variable declared = {.rank = s->rank - 1};
    hid_t type = H5Dget_type(s->dataset);
    bool real = type >= 0 && H5Tget_class(type) == H5T_FLOAT;
    declared.wide = real && H5Tget_size(type) == sizeof(double);
    eg_h5_close(type);
    declared.volatile_ = eg_h5_has_attribute(s->dataset, "volatile");
    eg_string_pool *pool = &owner->pool;
    EG_TRY(eg_h5_get_text(&declared.name, s->dataset, "variable_name", name, pool));
    EG_TRY(eg_h5_get_text(&declared.unit, s->dataset, "units", "", pool));
    EG_TRY(eg_h5_get_text(&declared.doc, s->dataset, "long_name", "", pool));
    if (!real || strlen(declared.name) >= EG_VARIABLE_NAME_SIZE) {
        return eg_fail(EG_INVALID, "damaged: not a recorded variable");
    }
    s->rest = 1;
    for (size_t i = 0; i < declared.rank; i++) {
        EG_TRY(eg_h5_axis_name(&declared.dims[i], s->dataset, 1 + i, pool));
        s->variable.dims[i] = declared.dims[i];
        size_t extent = s->extent[1 + i];
        if (extent == 0 || s->rest > SIZE_MAX / sizeof(double) / extent) {
            return eg_fail(EG_INVALID, "damaged: extents");
        }
        s->rest *= extent;
    }
    s->variable.name = declared.name;
    s->variable.wide = declared.wide;
    return add_declaration(owner, &declared);
}

eg_status eg_h5_load_recorded(eg_results_owner *owner, hid_t file, const char *name, bool brief)
{
    source s = {.dataset = H5I_INVALID_HID, .space = H5I_INVALID_HID, .brief = brief};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_h5_open_dataset(&s.dataset, file, name, owner->results.trial_count,
                                           &s.rank, s.extent));
    EG_TRY_DONE(status, describe(owner, &s, name));
    s.reported = s.rank == 1 && strcmp(s.variable.name, owner->results.objective) == 0;
    s.space = H5Dget_space(s.dataset);
    EG_H5_DONE(status, s.space);
    /* Rows are written whole, or not at all. */
    size_t stored = eg_h5_values_stored(s.dataset);
    if (stored == 0) {
        goto done;
    }
    status = s.rest <= stored ? read_all(owner, &s) : eg_fail(EG_INVALID, "damaged: extents");
done:
    eg_h5_close(s.space);
    eg_h5_close(s.dataset);
    return status;
}
