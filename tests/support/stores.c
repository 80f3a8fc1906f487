/** Sweeps without training for tests of results; see stores.h. */
#include "stores.h"

#include "testing.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const eg_test_sweep = "name: tiny\n"
                                  "doc: two points, three seeds\n"
                                  "base: {dataset: synthetic, model.hidden: [8, 4]}\n"
                                  "zip:\n"
                                  "  both:\n"
                                  "    optimizer.lr: [0.1, 0.25]\n"
                                  "    model.activation: [hard_ash: {alpha: 3, z_k: 2}, relu]\n"
                                  "seeds: 3\n";

const eg_session eg_test_session = {.command = "engram run tiny.yaml",
                                    .version = "9.8.7",
                                    .build = "test build",
                                    .blas_core = "Testwell",
                                    .blas = "OpenBLAS 0",
                                    .processor = "Test CPU",
                                    .environment = "A=1\nB=two words\n",
                                    .data = "text unit=byte_pair=0123456789abcdef\n",
                                    .vocabularies = "text unit=byte_pair={\"pairs\":[[61,97]]}\n",
                                    .ranks = 2,
                                    .time = 1e9};

const char *eg_test_path(const char *directory, const char *name)
{
    static char buffers[16][256];
    static size_t next;
    char *path = buffers[next++ % 16];
    (void)snprintf(path, sizeof buffers[0], "%s/%s", directory, name);
    return path;
}

char eg_test_place[64];

int eg_test_enter(void **state)
{
    (void)state;
    (void)snprintf(eg_test_place, sizeof eg_test_place, "%s", eg_test_directory());
    return 0;
}

int eg_test_leave(void **state)
{
    (void)state;
    eg_memory_fail_after(0);
    eg_test_remove(eg_test_place);
    return 0;
}

static size_t extent_of(const char *dimension, size_t trial)
{
    if (strcmp(dimension, "eval") == 0) {
        return 3 + trial % 3;
    }
    return strcmp(dimension, "layer") == 0 ? 2 : 4;
}

/** Exact in float32, so that narrow variables come back as they went in. */
static double value_of(size_t trial, size_t variable, size_t i)
{
    return (trial + variable + i) % 5 == 4
               ? (double)NAN
               : (double)trial + (double)variable / 64.0 + (double)i / 1024.0;
}

eg_record *eg_test_record(const eg_plan *plan, size_t trial)
{
    const eg_settings *settings = plan->points[plan->trials[trial].point].settings;
    const eg_variable **variables = NULL;
    size_t count = 0;
    eg_record *record = NULL;
    assert_ok(eg_trial_variables(&variables, &count, settings));
    assert_ok(eg_record_create(&record));
    for (size_t v = 0; v < count; v++) {
        size_t extent[EG_RANK_MAX] = {0};
        eg_array *array = NULL;
        for (size_t k = 0; k < eg_variable_rank(variables[v]); k++) {
            extent[k] = extent_of(variables[v]->dims[k], trial);
        }
        assert_ok(eg_record_declare(record, variables[v], extent, &array));
        for (size_t i = 0; i < array->count; i++) {
            array->data[i] = value_of(trial, v, i);
        }
    }
    eg_trial_status status = eg_test_status(trial);
    eg_record_set_status(record, status, status == EG_TRIAL_DIVERGED ? "the loss was ∞" : "");
    eg_free(variables);
    return record;
}

eg_trial_status eg_test_status(size_t trial)
{
    return trial == 4 ? EG_TRIAL_DIVERGED : trial == 5 ? EG_TRIAL_FAILED : EG_TRIAL_DONE;
}

const eg_attempt *eg_test_attempt(const eg_attempt *like, const eg_plan *plan, size_t trial)
{
    static eg_attempt attempt;
    attempt = *like;
    attempt.trial = plan->trials[trial].id;
    return &attempt;
}

eg_status eg_test_finish(eg_store *store, const eg_plan *plan, size_t trial)
{
    eg_attempt attempt = {.trial = plan->trials[trial].id,
                          .number = 1 + (uint32_t)trial,
                          .rank = (uint32_t)trial % 2,
                          .host = trial % 2 == 0 ? "node-a" : "node-b",
                          .start_time = 2e9 + (double)trial,
                          .wall_seconds = 0.5 * (double)trial};
    EG_TRY(eg_store_started(store, &attempt));
    eg_trial_status status = eg_test_status(trial);
    if (status == EG_TRIAL_FAILED) {
        EG_TRY(eg_store_finished(store, &attempt, status, "no data on \"node-b\"", NULL));
        return eg_store_commit(store);
    }
    eg_record *record = eg_test_record(plan, trial);
    eg_status finished = eg_store_finished(store, &attempt, status, NULL, record);
    eg_record_free(record);
    EG_TRY(finished);
    return eg_store_commit(store);
}

void eg_test_run(const char *path, const eg_plan *plan, size_t from, size_t to)
{
    eg_store *store = NULL;
    eg_outcome *outcomes = NULL;
    assert_ok(eg_alloc(&outcomes, plan->trial_count, sizeof *outcomes));
    assert_ok(eg_store_open(&store, path, plan, &eg_test_session, outcomes));
    for (size_t i = from; i < to; i++) {
        assert_ok(eg_test_finish(store, plan, i));
    }
    assert_ok(eg_store_publish(store, to == plan->trial_count));
    assert_ok(eg_store_close(store, "done"));
    eg_free(outcomes);
}

static void assert_same(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)));
}

/** Every value of `want` is at its place in `got`, and no other number is there. */
static void compare_arrays(const eg_array *want, const eg_array *got, bool padded)
{
    size_t numbers[2] = {0, 0};
    for (size_t i = 0; i < want->count; i++) {
        size_t at = 0;
        size_t stride = 1;
        size_t rest = i;
        for (size_t k = want->rank; k > 0; k--) {
            if (!padded) {
                assert_int_equal(want->extent[k - 1], got->extent[k - 1]);
            }
            assert_true(want->extent[k - 1] <= got->extent[k - 1]);
            at += rest % want->extent[k - 1] * stride;
            rest /= want->extent[k - 1];
            stride *= got->extent[k - 1];
        }
        assert_same(want->data[i], got->data[at]);
        numbers[0] += isnan(want->data[i]) ? 0 : 1;
    }
    for (size_t i = 0; i < got->count; i++) {
        numbers[1] += isnan(got->data[i]) ? 0 : 1;
    }
    assert_int_equal(numbers[0], numbers[1]);
}

static void compare_records(const eg_record *want, const eg_record *got, bool padded)
{
    for (size_t i = 0; i < eg_record_count(want); i++) {
        const eg_array *array = eg_record_at(want, i);
        const eg_array *same = eg_record_find(got, array->name);
        if (same == NULL && padded && array->count == 1) {
            assert_true(isnan(array->data[0]));
            continue;
        }
        assert_non_null(same);
        assert_int_equal(array->rank, same->rank);
        assert_int_equal(array->wide, same->wide);
        compare_arrays(array, same, padded);
    }
    assert_true(eg_record_count(got) <= eg_record_count(want));
}

void eg_test_compare(const eg_plan *plan, size_t trial, const eg_result *result, bool padded)
{
    eg_trial_status status = eg_test_status(trial);
    const eg_plan_trial *planned = &plan->trials[trial];
    assert_true(result->attempt.trial == planned->id);
    assert_true(result->seed == planned->seed);
    assert_int_equal(result->replicate, planned->replicate);
    assert_int_equal(result->status, status);
    assert_int_equal(result->attempt.number, 1 + trial);
    assert_int_equal(result->attempt.rank, trial % 2);
    assert_string_equal(result->attempt.host, trial % 2 == 0 ? "node-a" : "node-b");
    assert_same(result->attempt.start_time, 2e9 + (double)trial);
    assert_same(result->attempt.wall_seconds, 0.5 * (double)trial);
    if (status == EG_TRIAL_FAILED) {
        assert_null(result->record);
        assert_string_equal(result->message, "no data on \"node-b\"");
        assert_true(isnan(result->objective));
        return;
    }
    eg_record *record = eg_test_record(plan, trial);
    assert_string_equal(result->message, eg_record_message(record));
    assert_same(result->objective, eg_record_value(record, "objective"));
    assert_non_null(result->record);
    compare_records(record, result->record, padded);
    eg_record_free(record);
}

const eg_result *eg_test_find(const eg_results *results, const eg_plan *plan, size_t trial)
{
    for (size_t i = 0; i < results->trial_count; i++) {
        if (results->trials[i].attempt.trial == plan->trials[trial].id) {
            return &results->trials[i];
        }
    }
    fail_msg("trial %zu is not in the results", trial);
    return NULL;
}

unsigned char *eg_test_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    unsigned char *data = NULL;
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    assert_ok(eg_alloc(&data, *size + 1, 1));
    assert_int_equal(fread(data, 1, *size, file), *size);
    assert_int_equal(fclose(file), 0);
    return data;
}

eg_results *eg_test_load(const char *path)
{
    eg_results *results = NULL;
    assert_ok(eg_results_load(&results, path));
    return results;
}

const eg_column *eg_test_stored_column(const eg_results *results, const char *name)
{
    for (size_t i = 0; i < results->column_count; i++) {
        if (strcmp(results->columns[i].name, name) == 0) {
            return &results->columns[i];
        }
    }
    fail_msg("no setting %s", name);
    return NULL;
}
