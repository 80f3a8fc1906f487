/** The netCDF-4 frame of the result file; see store/hdf5/h5_layout.h.
 *
 *  What readers insist on: creation order tracked on groups and datasets (else netCDF cannot
 *  append); a dimension scale on every axis of every dataset; _Netcdf4Dimid on all scales; scales
 *  without values carry a certain sentence; no fixed-length string datasets. */
#include "store/hdf5/h5_layout.h"

#include "engram/memory.h"

#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1 << 20,
    CHUNK_TRIALS = 64,
    DEFLATE_LEVEL = 4,
    IMAGE_STEP = 4 << 20, /* bytes by which the file in memory grows */
};

static const unsigned creation_order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;

static hid_t create_in_memory(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t file = H5I_INVALID_HID;
    if (access >= 0 && creation >= 0 && H5Pset_fapl_core(access, IMAGE_STEP, false) >= 0 &&
        H5Pset_link_creation_order(creation, creation_order) >= 0 &&
        H5Pset_attr_creation_order(creation, creation_order) >= 0 &&
        H5Pset_obj_track_times(creation, false) >= 0) {
        file = H5Fcreate("engram results in memory", H5F_ACC_TRUNC, creation, access);
    }
    eg_h5_close(access);
    eg_h5_close(creation);
    return file;
}

/** Creation properties common to all datasets. No times: equal journals give equal files. */
static hid_t dataset_properties(void)
{
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (properties >= 0 && (H5Pset_attr_creation_order(properties, creation_order) < 0 ||
                            H5Pset_obj_track_times(properties, false) < 0)) {
        eg_h5_close(properties);
        return H5I_INVALID_HID;
    }
    return properties;
}

static eg_status number_scale(hid_t scale, size_t index)
{
    int id = (int)index;
    return eg_h5_attribute(scale, "_Netcdf4Dimid", H5T_NATIVE_INT, &id);
}

/** A dimension without values. */
static eg_status create_dimension(eg_h5_out *out, size_t index)
{
    eg_status status = eg_ok();
    hsize_t extent = out->lengths[index];
    hid_t properties = dataset_properties();
    hid_t space = H5Screate_simple(1, &extent, NULL);
    char words[80];
    (void)snprintf(words, sizeof words, "This is a netCDF dimension but not a netCDF variable.%10d",
                   (int)out->lengths[index]);
    EG_H5_DONE(status, properties);
    EG_H5_DONE(status, space);
    out->scales[index] = H5Dcreate2(out->file, out->dims[index], H5T_IEEE_F32LE, space, H5P_DEFAULT,
                                    properties, H5P_DEFAULT);
    EG_H5_DONE(status, out->scales[index]);
    EG_H5_DONE(status, H5DSset_scale(out->scales[index], words));
    status = number_scale(out->scales[index], index);
done:
    eg_h5_close(space);
    eg_h5_close(properties);
    return status;
}

/** The dimension `trial` is a variable too: 0, 1, 2 … */
static eg_status create_trial(eg_h5_out *out)
{
    size_t count = out->lengths[0];
    int32_t *values = NULL;
    eg_status status = eg_ok();
    const eg_h5_variable variable = {.name = "trial",
                                     .type = H5T_STD_I32LE,
                                     .rank = 0, /* a scale has no scale */
                                     .doc = "number of the trial, in the order of the plan",
                                     .unit = "1",
                                     .coordinate = true};
    EG_TRY_DONE(status, eg_alloc(&values, count, sizeof *values));
    for (size_t i = 0; i < count; i++) {
        values[i] = (int32_t)i;
    }
    EG_TRY_DONE(status,
                eg_h5_write_column(out, &variable, H5T_NATIVE_INT32, values, &out->scales[0]));
    EG_H5_DONE(status, H5DSset_scale(out->scales[0], "trial"));
    status = number_scale(out->scales[0], 0);
done:
    eg_free(values);
    return status;
}

eg_status eg_h5_out_init(eg_h5_out *out, const eg_journal_state *state)
{
    *out = (eg_h5_out){.file = H5I_INVALID_HID, .text = H5I_INVALID_HID};
    out->dim_count = 1 + state->extent_count;
    out->dims[0] = "trial";
    out->lengths[0] = state->owner->results.trial_count;
    for (size_t i = 0; i < out->dim_count; i++) {
        out->scales[i] = H5I_INVALID_HID;
    }
    for (size_t i = 0; i < state->extent_count; i++) {
        out->dims[1 + i] = state->extents[i].name;
        /* An axis of length 0 means "unlimited" to netCDF. */
        out->lengths[1 + i] = state->extents[i].length > 0 ? state->extents[i].length : 1;
    }
    eg_status status = eg_ok();
    out->file = create_in_memory();
    EG_H5_DONE(status, out->file);
    out->text = eg_h5_text_type();
    EG_H5_DONE(status, out->text);
    for (size_t i = 0; i < out->dim_count; i++) {
        const char *name = NULL;
        EG_TRY_DONE(status, eg_h5_name(out, &name, out->dims[i], "_dim"));
        EG_TRY_DONE(status, i == 0 ? create_trial(out) : create_dimension(out, i));
    }
done:
    return status;
}

void eg_h5_out_clear(eg_h5_out *out)
{
    for (size_t i = 0; i < out->dim_count; i++) {
        eg_h5_close(out->scales[i]);
    }
    eg_h5_close(out->text);
    eg_h5_close(out->file);
    eg_free(out->names);
    eg_string_pool_clear(&out->pool);
    eg_writer_clear(&out->coordinates);
    *out = (eg_h5_out){.file = H5I_INVALID_HID, .text = H5I_INVALID_HID};
}

eg_status eg_h5_out_image(eg_h5_out *out, const void **data, size_t *size)
{
    eg_status status = eg_ok();
    for (size_t i = 0; i < out->dim_count; i++) {
        eg_h5_close(out->scales[i]);
        out->scales[i] = H5I_INVALID_HID;
    }
    EG_H5_DONE(status, H5Fflush(out->file, H5F_SCOPE_GLOBAL));
    ssize_t length = H5Fget_file_image(out->file, NULL, 0);
    EG_H5_DONE(status, length);
    /* The memory driver's handle is the address of its pointer to the file's bytes. */
    void *handle = NULL;
    EG_H5_DONE(status, H5Fget_vfd_handle(out->file, H5P_DEFAULT, &handle));
    memcpy(data, handle, sizeof *data);
    *size = (size_t)length;
done:
    return status;
}

static bool taken(const eg_h5_out *out, const char *name)
{
    for (size_t i = 0; i < out->name_count; i++) {
        if (strcmp(out->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

eg_status eg_h5_name(eg_h5_out *out, const char **name, const char *wanted, const char *suffix)
{
    char *text = NULL;
    char *kept = NULL;
    EG_TRY(eg_strdup(&text, wanted));
    for (char *dot = strchr(text, '.'); dot != NULL; dot = strchr(dot, '.')) {
        *dot = '_';
    }
    eg_status status = eg_ok();
    while (taken(out, text)) {
        char *longer = NULL;
        EG_TRY_DONE(status, eg_format(&longer, "%s%s", text, suffix));
        eg_free(text);
        text = longer;
    }
    EG_TRY_DONE(status, eg_string_pool_add(&out->pool, &kept, text));
    EG_TRY_DONE(status,
                eg_grow(&out->names, &out->name_capacity, out->name_count + 1, sizeof *out->names));
    out->names[out->name_count++] = kept;
    *name = kept;
done:
    eg_free(text);
    return status;
}

/** Chunks of up to 64 trials (all, for variables over `trial` alone) and at most 1 MiB, so that a
 * variable is read in few large pieces. */
static void choose_chunk(const eg_h5_out *out, const eg_h5_variable *variable, hsize_t *chunk)
{
    size_t rank = variable->rank > 0 ? variable->rank : 1;
    size_t bytes = H5Tget_size(variable->type);
    size_t rest = 1;
    for (size_t i = 1; i < rank; i++) {
        chunk[i] = out->lengths[variable->dims[i]];
        rest *= (size_t)chunk[i];
    }
    for (size_t i = 1; i < rank; i++) {
        while (rest * bytes > CHUNK_BYTES && chunk[i] > 1) {
            rest /= (size_t)chunk[i];
            chunk[i] = (chunk[i] + 1) / 2;
            rest *= (size_t)chunk[i];
        }
    }
    size_t trials = rank == 1 ? CHUNK_BYTES / bytes : CHUNK_TRIALS;
    while (trials > 1 && trials * rest * bytes > CHUNK_BYTES) {
        trials /= 2;
    }
    chunk[0] = trials < out->lengths[0] ? trials : out->lengths[0];
}

/** xarray takes these words on a number for a time span and would turn it into one. */
static const char *safe_unit(const char *unit)
{
    static const char *const words[][2] = {
        {"days", "d"},          {"hours", "h"},         {"minutes", "min"},   {"seconds", "s"},
        {"milliseconds", "ms"}, {"microseconds", "us"}, {"nanoseconds", "ns"}};
    for (size_t i = 0; i < EG_COUNT(words); i++) {
        if (strcmp(unit, words[i][0]) == 0) {
            return words[i][1];
        }
    }
    return unit;
}

static eg_status describe(eg_h5_out *out, hid_t dataset, const eg_h5_variable *variable)
{
    if (variable->doc != NULL && variable->doc[0] != '\0') {
        EG_TRY(eg_h5_attribute_text(dataset, "long_name", variable->doc));
    }
    if (variable->unit != NULL && variable->unit[0] != '\0') {
        EG_TRY(eg_h5_attribute_text(dataset, "units", safe_unit(variable->unit)));
    }
    if (variable->fill != NULL) {
        EG_TRY(eg_h5_attribute_list(dataset, "_FillValue", variable->type, variable->fill, 1));
    }
    if (!variable->coordinate && out->coordinate != NULL) {
        EG_TRY(eg_h5_attribute_text(dataset, "coordinates", out->coordinate));
    }
    return eg_ok();
}

static eg_status create_with(eg_h5_out *out, hid_t *dataset, const eg_h5_variable *variable,
                             hsize_t *chunk, hid_t properties)
{
    eg_status status = eg_ok();
    int rank = variable->rank > 0 ? (int)variable->rank : 1;
    hsize_t extent[EG_H5_RANK_MAX];
    for (int i = 0; i < rank; i++) {
        extent[i] = out->lengths[variable->dims[i]];
    }
    hid_t space = H5Screate_simple(rank, extent, NULL);
    choose_chunk(out, variable, chunk);
    EG_H5_DONE(status, space);
    if (H5Tget_class(variable->type) != H5T_STRING) { /* filters cannot reach into texts */
        EG_H5_DONE(status, H5Pset_chunk(properties, rank, chunk));
        EG_H5_DONE(status, H5Pset_shuffle(properties));
        EG_H5_DONE(status, H5Pset_deflate(properties, DEFLATE_LEVEL));
        EG_H5_DONE(status, H5Pset_fletcher32(properties));
    }
    if (variable->fill != NULL) {
        EG_H5_DONE(status, H5Pset_fill_value(properties, variable->type, variable->fill));
    }
    *dataset = H5Dcreate2(out->file, variable->name, variable->type, space, H5P_DEFAULT, properties,
                          H5P_DEFAULT);
    EG_H5_DONE(status, *dataset);
    for (size_t i = 0; i < variable->rank; i++) {
        EG_H5_DONE(status, H5DSattach_scale(*dataset, out->scales[variable->dims[i]], (unsigned)i));
    }
    status = describe(out, *dataset, variable);
done:
    eg_h5_close(space);
    return status;
}

eg_status eg_h5_create(eg_h5_out *out, hid_t *dataset, const eg_h5_variable *variable,
                       hsize_t *chunk)
{
    *dataset = H5I_INVALID_HID;
    hid_t properties = dataset_properties();
    eg_status status =
        properties < 0 ? eg_h5_failure() : create_with(out, dataset, variable, chunk, properties);
    eg_h5_close(properties);
    if (status.code != EG_OK) {
        eg_h5_close(*dataset);
        *dataset = H5I_INVALID_HID;
    }
    return eg_status_wrap(status, "%s", variable->name);
}

eg_status eg_h5_write_column(eg_h5_out *out, const eg_h5_variable *variable, hid_t memory,
                             const void *values, hid_t *dataset)
{
    hid_t created = H5I_INVALID_HID;
    hsize_t chunk[EG_H5_RANK_MAX];
    EG_TRY(eg_h5_create(out, &created, variable, chunk));
    eg_status status = eg_ok();
    if (H5Dwrite(created, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) {
        status = eg_status_wrap(eg_h5_failure(), "%s", variable->name);
    }
    if (dataset != NULL && status.code == EG_OK) {
        *dataset = created;
    } else {
        eg_h5_close(created);
    }
    return status;
}
