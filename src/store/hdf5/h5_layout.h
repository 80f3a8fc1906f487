/** Dimensions and datasets of the result file, by the rules that make it a netCDF-4 data set. */
#ifndef ENGRAM_STORE_H5_LAYOUT_H
#define ENGRAM_STORE_H5_LAYOUT_H

#include "store/hdf5/h5_file.h"

enum { EG_H5_RANK_MAX = 1 + EG_RANK_MAX };

/** A file being made. Dimension 0 is `trial`. */
typedef struct eg_h5_out {
    hid_t file;
    hid_t text; /**< type of all texts */
    const char *dims[1 + EG_EXTENTS_MAX];
    size_t lengths[1 + EG_EXTENTS_MAX];
    hid_t scales[1 + EG_EXTENTS_MAX];
    size_t dim_count;
    const char **names; /**< every name in use at the root */
    size_t name_count, name_capacity;
    eg_string_pool pool;    /**< of those names */
    eg_writer coordinates;  /**< names of the settings, separated by blanks */
    const char *coordinate; /**< the same as text, once all are known */
} eg_h5_out;

/** Creates the file in memory, with its dimensions. Call eg_h5_out_clear in any case. */
eg_status eg_h5_out_init(eg_h5_out *out, const eg_journal_state *state) EG_WARN_UNUSED;
void eg_h5_out_clear(eg_h5_out *out);
/** The finished file; valid until eg_h5_out_clear. */
eg_status eg_h5_out_image(eg_h5_out *out, const void **data, size_t *size) EG_WARN_UNUSED;

/** A name for a dataset: `wanted` with dots as underscores; if that is taken, `suffix` is appended
 * until it is free. */
eg_status eg_h5_name(eg_h5_out *out, const char **name, const char *wanted,
                     const char *suffix) EG_WARN_UNUSED;

/** A variable to create. */
typedef struct eg_h5_variable {
    const char *name;
    hid_t type;
    size_t rank;                 /**< with the leading dimension `trial` */
    size_t dims[EG_H5_RANK_MAX]; /**< indices of dimensions; dims[0] = 0 */
    const void *fill;            /**< of that type, NULL: none */
    const char *doc, *unit;      /**< "" or NULL: no attribute */
    bool coordinate;             /**< a setting or an identity, not a measurement */
} eg_h5_variable;

/** Creates a dataset with its scales and attributes; *out must be closed. chunk [rank] receives the
 * chunk's extents. */
eg_status eg_h5_create(eg_h5_out *out, hid_t *dataset, const eg_h5_variable *variable,
                       hsize_t *chunk) EG_WARN_UNUSED;
/** Creates a variable over `trial` alone and writes it: `values` [trials] of type `memory`.
 *  *dataset must be closed; NULL closes it. */
eg_status eg_h5_write_column(eg_h5_out *out, const eg_h5_variable *variable, hid_t memory,
                             const void *values, hid_t *dataset) EG_WARN_UNUSED;

#endif
