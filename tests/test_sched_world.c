/** One process without a launcher: no MPI at all. */
#include "testing.h"

#include "fake_sched.h"

#include "engram/memory.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

static void test_no_launcher_no_mpi(void **state)
{
    (void)state;
    eg_world *world = NULL;
    int initialized = 1;
    assert_ok(eg_world_create(&world, NULL, NULL));
    assert_int_equal(eg_world_rank(world), 0);
    assert_int_equal(eg_world_size(world), 1);
    assert_int_equal(MPI_Initialized(&initialized), MPI_SUCCESS);
    assert_false(initialized);
    assert_int_equal(eg_world_agree(world, 42), 42);
    eg_sched_dismiss(world);
    eg_world_free(world, 0);
    eg_world_free(NULL, 0);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* srun without an MPI plug-in starts processes that would all run the whole sweep. */
static void test_srun_without_mpi_is_refused(void **state)
{
    (void)state;
    eg_world *world = NULL;
    assert_int_equal(setenv("SLURM_STEP_NUM_TASKS", "4", 1), 0);
    assert_fails(eg_world_create(&world, NULL, NULL), EG_INVALID, "srun started 4 processes");
    assert_null(world);
    assert_int_equal(setenv("SLURM_STEP_NUM_TASKS", "1", 1), 0);
    assert_ok(eg_world_create(&world, NULL, NULL));
    eg_world_free(world, 0);
    assert_int_equal(unsetenv("SLURM_STEP_NUM_TASKS"), 0);
}

static void test_describe(void **state)
{
    (void)state;
    eg_world *world = NULL;
    char *line = NULL, *warnings = NULL;
    assert_ok(eg_world_create(&world, NULL, NULL));
    const eg_sched_options options = {0};
    assert_ok(eg_world_describe(world, &options, &line, &warnings));
    assert_non_null(strstr(line, "1 rank on 1 host: 1 compute thread, "));
    assert_string_equal(warnings, "");
    eg_free(line);
    eg_free(warnings);
    eg_world_free(world, 0);
}

static const char *instant(uint64_t trial)
{
    (void)trial;
    return "done 0";
}

/* Memory runs out at every possible place in turn: a clean failure or a failed trial, and no leak, no hang, no
 * trial that ends twice or never. */
static void test_out_of_memory_anywhere(void **state)
{
    (void)state;
    bool clean = false;
    assert_ok(eg_signals_install());
    for (size_t n = 1; !clean && n < 2000; n++) {
        eg_world *world = NULL;
        assert_ok(eg_world_create(&world, NULL, NULL));
        size_t before = eg_memory_live_blocks();
        fake_ledger ledger = {.trials = 4, .settings = instant};
        eg_sched_client client = fake_client(&ledger);
        const eg_sched_options options = {0};
        eg_memory_fail_after(n);
        eg_status status = eg_sched_run_with(world, &client, &options, &fake_runner);
        eg_memory_fail_after(0);
        assert_int_equal(eg_memory_live_blocks(), before);
        for (size_t i = 0; i < ledger.trials; i++) {
            assert_int_equal(ledger.started[i],
                             ledger.finished[i] + ledger.lost[i] + ledger.interrupted[i]);
        }
        clean = status.code == EG_OK && ledger.finishes == 4 && ledger.wrong == 0;
        assert_true(status.code == EG_OK || status.code == EG_MEMORY || status.code == EG_SYSTEM);
        eg_world_free(world, 0);
    }
    assert_true(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_launcher_no_mpi),
        cmocka_unit_test(test_srun_without_mpi_is_refused),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_out_of_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
