/** Memory that runs out, at every allocation in turn: one clear failure, nothing left behind, nothing half-made.
 *
 *  First the n-th allocation of engram's own (engram/memory.h) for n = 1, 2 … until all goes well, of the later ones, which
 *  repeat what the first do, a part unless ENGRAM_FULL_TESTS=1 is in the environment; then, where the
 *  sanitizers do not own the allocator, the n-th of any at all, those inside libyaml, zlib and the C library too. What
 *  HDF5 does when it has no memory is its own affair: test_store_crash.c has the first kind alone for result files. Reading
 *  sweep files, networks, streams, optimizers, checkpoints and messages have such a test beside their others. */
#include "testing.h"

#include "data/idx.h"
#include "engram/dataset.h"
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/sweep.h"
#include "engram/trial.h"
#include "stores.h"
#include "told_tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static char directory[64];

/* The next n that is tried. */
static size_t next(size_t n)
{
    enum { ALL_OF = 100 };
    return n + (n < ALL_OF || eg_test_full() ? 1 : n / 20);
}

/* A scenario does one thing from beginning to end. */
typedef eg_status (*scenario)(void);

/* Every allocation --------------------------------------------------------------------------------------------- */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define OWN_ALLOCATOR 1
#else
#define OWN_ALLOCATOR 0
#endif

#if OWN_ALLOCATOR
/* The C library lets a program replace its allocator, and keeps its own under these names. */
void *__libc_malloc(size_t size);                     /* NOLINT(bugprone-reserved-identifier) */
void *__libc_calloc(size_t count, size_t size);       /* NOLINT(bugprone-reserved-identifier) */
void *__libc_realloc(void *block, size_t size);       /* NOLINT(bugprone-reserved-identifier) */
void *__libc_memalign(size_t alignment, size_t size); /* NOLINT(bugprone-reserved-identifier) */
void __libc_free(void *block);                        /* NOLINT(bugprone-reserved-identifier) */

static size_t countdown; /* 0: off */
static long outstanding; /* blocks, while counting is on */
static bool counting;

static bool refuse(void)
{
    if (countdown > 0 && --countdown == 0) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

static void *counted(void *block)
{
    outstanding += counting && block != NULL ? 1 : 0;
    return block;
}

void *malloc(size_t size)
{
    return refuse() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return refuse() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    if (refuse()) {
        return NULL;
    }
    return block == NULL ? counted(__libc_realloc(NULL, size)) : __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return refuse() ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *made = refuse() ? NULL : counted(__libc_memalign(alignment, size));
    if (made == NULL) {
        return ENOMEM;
    }
    *block = made;
    return 0;
}

void free(void *block)
{
    outstanding -= counting && block != NULL ? 1 : 0;
    __libc_free(block);
}

static void every_allocation(scenario run, const char *what)
{
    assert_ok(run()); /* the C library keeps some things for good: buffers, locales */
    size_t failures = 0;
    for (size_t n = 1;; n = next(n)) {
        outstanding = 0;
        counting = true;
        countdown = n;
        eg_status status = run();
        bool reached = countdown == 0;
        countdown = 0;
        counting = false;
        if (outstanding != 0) {
            fail_msg("%s: %ld blocks left after allocation %zu failed: %s", what, outstanding, n,
                     status.message);
        }
        failures += status.code == EG_OK ? 0 : 1;
        /* A failure that does no harm may pass unnoticed: a smaller buffer does as well. */
        assert_true(reached || status.code == EG_OK);
        if (!reached) {
            break;
        }
    }
    assert_true(failures > 0);
}
#endif

/* engram's own -------------------------------------------------------------------------------------------------- */

static void own_allocations(scenario run, const char *what)
{
    size_t before = eg_memory_live_blocks();
    size_t n = 1;
    for (;; n = next(n)) {
        eg_memory_fail_after(n);
        eg_status status = run();
        eg_memory_fail_after(0);
        if (eg_memory_live_blocks() != before) {
            fail_msg("%s: blocks left after allocation %zu failed", what, n);
        }
        if (status.code == EG_OK) {
            break;
        }
        if (status.code != EG_MEMORY || strstr(status.message, "memory") == NULL) {
            fail_msg("%s: allocation %zu failed and it says: %s", what, n, status.message);
        }
    }
    assert_true(n > 1);
}

static void exhaust(scenario run, const char *what)
{
    own_allocations(run, what);
#if OWN_ALLOCATOR
    every_allocation(run, what);
#endif
}

/* Scenarios ------------------------------------------------------------------------------------------------------ */

static eg_status settings(void)
{
    static const eg_assignment all[] = {
        {.name = "dataset", .value = "synthetic"},
        {.name = "stream.partition", .value = "[[0, 1], [2, 3, 4]]"},
        {.name = "model.hidden", .value = "[10, 20]"},
        {.name = "model.activation", .value = "hard_ash"},
        {.name = "optimizer", .value = "adam"},
    };
    eg_settings *set = NULL;
    eg_settings *again = NULL;
    char *text = NULL;
    eg_status status = eg_settings_resolve(&set, eg_trial_schema(), all, EG_COUNT(all));
    if (status.code == EG_OK) {
        status = eg_settings_text(&text, set, true);
    }
    if (status.code == EG_OK) {
        status = eg_settings_parse(&again, eg_trial_schema(), text);
    }
    eg_free(text);
    eg_settings_free(again);
    eg_settings_free(set);
    return status;
}

static eg_status sweep(void)
{
    static const char text[] = "name: t\n"
                               "base: &b {optimizer: {adam: {lr: 1e-3}}}\n"
                               "grid: {model.activation: [relu, hard_ash: {alpha: [3, 4]}]}\n"
                               "zip: {z: {stream.epochs: [1, 2], optimizer.clip: [0, 0.5]}}\n"
                               "exclude: [{stream.epochs: 1, model.activation: relu}]\n"
                               "seeds: 2\n"
                               "stop: {halving_seeds: {eta: 2}}\n"
                               "select: {best: 2, seeds: 2}\n";
    static const char *const overrides[] = {"optimizer.beta1=[0.5, 0.9]", "name=u"};
    eg_plan *plan = NULL;
    eg_outcome outcomes[64];
    size_t added = 0;
    EG_TRY(eg_plan_parse(&plan, "t.yaml", text, strlen(text), overrides, EG_COUNT(overrides)));
    for (size_t i = 0; i < plan->trial_count; i++) {
        outcomes[i] = (eg_outcome){.status = EG_TRIAL_DONE, .objective = (double)i};
    }
    eg_status status = eg_plan_select(plan, outcomes, &added);
    eg_plan_free(plan);
    return status;
}

static const char *idx_path;

static eg_status idx(void)
{
    eg_idx file;
    eg_status status = eg_idx_read(&file, idx_path, 1);
    eg_idx_clear(&file);
    return status;
}

static eg_status dataset(void)
{
    eg_settings *set = NULL;
    eg_dataset_cache *cache = NULL;
    const eg_dataset *data = NULL;
    EG_TRY(eg_settings_parse(&set, eg_trial_schema(), "dataset=synthetic\ndataset.examples=20\n"));
    eg_view root = eg_settings_root(set);
    eg_status status = eg_dataset_cache_create(&cache);
    if (status.code == EG_OK) {
        status = eg_dataset_cache_get(cache, &root, &data);
    }
    eg_dataset_cache_free(cache);
    eg_settings_free(set);
    return status;
}

static eg_status record(void)
{
    static const eg_variable curve = {.name = "curve", .dims = {"eval", "task"}, .unit = "1"};
    static const size_t extent[] = {3, 2};
    eg_record *first = NULL;
    eg_record *second = NULL;
    eg_array *array = NULL;
    eg_writer writer = {0};
    eg_status status = eg_record_create(&first);
    if (status.code == EG_OK) {
        eg_record_set_status(first, EG_TRIAL_DIVERGED, "the loss was infinite");
        status = eg_record_declare(first, &curve, extent, &array);
    }
    if (status.code == EG_OK) {
        eg_record_write(first, &writer);
        status = eg_writer_status(&writer);
    }
    if (status.code == EG_OK) {
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        status = eg_record_read(&second, &reader);
    }
    eg_writer_clear(&writer);
    eg_record_free(first);
    eg_record_free(second);
    return status;
}

static const char *learner;

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    (void)progress;
    return true;
}

static eg_status trial(void)
{
    eg_settings *set = NULL;
    eg_record *out = NULL;
    const eg_trial_options options = {.objective = "final_accuracy", .poll = go_on};
    eg_dataset_cache *cache = NULL;
    char text[400];
    const char *model = "model.hidden=[4]\n";
    if (strcmp(learner, "firefly") == 0) {
        model = "model=vgg\nmodel.blocks=[1]\nmodel.width=1\nmodel.bias=false\nmodel.head=conv\n"
                "learner.candidates=1\n";
    } else if (needs_told_tasks(learner)) { /* some want a unit per task */
        model = "model.hidden=[8]\n";
    }
    (void)snprintf(text, sizeof text,
                   "dataset=synthetic\ndataset.examples=40\ndataset.test_examples=10\n"
                   "stream.batch=20\nprotocol.fraction=0.25\nlearner=%s\n%s%s",
                   learner, model, settings_for(learner));
    EG_TRY(eg_settings_parse(&set, eg_trial_schema(), text));
    eg_status status = eg_dataset_cache_create(&cache);
    if (status.code == EG_OK) {
        status = eg_trial_run(&out, set, 0, cache, &options);
    }
    eg_record_free(out);
    eg_dataset_cache_free(cache);
    eg_settings_free(set);
    return status;
}

/* --------------------------------------------------------------------------------------------------------------- */

static void test_settings(void **state)
{
    (void)state;
    exhaust(settings, "settings");
}

static void test_sweep(void **state)
{
    (void)state;
    exhaust(sweep, "sweep");
}

static void test_idx(void **state)
{
    (void)state;
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3};
    idx_path = eg_test_path(directory, "labels.gz");
    gzFile file = gzopen(idx_path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, labels, sizeof labels), sizeof labels);
    assert_int_equal(gzclose(file), Z_OK);
    exhaust(idx, "IDX");
}

static void test_dataset(void **state)
{
    (void)state;
    exhaust(dataset, "dataset");
}

static void test_record(void **state)
{
    (void)state;
    exhaust(record, "record");
}

static void test_trial(void **state)
{
    (void)state;
    for (size_t i = 0; i < eg_learner_family.member_count; i++) {
        learner = eg_learner_family.members[i]->name;
        /* This one needs a stream of tokens: tests/test_growing_experts.c. */
        if (strcmp(learner, "growing_experts") != 0) {
            own_allocations(trial, learner);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, eg_test_directory());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings), cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_idx),      cmocka_unit_test(test_dataset),
        cmocka_unit_test(test_record),   cmocka_unit_test(test_trial),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
