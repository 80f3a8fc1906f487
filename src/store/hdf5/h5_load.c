/** Trials and settings of a result file; see store/hdf5/h5_load.h. */
#include "store/hdf5/h5_load.h"

#include "base/shared/value.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "store/hdf5/h5_input.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_PER_TRIAL = 4096 };

/** Columns of numbers on their way into the trials. */
typedef struct columns {
    double *number;
    uint64_t *seed;
    char **text;
} columns;

typedef void (*set_number)(eg_result *result, double value);
typedef void (*set_text)(eg_result *result, char *value);

static void set_point(eg_result *result, double value)
{
    result->point = (uint32_t)value;
}

static void set_replicate(eg_result *result, double value)
{
    result->replicate = (uint32_t)value;
}

static void set_stage(eg_result *result, double value)
{
    result->stage = (eg_stage)value;
}

static void set_status(eg_result *result, double value)
{
    result->status = (eg_trial_status)value;
}

static void set_pauses(eg_result *result, double value)
{
    result->pauses = (uint32_t)value;
}

static void set_attempt(eg_result *result, double value)
{
    result->attempt.number = (uint32_t)value;
}

static void set_rank(eg_result *result, double value)
{
    result->attempt.rank = (uint32_t)value;
}

static void set_session(eg_result *result, double value)
{
    result->session = value < 0 ? SIZE_MAX : (size_t)value;
}

static void set_start(eg_result *result, double value)
{
    result->attempt.start_time = value;
}

static void set_wall(eg_result *result, double value)
{
    result->attempt.wall_seconds = value;
}

static void set_objective(eg_result *result, double value)
{
    result->objective = value;
}

static void set_id(eg_result *result, char *value)
{
    result->attempt.trial = strtoull(value, NULL, 16);
}

static void set_host(eg_result *result, char *value)
{
    result->attempt.host = value;
}

static void set_message(eg_result *result, char *value)
{
    result->message = value;
}

/** Values outside [min, max] are damage; NaN is not a number that an integer can be. */
static const struct {
    const char *name;
    double min, max;
    bool real;  /* NaN and all numbers */
    bool added; /* files of earlier versions do not have it */
    set_number set;
} numbers[] = {
    {"point", 0, UINT32_MAX, false, false, set_point},
    {"replicate", 0, UINT32_MAX, false, false, set_replicate},
    {"status", 0, EG_TRIAL_STATUS_COUNT - 1, false, false, set_status},
    {"attempt", 0, UINT32_MAX, false, false, set_attempt},
    {"pauses", 0, UINT32_MAX, false, true, set_pauses},
    {"rank", 0, UINT32_MAX, false, false, set_rank},
    {"session", -1, UINT32_MAX, false, false, set_session},
    {"start_time", 0, 0, true, false, set_start},
    {"wall_seconds", 0, 0, true, false, set_wall},
    {"objective", 0, 0, true, false, set_objective},
    {"stage", 0, EG_STAGE_COUNT - 1, false, true, set_stage},
};

static const struct {
    const char *name;
    set_text set;
} texts[] = {{"trial_id", set_id}, {"host", set_host}, {"message", set_message}};

static bool is_good(size_t k, double value)
{
    bool good = value >= numbers[k].min && value <= numbers[k].max;
    if (good && numbers[k].set == set_status) {
        good = eg_trial_status_name((eg_trial_status)value) != NULL;
    }
    return good || numbers[k].real;
}

static eg_status load_numbers(eg_results_owner *owner, hid_t file, double *values)
{
    eg_results *results = &owner->results;
    for (size_t k = 0; k < EG_COUNT(numbers); k++) {
        if (numbers[k].added && !eg_h5_has_link(file, numbers[k].name)) {
            continue;
        }
        EG_TRY(eg_h5_read_column(file, numbers[k].name, results->trial_count, H5T_NATIVE_DOUBLE,
                                 values));
        for (size_t i = 0; i < results->trial_count; i++) {
            if (!is_good(k, values[i])) {
                return eg_fail(EG_INVALID, "damaged: %s of trial %zu is %g", numbers[k].name, i,
                               values[i]);
            }
            numbers[k].set(&results->trials[i], values[i]);
        }
    }
    return eg_ok();
}

static eg_status load_columns(eg_results_owner *owner, hid_t file, const columns *c)
{
    eg_results *results = &owner->results;
    EG_TRY(load_numbers(owner, file, c->number));
    EG_TRY(eg_h5_read_column(file, "seed", results->trial_count, H5T_NATIVE_UINT64, c->seed));
    for (size_t i = 0; i < results->trial_count; i++) {
        results->trials[i].seed = c->seed[i];
        size_t points = (size_t)results->trials[i].point + 1;
        results->point_count = points > results->point_count ? points : results->point_count;
    }
    /* Of a slice's points only some are in its file; a limit keeps a made-up number from costing
     * memory. */
    if (results->point_count / POINTS_PER_TRIAL > results->trial_count) {
        return eg_fail(EG_INVALID, "damaged: %zu trials of %zu points", results->trial_count,
                       results->point_count);
    }
    for (size_t k = 0; k < EG_COUNT(texts); k++) {
        EG_TRY(eg_h5_read_texts(file, texts[k].name, results->trial_count, &owner->pool, c->text));
        for (size_t i = 0; i < results->trial_count; i++) {
            texts[k].set(&results->trials[i], c->text[i]);
        }
    }
    return eg_ok();
}

eg_status eg_h5_load_trials(eg_results_owner *owner, hid_t file, size_t count)
{
    eg_results *results = &owner->results;
    columns c = {0};
    EG_TRY(eg_alloc(&results->trials, count, sizeof *results->trials));
    results->trial_count = count;
    for (size_t i = 0; i < count; i++) {
        results->trials[i].stage = EG_STAGE_FIRST; /* unless the file says something else */
        results->trials[i].reported = (double)NAN;
    }
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&c.number, count, sizeof *c.number));
    EG_TRY_DONE(status, eg_alloc(&c.seed, count, sizeof *c.seed));
    EG_TRY_DONE(status, eg_alloc(&c.text, count, sizeof *c.text));
    status = load_columns(owner, file, &c);
done:
    eg_free(c.number);
    eg_free(c.seed);
    eg_free(c.text);
    return status;
}

/** --- Settings -------------------------------------------------------------------------------- */

/** The text of trial `i`'s value, if another one is known to have the same: the one before, or an
 *  earlier one of the same point, by `first` [points] place + 1; otherwise NULL. */
static char *known_text(const double *reals, const int64_t *integers, char *const *values,
                        const size_t *first, size_t i)
{
    const size_t others[] = {i, *first};
    for (size_t k = 0; k < EG_COUNT(others); k++) {
        size_t at = others[k] - 1; /* before the first: SIZE_MAX */
        if (at < i && reals[at] == reals[i] && signbit(reals[at]) == signbit(reals[i]) &&
            integers[at] == integers[i]) {
            return values[at];
        }
    }
    return NULL;
}

/** Numbers of a setting over `trial` as canonical texts; NULL where the fill value stands. */
static eg_status number_texts(eg_results_owner *owner, hid_t file, const char *name, eg_type type,
                              char **values)
{
    size_t count = owner->results.trial_count;
    const eg_result *trials = owner->results.trials;
    double *reals = NULL;
    int64_t *integers = NULL;
    size_t *first = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&first, owner->results.point_count, sizeof *first));
    EG_TRY_DONE(status, eg_alloc(&reals, count, sizeof *reals));
    EG_TRY_DONE(status, eg_alloc(&integers, count, sizeof *integers));
    EG_TRY_DONE(status, eg_h5_read_column(file, name, count, H5T_NATIVE_DOUBLE, reals));
    if (type != EG_TYPE_REAL) {
        EG_TRY_DONE(status, eg_h5_read_column(file, name, count, H5T_NATIVE_INT64, integers));
    }
    for (size_t i = 0; i < count; i++) {
        char text[EG_NUMBER_TEXT];
        bool missing = false;
        values[i] = known_text(reals, integers, values, &first[trials[i].point], i);
        first[trials[i].point] = i + 1;
        if (values[i] != NULL) {
            continue;
        }
        if (type == EG_TYPE_REAL) {
            missing = isnan(reals[i]);
            eg_real_text(text, missing ? 0.0 : reals[i]);
        } else if (type == EG_TYPE_BOOL) {
            missing = integers[i] > 1;
            (void)strcpy(text, integers[i] == 1 ? "true" : "false");
        } else {
            /* The first where an integer is stored as a double, the second where it is not. */
            missing = isnan(reals[i]) || integers[i] == -9223372036854775806;
            (void)snprintf(text, sizeof text, "%" PRId64, integers[i]);
        }
        if (!missing) {
            EG_TRY_DONE(status, eg_string_pool_add(&owner->pool, &values[i], text));
        }
    }
done:
    eg_free(first);
    eg_free(reals);
    eg_free(integers);
    return status;
}

static eg_status setting_texts(eg_results_owner *owner, hid_t file, const char *name, eg_type type,
                               char **values)
{
    size_t count = owner->results.trial_count;
    if (type == EG_TYPE_BOOL || type == EG_TYPE_INT || type == EG_TYPE_REAL) {
        return number_texts(owner, file, name, type, values);
    }
    EG_TRY(eg_h5_read_texts(file, name, count, &owner->pool, values));
    for (size_t i = 0; i < count && type != EG_TYPE_TEXT; i++) {
        values[i] = values[i][0] == '\0' ? NULL : values[i]; /* only free text may be empty */
    }
    return eg_ok();
}

static eg_status describe_setting(eg_column *column, hid_t dataset, eg_string_pool *pool)
{
    double type = 0;
    double swept = 0;
    EG_TRY(eg_h5_get_text(&column->name, dataset, "parameter_name", NULL, pool));
    EG_TRY(eg_h5_get_text(&column->unit, dataset, "units", "", pool));
    EG_TRY(eg_h5_get_text(&column->doc, dataset, "long_name", "", pool));
    EG_TRY(eg_h5_get_number(&type, dataset, "parameter_type", EG_TYPE_TEXT));
    EG_TRY(eg_h5_get_number(&swept, dataset, "swept", 0));
    if (!(type >= 0 && type <= EG_TYPE_LAST)) {
        return eg_fail(EG_INVALID, "damaged: the type of the setting '%s'", column->name);
    }
    column->type = (uint8_t)type;
    column->swept = swept != 0;
    return eg_ok();
}

/** A column; the last in the list, so that it is released with the results. */
static eg_status load_setting(eg_results_owner *owner, hid_t file, const char *name, hid_t dataset,
                              size_t *capacity)
{
    eg_results *results = &owner->results;
    EG_TRY(
        eg_grow(&results->columns, capacity, results->column_count + 1, sizeof *results->columns));
    eg_column *column = &results->columns[results->column_count];
    *column = (eg_column){0};
    EG_TRY(eg_alloc(&column->text, results->point_count, sizeof *column->text));
    results->column_count++;
    EG_TRY(describe_setting(column, dataset, &owner->pool));
    char **values = NULL;
    EG_TRY(eg_alloc(&values, results->trial_count, sizeof *values));
    eg_status status = setting_texts(owner, file, name, (eg_type)column->type, values);
    for (size_t i = 0; i < results->trial_count && status.code == EG_OK; i++) {
        column->text[results->trials[i].point] = values[i];
    }
    eg_free(values);
    return status;
}

static eg_status load_link(eg_results_owner *owner, hid_t file, const char *name, size_t *capacity,
                           bool brief)
{
    hid_t object = H5Oopen(file, name, H5P_DEFAULT);
    if (object < 0) {
        return eg_fail(EG_INVALID, "damaged: '%s' cannot be opened", name);
    }
    bool dataset = H5Iget_type(object) == H5I_DATASET;
    eg_status status = eg_ok();
    if (dataset && eg_h5_has_attribute(object, "parameter_name")) {
        status = load_setting(owner, file, name, object, capacity);
    } else if (dataset && eg_h5_has_attribute(object, "recorded")) {
        status = eg_h5_load_recorded(owner, file, name, brief);
    }
    eg_h5_close(object);
    return eg_status_wrap(status, "%s", name);
}

eg_status eg_h5_load_variables(eg_results_owner *owner, hid_t file, bool brief)
{
    H5G_info_t info;
    size_t capacity = 0;
    if (H5Gget_info(file, &info) < 0) {
        return eg_fail(EG_INVALID, "damaged: the root group cannot be read");
    }
    for (hsize_t i = 0; i < info.nlinks; i++) {
        char name[256];
        ssize_t length = H5Lget_name_by_idx(file, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i, name,
                                            sizeof name, H5P_DEFAULT);
        if (length <= 0 || (size_t)length >= sizeof name) {
            return eg_fail(EG_INVALID, "damaged: the root group cannot be read");
        }
        EG_TRY(load_link(owner, file, name, &capacity, brief));
    }
    return eg_ok();
}
