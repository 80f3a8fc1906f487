/** Putting the result file together; see store/hdf5/h5_write.h. */
#include "store/hdf5/h5_write.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "store/hdf5/checksum_footer.h"
#include "store/hdf5/h5_parts.h"

#include <string.h>

/** Names at the root: the fixed ones first, then measurements, then settings, so that a setting is
 * what gives way (`loss` is both: the setting becomes `loss_param`). */
static eg_status choose_names(eg_h5_out *out, const eg_journal_state *state, const char **recorded,
                              const char **settings)
{
    const eg_results *results = &state->owner->results;
    const char *name = NULL;
    for (size_t i = 0; eg_h5_fixed_name(i) != NULL; i++) {
        EG_TRY(eg_h5_name(out, &name, eg_h5_fixed_name(i), "_fixed"));
    }
    EG_TRY(eg_h5_name(out, &name, "provenance", "_group"));
    for (size_t i = 0; i < results->variable_count; i++) {
        const eg_stored_variable *variable = &results->variables[i];
        recorded[i] = NULL;
        if (variable->rank > 0 || strcmp(variable->name, "objective") != 0) {
            EG_TRY(eg_h5_name(out, &recorded[i], variable->name, "_value"));
        }
    }
    eg_writer *list = &out->coordinates;
    static const char identities[] = "trial_id point replicate seed";
    eg_write_bytes(list, identities, strlen(identities));
    for (size_t i = 0; i < results->column_count; i++) {
        EG_TRY(eg_h5_name(out, &settings[i], results->columns[i].name, "_param"));
        eg_write_u8(list, ' ');
        eg_write_bytes(list, settings[i], strlen(settings[i]));
    }
    eg_write_u8(list, 0);
    EG_TRY(eg_writer_status(list));
    out->coordinate = (const char *)list->data;
    return eg_ok();
}

static eg_status write_parts(eg_h5_out *out, const eg_journal_state *state, eg_journal *journal,
                             bool complete)
{
    const eg_results *results = &state->owner->results;
    const char **recorded = NULL;
    const char **settings = NULL;
    eg_order_groups groups;
    eg_status status;
    EG_TRY_DONE(status, eg_results_groups_begin(&groups, results));
    EG_TRY_DONE(status, eg_alloc(&recorded, results->variable_count, sizeof *recorded));
    EG_TRY_DONE(status, eg_alloc(&settings, results->column_count, sizeof *settings));
    EG_TRY_DONE(status, choose_names(out, state, recorded, settings));
    EG_TRY_DONE(status, eg_h5_write_settings(out, state, settings));
    EG_TRY_DONE(status, eg_h5_write_fixed(out, state));
    EG_TRY_DONE(status, eg_h5_write_records(out, state, journal, recorded, &groups));
    eg_results_groups_end(&groups, results);
    EG_TRY_DONE(status, eg_h5_write_orders(out, state, &groups));
    status = eg_h5_write_provenance(out, state, complete);
done:
    eg_free(recorded);
    eg_free(settings);
    eg_results_groups_clear(&groups);
    return status;
}

eg_status eg_h5_publish(const eg_journal_state *state, eg_journal *journal, const eg_paths *paths,
                        const char *suffix, bool complete)
{
    if (state->owner->results.trial_count == 0) {
        return eg_fail(EG_INVALID, "%s: the sweep has no trials", paths->file);
    }
    eg_h5_quiet quiet = eg_h5_quiet_begin();
    eg_h5_out out;
    const void *data = NULL;
    size_t size = 0;
    eg_status status = eg_h5_out_init(&out, state);
    if (status.code == EG_OK) {
        status = write_parts(&out, state, journal, complete);
    }
    if (status.code == EG_OK) {
        status = eg_h5_out_image(&out, &data, &size);
    }
    status = eg_status_wrap(status, "%s", paths->file);
    if (status.code == EG_OK) {
        unsigned char footer[EG_FOOTER_SIZE];
        eg_footer_make(footer, data, size);
        const eg_file_part parts[] = {{data, size}, {footer, sizeof footer}};
        status = eg_replace_file_parts(paths->file, suffix, parts, 2, "the results file");
    }
    eg_h5_out_clear(&out);
    eg_h5_quiet_end(quiet);
    return status;
}
