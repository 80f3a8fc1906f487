/** The settings of a trial as attributes of the group `settings`: numbers and truth values as such,
 *  lists and names as texts. */
#ifndef ENGRAM_STORE_WEIGHTS_SETTINGS_H
#define ENGRAM_STORE_WEIGHTS_SETTINGS_H

#include "store/hdf5/h5_file.h"

/** From the canonical text of all settings. */
eg_status eg_weights_file_write_settings(hid_t file, const char *text) EG_WARN_UNUSED;
/** Lines NAME=VALUE for eg_settings_parse, in a new string; NULL if the file has no settings.
 *  Errors: EG_INVALID. */
eg_status eg_weights_file_read_settings(char **out, hid_t file,
                                        eg_string_pool *pool) EG_WARN_UNUSED;

#endif
