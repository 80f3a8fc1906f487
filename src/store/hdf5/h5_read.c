/** Results from a result file alone; see store/hdf5/h5_read.h. */
#include "store/hdf5/h5_read.h"

#include "base/shared/child.h"
#include "engram/memory.h"
#include "store/hdf5/checksum_footer.h"
#include "store/hdf5/h5_input.h"
#include "store/hdf5/h5_load.h"
#include "store/hdf5/h5_plain.h"
#include "store/hdf5/h5_write.h"
#include "store/paths.h"
#include "store/results_pack.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** EG_INVALID unless the open file says that it is ours and of a format we know. */
static eg_status check_format(hid_t file, const char *path, eg_string_pool *pool)
{
    char *format = NULL;
    double version = 0;
    eg_status named = eg_h5_get_text(&format, file, "format_name", "", pool);
    if (named.code == EG_MEMORY) {
        return named;
    }
    if (named.code != EG_OK || strcmp(format, EG_RESULTS_FORMAT) != 0) {
        return eg_fail(EG_INVALID, "%s is HDF5, but not a results file of engram", path);
    }
    EG_TRY(eg_h5_get_number(&version, file, "format_version", 0));
    if (version > EG_RESULTS_VERSION || version < 1) {
        return eg_fail(EG_INVALID,
                       "%s was written by a newer engram (results format %g; this one reads up to "
                       "%d)",
                       path, version, (int)EG_RESULTS_VERSION);
    }
    return eg_ok();
}

static eg_status is_results(const char *path, bool *out)
{
    eg_h5_quiet quiet = eg_h5_quiet_begin();
    eg_string_pool pool = {0};
    hid_t file = H5I_INVALID_HID;
    *out = false;
    eg_status status = eg_h5_open(&file, path, "a results file");
    if (status.code == EG_OK) {
        status = check_format(file, path, &pool);
        *out = status.code == EG_OK;
    } else {
        /* Damaged, which a new one repairs. */
        eg_footer footer = EG_FOOTER_NONE;
        eg_status_keep(&status, eg_footer_check(&footer, path));
        *out = footer != EG_FOOTER_NONE || H5Fis_hdf5(path) > 0;
    }
    eg_h5_close(file);
    eg_string_pool_clear(&pool);
    eg_h5_quiet_end(quiet);
    return status.code == EG_INVALID ? eg_ok() : status;
}

static eg_status read_root(hid_t file, eg_results_owner *owner)
{
    eg_results *results = &owner->results;
    eg_string_pool *pool = &owner->pool;
    char *goal = NULL;
    double complete = 0;
    EG_TRY(eg_h5_get_text(&results->name, file, "title", NULL, pool));
    EG_TRY(eg_h5_get_text(&results->doc, file, "comment", "", pool));
    EG_TRY(eg_h5_get_text(&results->objective, file, "objective_name", "", pool));
    EG_TRY(eg_h5_get_text(&goal, file, "objective_goal", "maximise", pool));
    EG_TRY(eg_h5_get_number(&complete, file, "complete", 0));
    results->maximise = strcmp(goal, "maximise") == 0;
    results->complete = complete != 0;
    return eg_ok();
}

static eg_status read_group(hid_t group, eg_results_owner *owner)
{
    eg_results *results = &owner->results;
    double sessions = 0;
    EG_TRY(eg_h5_get_number(&results->created, group, "created", 0));
    EG_TRY(eg_h5_get_number(&results->last_activity, group, "last_activity", 0));
    EG_TRY(eg_h5_get_number(&sessions, group, "sessions", 0));
    EG_TRY(eg_h5_read_text(&results->text, group, "sweep", &owner->pool));
    EG_TRY(eg_h5_read_text(&results->overrides, group, "overrides", &owner->pool));
    for (size_t i = 0; i < 1000000 && (double)i < sessions; i++) {
        char name[32];
        char *text = NULL;
        (void)snprintf(name, sizeof name, "session_%zu", i);
        EG_TRY(eg_h5_read_text(&text, group, name, &owner->pool));
        EG_TRY(eg_results_owner_add_session(owner, text));
    }
    return eg_ok();
}

static eg_status read_provenance(hid_t file, eg_results_owner *owner)
{
    hid_t group = eg_h5_has_link(file, "provenance") ? H5Gopen2(file, "provenance", H5P_DEFAULT)
                                                     : H5I_INVALID_HID;
    if (group < 0) {
        return eg_fail(EG_INVALID, "damaged: the group 'provenance' is missing");
    }
    eg_status status = read_group(group, owner);
    eg_h5_close(group);
    return status;
}

static eg_status count_trials(hid_t file, size_t *out)
{
    hid_t dataset =
        eg_h5_has_link(file, "trial") ? H5Dopen2(file, "trial", H5P_DEFAULT) : H5I_INVALID_HID;
    hid_t space = dataset < 0 ? H5I_INVALID_HID : H5Dget_space(dataset);
    hssize_t count = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    size_t most = dataset < 0 ? 0 : eg_h5_values_stored(dataset);
    eg_h5_close(space);
    eg_h5_close(dataset);
    if (count < 1 || count > UINT32_MAX || (size_t)count > most) {
        return eg_fail(EG_INVALID, "damaged: the dimension 'trial' is missing or empty");
    }
    *out = (size_t)count;
    return eg_ok();
}

static eg_status load_open(eg_results_owner *owner, hid_t file, bool brief)
{
    size_t count = 0;
    EG_TRY(eg_h5_check_plain(file));
    EG_TRY(read_root(file, owner));
    EG_TRY(read_provenance(file, owner));
    EG_TRY(count_trials(file, &count));
    EG_TRY(eg_h5_load_trials(owner, file, count));
    EG_TRY(eg_h5_load_variables(owner, file, brief));
    return eg_results_owner_warn_mixed(owner);
}

eg_status eg_h5_load_here(eg_results_owner **out, const char *path, bool brief)
{
    *out = NULL;
    eg_h5_quiet quiet = eg_h5_quiet_begin();
    eg_results_owner *owner = NULL;
    hid_t file = H5I_INVALID_HID;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_h5_open(&file, path, "a results file"));
    EG_TRY_DONE(status, eg_results_owner_create(&owner));
    EG_TRY_DONE(status, check_format(file, path, &owner->pool));
    EG_TRY_DONE(status, eg_status_wrap(load_open(owner, file, brief), "%s", path));
    *out = owner;
    owner = NULL;
done:
    if (owner != NULL) {
        eg_results_free(&owner->results);
    }
    eg_h5_close(file);
    eg_h5_quiet_end(quiet);
    return status;
}

/** --- In a child process ---------------------------------------------------------------------- */

static uint64_t file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static eg_status load_in_child(void *user, eg_drain *out)
{
    eg_results_owner *owner = NULL;
    EG_TRY(eg_h5_load_here(&owner, user, false));
    return eg_results_write(&owner->results, out);
}

static eg_status load_brief_in_child(void *user, eg_drain *out)
{
    eg_results_owner *owner = NULL;
    EG_TRY(eg_h5_load_here(&owner, user, true));
    return eg_results_write(&owner->results, out);
}

static eg_status look_in_child(void *user, eg_drain *out)
{
    bool ours = false;
    EG_TRY(is_results(user, &ours));
    eg_write_u8(&out->writer, ours ? 1 : 0);
    return eg_ok();
}

static eg_status run_child(unsigned char **reply, size_t *size, eg_child_work work,
                           const char *path)
{
    char *copy = NULL;
    EG_TRY(eg_strdup(&copy, path));
    eg_status status = eg_child_run(reply, size, work, copy, file_size(path));
    eg_free(copy);
    bool said = strncmp(status.message, path, strlen(path)) == 0;
    return said || status.code == EG_MEMORY ? status : eg_status_wrap(status, "%s", path);
}

eg_status eg_h5_is_results(const char *path, bool *out)
{
    unsigned char *reply = NULL;
    size_t size = 0;
    *out = false;
    eg_status status = run_child(&reply, &size, look_in_child, path);
    if (status.code == EG_OK) {
        *out = size == 1 && reply[0] == 1;
    }
    eg_free(reply);
    return status.code == EG_INVALID ? eg_ok() : status; /* nobody knows whose it is: not ours */
}

eg_status eg_h5_load(eg_results_owner **out, const char *path, bool brief)
{
    unsigned char *reply = NULL;
    size_t size = 0;
    eg_results_owner *owner = NULL;
    *out = NULL;
    EG_TRY(run_child(&reply, &size, brief ? load_brief_in_child : load_in_child, path));
    eg_status status = eg_results_owner_create(&owner);
    if (status.code == EG_OK) {
        eg_reader reader = eg_reader_make(reply, size);
        status = eg_status_wrap(eg_results_read(owner, &reader), "%s: reading it failed", path);
    }
    eg_free(reply);
    if (status.code != EG_OK && owner != NULL) {
        eg_results_free(&owner->results);
        owner = NULL;
    }
    *out = owner;
    return status;
}
