/** Where results come from: attributes of the root, and the group `provenance` of scalar texts
 *  (anything with an axis there would need dimensions of its own). */
#include "store/hdf5/h5_parts.h"

#include "engram/memory.h"
#include "store/hdf5/h5_write.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void iso_time(char *out, size_t size, double seconds)
{
    time_t whole = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&whole, &parts) == NULL ||
        strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        out[0] = '\0';
    }
}

static eg_status write_root(const eg_h5_out *out, const eg_journal_state *state, bool complete)
{
    const eg_results *results = &state->owner->results;
    const char *version =
        state->session_count > 0 ? state->sessions[state->session_count - 1].version : "";
    char created[40];
    char source[128];
    iso_time(created, sizeof created, results->created);
    (void)snprintf(source, sizeof source, "engram %s", version);
    int32_t format = EG_RESULTS_VERSION;
    uint8_t whole = complete ? 1 : 0;
    EG_TRY(eg_h5_attribute_text(out->file, "Conventions", "CF-1.10"));
    EG_TRY(eg_h5_attribute_text(out->file, "title", results->name));
    EG_TRY(eg_h5_attribute_text(out->file, "comment", results->doc));
    EG_TRY(eg_h5_attribute_text(out->file, "source", source));
    EG_TRY(eg_h5_attribute_text(out->file, "format_name", EG_RESULTS_FORMAT));
    EG_TRY(eg_h5_attribute(out->file, "format_version", H5T_STD_I32LE, &format));
    EG_TRY(eg_h5_attribute_text(out->file, "generator_version", version));
    EG_TRY(eg_h5_attribute(out->file, "complete", H5T_STD_U8LE, &whole));
    EG_TRY(eg_h5_attribute_text(out->file, "created", created));
    EG_TRY(eg_h5_attribute_text(out->file, "objective_name", results->objective));
    return eg_h5_attribute_text(out->file, "objective_goal",
                                results->maximise ? "maximise" : "minimise");
}

static eg_status write_text(const eg_h5_out *out, hid_t group, const char *name, const char *text,
                            const char *doc)
{
    eg_status status = eg_ok();
    hid_t dataset = H5I_INVALID_HID;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    EG_H5_DONE(status, space);
    EG_H5_DONE(status, properties);
    EG_H5_DONE(status, H5Pset_attr_creation_order(properties,
                                                  H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
    EG_H5_DONE(status, H5Pset_obj_track_times(properties, false));
    dataset = H5Dcreate2(group, name, out->text, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    EG_H5_DONE(status, dataset);
    EG_H5_DONE(status, H5Dwrite(dataset, out->text, H5S_ALL, H5S_ALL, H5P_DEFAULT, &text));
    status = eg_h5_attribute_text(dataset, "long_name", doc);
done:
    eg_h5_close(dataset);
    eg_h5_close(space);
    eg_h5_close(properties);
    return eg_status_wrap(status, "provenance/%s", name);
}

/** "name = value" of every setting; a swept one lists its values. */
static eg_status settings_text(const eg_journal_state *state, eg_writer *writer)
{
    const eg_results *results = &state->owner->results;
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        eg_index seen = {0};
        eg_status status = eg_ok();
        eg_write_bytes(writer, column->name, strlen(column->name));
        for (size_t p = 0; p < results->point_count && status.code == EG_OK; p++) {
            /* Texts of the pool: equal ones have equal addresses. */
            uint64_t key = (uint64_t)(uintptr_t)column->text[p];
            if (column->text[p] == NULL || eg_index_get(&seen, key) != SIZE_MAX) {
                continue;
            }
            status = eg_index_put(&seen, key, p);
            const char *join = seen.count == 1 ? " = " : " | ";
            eg_write_bytes(writer, join, strlen(join));
            eg_write_bytes(writer, column->text[p], strlen(column->text[p]));
        }
        eg_index_clear(&seen);
        EG_TRY(status);
        eg_write_u8(writer, '\n');
    }
    eg_write_u8(writer, 0);
    return eg_writer_status(writer);
}

static eg_status write_sessions(const eg_h5_out *out, const eg_journal_state *state, hid_t group)
{
    for (size_t i = 0; i < state->session_count; i++) {
        char name[32];
        char *text = NULL;
        (void)snprintf(name, sizeof name, "session_%zu", i);
        EG_TRY(eg_session_text(&text, &state->sessions[i]));
        eg_status status = write_text(out, group, name, text, "a run of the command, key=value");
        eg_free(text);
        EG_TRY(status);
    }
    return eg_ok();
}

static eg_status write_group(const eg_h5_out *out, const eg_journal_state *state, hid_t group)
{
    const eg_results *results = &state->owner->results;
    eg_writer settings = {0};
    uint32_t sessions = (uint32_t)state->session_count;
    EG_TRY(eg_h5_attribute(group, "created", H5T_IEEE_F64LE, &results->created));
    EG_TRY(eg_h5_attribute(group, "last_activity", H5T_IEEE_F64LE, &results->last_activity));
    EG_TRY(eg_h5_attribute(group, "sessions", H5T_STD_U32LE, &sessions));
    EG_TRY(write_text(out, group, "sweep", results->text, "the sweep file"));
    EG_TRY(write_text(out, group, "overrides", results->overrides,
                      "name=value arguments of the command line"));
    eg_status status = settings_text(state, &settings);
    if (status.code == EG_OK) {
        status = write_text(out, group, "settings", (const char *)settings.data,
                            "all settings with their defaults; swept ones with all values");
    }
    eg_writer_clear(&settings);
    EG_TRY(status);
    return write_sessions(out, state, group);
}

eg_status eg_h5_write_provenance(eg_h5_out *out, const eg_journal_state *state, bool complete)
{
    EG_TRY(write_root(out, state, complete));
    eg_status status = eg_ok();
    unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
    hid_t group = H5I_INVALID_HID;
    hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    EG_H5_DONE(status, properties);
    EG_H5_DONE(status, H5Pset_link_creation_order(properties, order));
    EG_H5_DONE(status, H5Pset_attr_creation_order(properties, order));
    EG_H5_DONE(status, H5Pset_obj_track_times(properties, false));
    group = H5Gcreate2(out->file, "provenance", H5P_DEFAULT, properties, H5P_DEFAULT);
    EG_H5_DONE(status, group);
    status = write_group(out, state, group);
done:
    eg_h5_close(group);
    eg_h5_close(properties);
    return status;
}
