/** The variables that every result file has over `trial`: who a trial is, how it ended, where it
 *  ran. */
#include "store/hdf5/h5_parts.h"

#include "engram/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum kind { INT32, SEED, FLOAT64, TEXT, ID, STATUS, OBJECTIVE } kind;

typedef struct fixed {
    const char *name;
    kind kind;
    const char *doc, *unit;
    bool coordinate;
    double (*number)(const eg_journal_state *state, size_t trial);
    const char *(*text)(const eg_journal_state *state, size_t trial);
} fixed;

static const eg_result *trial_of(const eg_journal_state *state, size_t trial)
{
    return &state->owner->results.trials[trial];
}

static double point_of(const eg_journal_state *state, size_t trial)
{
    return (double)trial_of(state, trial)->point;
}

static double replicate_of(const eg_journal_state *state, size_t trial)
{
    return (double)trial_of(state, trial)->replicate;
}

static double stage_of(const eg_journal_state *state, size_t trial)
{
    return (double)trial_of(state, trial)->stage;
}

static double objective_of(const eg_journal_state *state, size_t trial)
{
    return trial_of(state, trial)->objective;
}

static double attempt_of(const eg_journal_state *state, size_t trial)
{
    return (double)trial_of(state, trial)->attempt.number;
}

static double pauses_of(const eg_journal_state *state, size_t trial)
{
    return (double)state->entries[trial].pauses;
}

static double rank_of(const eg_journal_state *state, size_t trial)
{
    return (double)trial_of(state, trial)->attempt.rank;
}

static double start_of(const eg_journal_state *state, size_t trial)
{
    return trial_of(state, trial)->attempt.start_time;
}

static double wall_of(const eg_journal_state *state, size_t trial)
{
    return trial_of(state, trial)->attempt.wall_seconds;
}

static double session_of(const eg_journal_state *state, size_t trial)
{
    size_t session = trial_of(state, trial)->session;
    return session == SIZE_MAX ? -1.0 : (double)session;
}

static const char *message_of(const eg_journal_state *state, size_t trial)
{
    return trial_of(state, trial)->message;
}

static const char *host_of(const eg_journal_state *state, size_t trial)
{
    return trial_of(state, trial)->attempt.host;
}

static const char *processor_of(const eg_journal_state *state, size_t trial)
{
    const eg_session_image *session = eg_journal_state_session(state, trial);
    return session != NULL ? session->processor : "";
}

static const char *blas_core_of(const eg_journal_state *state, size_t trial)
{
    const eg_session_image *session = eg_journal_state_session(state, trial);
    return session != NULL ? session->blas_core : "";
}

static const char *build_of(const eg_journal_state *state, size_t trial)
{
    const eg_session_image *session = eg_journal_state_session(state, trial);
    return session != NULL ? session->build : "";
}

static const fixed variables[] = {
    {"trial_id", ID, "hash of settings, seed and version of the results", NULL, true, NULL, NULL},
    {"point", INT32, "number of the combination of settings", "1", true, point_of, NULL},
    {"replicate", INT32, "number of the seed within the point", "1", true, replicate_of, NULL},
    {"seed", SEED, "seed of the trial", "1", true, NULL, NULL},
    {"status", STATUS, "how the trial stands", NULL, false, NULL, NULL},
    {"stage", INT32,
     "1: the seeds of every point, which choose; 2: further seeds of the points that select chose; "
     "0: no longer in the sweep, which was edited",
     "1", false, stage_of, NULL},
    {"objective", OBJECTIVE, "what selects the best point", "1", false, objective_of, NULL},
    {"message", TEXT, "why a trial failed, diverged, was skipped or stopped", NULL, false, NULL,
     message_of},
    {"attempt", INT32, "attempts made", "1", false, attempt_of, NULL},
    {"pauses", INT32, "attempts that ended in a pause for a stopping rule", "1", false, pauses_of,
     NULL},
    {"rank", INT32, "MPI rank that ran the trial", "1", false, rank_of, NULL},
    {"host", TEXT, "host that ran the trial", NULL, false, NULL, host_of},
    /* Not CF's "seconds since": xarray would warn of trials that never began. */
    {"start_time", FLOAT64, "when the trial began, in seconds since 1970-01-01 00:00:00 UTC", "s",
     false, start_of, NULL},
    {"wall_seconds", FLOAT64, "time the trial took", "s", false, wall_of, NULL},
    {"session", INT32, "run of the command it finished in, -1: none (provenance/session_N)", "1",
     false, session_of, NULL},
    {"processor", TEXT, "processor of that run", NULL, false, NULL, processor_of},
    {"blas_core", TEXT, "BLAS kernel of that run", NULL, false, NULL, blas_core_of},
    {"build", TEXT, "compiler and flags of that run", NULL, false, NULL, build_of},
};

const char *eg_h5_fixed_name(size_t index)
{
    return index < EG_COUNT(variables) ? variables[index].name : NULL;
}

static eg_status write_numbers(eg_h5_out *out, const eg_journal_state *state, const fixed *variable,
                               eg_h5_variable *created, hid_t *dataset)
{
    static const double missing = (double)NAN;
    double *values = NULL;
    EG_TRY(eg_alloc(&values, out->lengths[0], sizeof *values));
    for (size_t i = 0; i < out->lengths[0]; i++) {
        values[i] = variable->number(state, i);
    }
    bool whole = variable->kind == INT32;
    created->type = whole ? H5T_STD_I32LE : H5T_IEEE_F64LE;
    created->fill = whole ? NULL : &missing;
    eg_status status = eg_h5_write_column(out, created, H5T_NATIVE_DOUBLE, values, dataset);
    eg_free(values);
    return status;
}

static eg_status write_texts(eg_h5_out *out, const eg_journal_state *state, const fixed *variable,
                             eg_h5_variable *created)
{
    const char **values = NULL;
    EG_TRY(eg_alloc(&values, out->lengths[0], sizeof *values));
    for (size_t i = 0; i < out->lengths[0]; i++) {
        values[i] = variable->text(state, i);
    }
    created->type = out->text;
    eg_status status = eg_h5_write_column(out, created, out->text, values, NULL);
    eg_free(values);
    return status;
}

enum { ID_SIZE = 17 };

static eg_status write_ids(eg_h5_out *out, const eg_journal_state *state, eg_h5_variable *created)
{
    const char **values = NULL;
    char *digits = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&values, out->lengths[0], sizeof *values));
    EG_TRY_DONE(status, eg_alloc(&digits, out->lengths[0], ID_SIZE));
    for (size_t i = 0; i < out->lengths[0]; i++) {
        char *text = digits + i * ID_SIZE;
        (void)snprintf(text, ID_SIZE, "%016" PRIx64, trial_of(state, i)->attempt.trial);
        values[i] = text;
    }
    created->type = out->text;
    status = eg_h5_write_column(out, created, out->text, values, NULL);
done:
    eg_free(values);
    eg_free(digits);
    return status;
}

static eg_status write_seeds(eg_h5_out *out, const eg_journal_state *state, eg_h5_variable *created)
{
    uint64_t *values = NULL;
    EG_TRY(eg_alloc(&values, out->lengths[0], sizeof *values));
    for (size_t i = 0; i < out->lengths[0]; i++) {
        values[i] = trial_of(state, i)->seed;
    }
    created->type = H5T_STD_U64LE;
    eg_status status = eg_h5_write_column(out, created, H5T_NATIVE_UINT64, values, NULL);
    eg_free(values);
    return status;
}

static eg_status describe_flags(hid_t dataset)
{
    uint8_t flags[EG_TRIAL_STATUS_COUNT];
    size_t count = 0;
    char meanings[128] = "";
    for (size_t i = 0; i < EG_TRIAL_STATUS_COUNT; i++) {
        const char *name = eg_trial_status_name((eg_trial_status)i);
        if (name == NULL) {
            continue;
        }
        size_t used = strlen(meanings);
        (void)snprintf(meanings + used, sizeof meanings - used, "%s%s", count > 0 ? " " : "", name);
        flags[count++] = (uint8_t)i;
    }
    EG_TRY(eg_h5_attribute_list(dataset, "flag_values", H5T_STD_U8LE, flags, count));
    return eg_h5_attribute_text(dataset, "flag_meanings", meanings);
}

static eg_status write_status(eg_h5_out *out, const eg_journal_state *state,
                              eg_h5_variable *created)
{
    uint8_t *values = NULL;
    hid_t dataset = H5I_INVALID_HID;
    EG_TRY(eg_alloc(&values, out->lengths[0], sizeof *values));
    for (size_t i = 0; i < out->lengths[0]; i++) {
        values[i] = (uint8_t)trial_of(state, i)->status;
    }
    created->type = H5T_STD_U8LE;
    eg_status status = eg_h5_write_column(out, created, H5T_NATIVE_UINT8, values, &dataset);
    if (status.code == EG_OK) {
        status = describe_flags(dataset);
    }
    eg_h5_close(dataset);
    eg_free(values);
    return status;
}

/** The objective is what every record's variable of that name says: its declaration describes it.
 */
static eg_status write_objective(eg_h5_out *out, const eg_journal_state *state,
                                 const fixed *variable, eg_h5_variable *created)
{
    const eg_results *results = &state->owner->results;
    const eg_stored_variable *declared = eg_stored_find(results, variable->name);
    hid_t dataset = H5I_INVALID_HID;
    if (declared != NULL) {
        created->doc = declared->doc;
        created->unit = declared->unit;
    }
    EG_TRY(write_numbers(out, state, variable, created, &dataset));
    eg_status status = eg_h5_attribute_text(dataset, "objective", results->objective);
    eg_status_keep(&status, eg_h5_attribute_text(dataset, "goal",
                                                 results->maximise ? "maximise" : "minimise"));
    if (declared != NULL) {
        uint8_t one = 1;
        eg_status_keep(&status, eg_h5_attribute(dataset, "recorded", H5T_STD_U8LE, &one));
    }
    eg_h5_close(dataset);
    return status;
}

static eg_status write_one(eg_h5_out *out, const eg_journal_state *state, const fixed *variable)
{
    eg_h5_variable created = {.name = variable->name,
                              .rank = 1,
                              .doc = variable->doc,
                              .unit = variable->unit,
                              .coordinate = variable->coordinate};
    switch (variable->kind) {
    case SEED:
        return write_seeds(out, state, &created);
    case STATUS:
        return write_status(out, state, &created);
    case ID:
        return write_ids(out, state, &created);
    case TEXT:
        return write_texts(out, state, variable, &created);
    case OBJECTIVE:
        return write_objective(out, state, variable, &created);
    default:
        return write_numbers(out, state, variable, &created, NULL);
    }
}

eg_status eg_h5_write_fixed(eg_h5_out *out, const eg_journal_state *state)
{
    for (size_t i = 0; i < EG_COUNT(variables); i++) {
        EG_TRY(write_one(out, state, &variables[i]));
    }
    return eg_ok();
}
