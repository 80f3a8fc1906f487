/** Settings in the result file: numbers as numbers, words as text, one variable each over `trial`.
 */
#include "store/hdf5/h5_parts.h"

#include "engram/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* netCDF's own fill value for 64-bit integers; 255 for bytes. */
static const int64_t missing_int = -9223372036854775806;
/* Whole numbers up to here are exact as double. */
static const int64_t exact_max = (int64_t)1 << 53;
static const uint8_t missing_byte = 255;
static const double missing_real = (double)NAN;

/** A trial's text of a column, NULL if its point does not have the setting. */
static const char *text_of(const eg_journal_state *state, const eg_column *column, size_t trial)
{
    return column->text[state->owner->results.trials[trial].point];
}

static bool any_missing(const eg_journal_state *state, const eg_column *column)
{
    for (size_t i = 0; i < state->owner->results.trial_count; i++) {
        if (text_of(state, column, i) == NULL) {
            return true;
        }
    }
    return false;
}

/** Integers that some trial does not have are numbers with NaN for those: what xarray makes of them
 *  in any case, and R complains of a fill value with 64 bits. */
static bool stored_whole(const eg_journal_state *state, const eg_column *column, bool missing)
{
    bool exact = true;
    for (size_t i = 0; missing && i < state->owner->results.trial_count; i++) {
        const char *text = text_of(state, column, i);
        long long value = text == NULL ? 0 : strtoll(text, NULL, 10);
        exact = exact && value <= exact_max && value >= -exact_max;
    }
    return column->type == EG_TYPE_INT && !(missing && exact);
}

static eg_status bad_value(const eg_column *column, const char *text)
{
    return eg_fail(EG_INVALID, "setting %s: '%s' is not of the declared type", column->name, text);
}

static eg_status parse(const eg_column *column, bool whole, const char *text, void *values,
                       size_t i)
{
    char *end = NULL;
    if (column->type == EG_TYPE_BOOL) {
        bool yes = text != NULL && strcmp(text, "true") == 0;
        if (text != NULL && !yes && strcmp(text, "false") != 0) {
            return bad_value(column, text);
        }
        ((uint8_t *)values)[i] = text == NULL ? missing_byte : yes ? 1 : 0;
    } else if (whole) {
        ((int64_t *)values)[i] = text == NULL ? missing_int : strtoll(text, &end, 10);
    } else {
        ((double *)values)[i] = text == NULL ? missing_real : strtod(text, &end);
    }
    return end != NULL && (end == text || *end != '\0') ? bad_value(column, text) : eg_ok();
}

static eg_status write_numbers(eg_h5_out *out, const eg_journal_state *state,
                               const eg_column *column, eg_h5_variable *variable, hid_t *dataset)
{
    void *values = NULL;
    hid_t memory = H5T_NATIVE_DOUBLE;
    bool missing = any_missing(state, column);
    bool whole = stored_whole(state, column, missing);
    variable->type = H5T_IEEE_F64LE;
    variable->fill = &missing_real;
    /* A fill value turns integers into floats in xarray, so they have one only where needed. */
    if (column->type == EG_TYPE_BOOL) {
        memory = H5T_NATIVE_UINT8;
        variable->type = H5T_STD_U8LE;
        variable->fill = missing ? &missing_byte : NULL;
    } else if (whole) {
        memory = H5T_NATIVE_INT64;
        variable->type = H5T_STD_I64LE;
        variable->fill = missing ? &missing_int : NULL;
    }
    EG_TRY(eg_alloc(&values, out->lengths[0], sizeof(double)));
    eg_status status = eg_ok();
    for (size_t i = 0; i < out->lengths[0] && status.code == EG_OK; i++) {
        status = parse(column, whole, text_of(state, column, i), values, i);
    }
    if (status.code == EG_OK) {
        status = eg_h5_write_column(out, variable, memory, values, dataset);
    }
    eg_free(values);
    return status;
}

static eg_status write_texts(eg_h5_out *out, const eg_journal_state *state, const eg_column *column,
                             eg_h5_variable *variable, hid_t *dataset)
{
    const char **values = NULL;
    EG_TRY(eg_alloc(&values, out->lengths[0], sizeof *values));
    for (size_t i = 0; i < out->lengths[0]; i++) {
        const char *text = text_of(state, column, i);
        values[i] = text != NULL ? text : "";
    }
    variable->type = out->text;
    eg_status status = eg_h5_write_column(out, variable, out->text, values, dataset);
    eg_free(values);
    return status;
}

static eg_status write_one(eg_h5_out *out, const eg_journal_state *state, const eg_column *column,
                           const char *name)
{
    bool number =
        column->type == EG_TYPE_BOOL || column->type == EG_TYPE_INT || column->type == EG_TYPE_REAL;
    eg_h5_variable variable = {.name = name, .rank = 1, .doc = column->doc, .coordinate = true};
    if (number) {
        variable.unit = column->unit[0] != '\0' ? column->unit : "1";
    }
    hid_t dataset = H5I_INVALID_HID;
    EG_TRY(number ? write_numbers(out, state, column, &variable, &dataset)
                  : write_texts(out, state, column, &variable, &dataset));
    uint8_t swept = column->swept ? 1 : 0;
    eg_status status = eg_h5_attribute_text(dataset, "parameter_name", column->name);
    eg_status_keep(&status,
                   eg_h5_attribute(dataset, "parameter_type", H5T_STD_U8LE, &column->type));
    eg_status_keep(&status, eg_h5_attribute(dataset, "swept", H5T_STD_U8LE, &swept));
    eg_h5_close(dataset);
    return status;
}

eg_status eg_h5_write_settings(eg_h5_out *out, const eg_journal_state *state,
                               const char *const *names)
{
    const eg_results *results = &state->owner->results;
    for (size_t i = 0; i < results->column_count; i++) {
        EG_TRY(write_one(out, state, &results->columns[i], names[i]));
    }
    return eg_ok();
}
