/** Reading an HDF5 file that nobody vouches for: every type and extent is checked first. */
#ifndef ENGRAM_STORE_H5_INPUT_H
#define ENGRAM_STORE_H5_INPUT_H

#include "store/hdf5/h5_file.h"

/** Opens for reading; `what` it should be, for messages: "a results file". Errors: EG_INVALID (not
 *  HDF5, cut short, damaged), EG_SYSTEM. */
eg_status eg_h5_open(hid_t *out, const char *path, const char *what) EG_WARN_UNUSED;

/** Whether an object has an attribute or a group a link of that name. */
bool eg_h5_has_attribute(hid_t object, const char *name);
bool eg_h5_has_link(hid_t group, const char *name);

/** A scalar text attribute, into the pool; `fallback` (may be NULL: an error) if there is none. */
eg_status eg_h5_get_text(char **out, hid_t object, const char *name, const char *fallback,
                         eg_string_pool *pool) EG_WARN_UNUSED;
/** A scalar attribute as a number; `fallback` if there is none. */
eg_status eg_h5_get_number(double *out, hid_t object, const char *name,
                           double fallback) EG_WARN_UNUSED;
/** The values [count] of an attribute of numbers, converted to `memory`. *there = false: there is
 *  no such attribute. */
eg_status eg_h5_get_values(hid_t object, const char *name, hid_t memory, size_t count, void *values,
                           bool *there) EG_WARN_UNUSED;
/** A scalar text dataset. */
eg_status eg_h5_read_text(char **out, hid_t group, const char *name,
                          eg_string_pool *pool) EG_WARN_UNUSED;

/** Opens a dataset and checks that its first extent is `count`. extent [EG_H5_RANK_MAX]. */
eg_status eg_h5_open_dataset(hid_t *out, hid_t group, const char *name, size_t count, size_t *rank,
                             size_t *extent) EG_WARN_UNUSED;
/** The most values that the bytes stored for a dataset can stand for (deflate saves at most 1032
 *  times, texts are references of a fixed size): a larger extent is not believed. 0: nothing was
 *  written. */
size_t eg_h5_values_stored(hid_t dataset);
/** All values of a dataset over `trial` alone, converted to `memory`. */
eg_status eg_h5_read_column(hid_t file, const char *name, size_t count, hid_t memory,
                            void *values) EG_WARN_UNUSED;
/** All texts of a dataset over `trial` alone. */
eg_status eg_h5_read_texts(hid_t file, const char *name, size_t count, eg_string_pool *pool,
                           char **values) EG_WARN_UNUSED;
/** The name of the dimension of one axis, into the pool. */
eg_status eg_h5_axis_name(char **out, hid_t dataset, size_t axis,
                          eg_string_pool *pool) EG_WARN_UNUSED;

#endif
