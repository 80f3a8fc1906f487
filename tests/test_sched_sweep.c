/** Whole sweeps of fake work, run with 1, 2, 3 and 5 ranks and without MPI: rank 0 keeps the ledger, the others
 *  work. Every test is a collective matter: all ranks go through the same tests in the same order. */
#include "testing.h"

#include "fake_sched.h"

#include <signal.h>
#include <stdio.h>

static eg_world *world;
static const eg_sched_options quick = {.heartbeat_seconds = 0.1};

/* One sweep on all ranks: rank 0 returns what the scheduler said, the others must leave in peace. */
static eg_status sweep(fake_ledger *ledger, const eg_sched_options *options)
{
    assert_ok(eg_signals_install());
    if (eg_world_rank(world) > 0) {
        assert_ok(eg_sched_work_with(world, options, &fake_runner));
        return eg_ok();
    }
    eg_sched_client client = fake_client(ledger);
    return eg_sched_run_with(world, &client, options, &fake_runner);
}

static bool is_rank_0(void)
{
    return eg_world_rank(world) == 0;
}

/* Every trial that was started ended in exactly one way, and was never started twice. */
static void assert_settled(const fake_ledger *ledger)
{
    for (size_t i = 0; i < ledger->trials; i++) {
        assert_true(ledger->started[i] <= 1 + ledger->lost[i]);
        assert_int_equal(ledger->started[i],
                         ledger->finished[i] + ledger->lost[i] + ledger->interrupted[i]);
    }
    assert_int_equal(ledger->wrong, 0);
}

static void assert_all_finished(const fake_ledger *ledger)
{
    assert_settled(ledger);
    assert_int_equal(ledger->finishes, ledger->trials);
    assert_int_equal(ledger->interrupts, 0);
    assert_int_equal(ledger->uncommitted, 0);
}

/* All kinds of endings, 0 to 12 ms each. */
static const char *mixed(uint64_t trial)
{
    static const char *const kinds[] = {"done",     "done",   "failed", "done",
                                        "diverged", "memory", "done",   "stopped"};
    static char text[32];
    (void)snprintf(text, sizeof text, "%s %llu", kinds[trial % 8],
                   (unsigned long long)(trial * 2654435761u % 13));
    return text;
}

static const char *instant(uint64_t trial)
{
    (void)trial;
    return "done 0";
}

static const char *medium(uint64_t trial)
{
    (void)trial;
    return "done 20";
}

/* A folder of this sweep, of which only rank 0 knows; the work carries the names of its files to the others. */
static char folder[128], file_a[160], file_b[160];

static void open_folder(void)
{
    (void)snprintf(folder, sizeof folder, "%s", is_rank_0() ? eg_test_directory() : "");
    (void)snprintf(file_a, sizeof file_a, "%s/a", folder);
    (void)snprintf(file_b, sizeof file_b, "%s/b", folder);
}

static void close_folder(void)
{
    if (is_rank_0()) {
        eg_test_remove(folder);
    }
}

static const char *until_a(uint64_t trial)
{
    static char text[192];
    (void)trial;
    (void)snprintf(text, sizeof text, "until %s", file_a);
    return text;
}

static const char *endless(uint64_t trial)
{
    (void)trial;
    return "endless 0";
}

static void test_every_trial_once(void **state)
{
    (void)state;
    const double means[] = {0, 0.006};
    for (size_t i = 0; i < 2; i++) {
        fake_ledger ledger = {.trials = 150, .settings = mixed, .mean_seconds = means[i]};
        assert_ok(sweep(&ledger, &quick));
        if (is_rank_0()) {
            assert_all_finished(&ledger);
        }
    }
}

/* Nothing ends before every rank has begun something. */
static void test_work_is_shared(void **state)
{
    (void)state;
    size_t ranks = (size_t)eg_world_size(world);
    open_folder();
    fake_ledger ledger = {.trials = 12 * ranks,
                          .settings = until_a,
                          .mean_seconds = 20,
                          .all_busy_file = file_a,
                          .all_busy = 1,
                          .ranks = ranks};
    assert_ok(sweep(&ledger, &quick));
    if (is_rank_0()) {
        assert_all_finished(&ledger);
        for (size_t rank = 0; rank < ranks; rank++) {
            assert_true(ledger.by_rank[rank] > 0);
            assert_int_equal(ledger.out_most[rank], 1); /* long trials: nothing ahead */
        }
    }
    close_folder();
}

/* Nothing ends before every rank has three pieces. */
static void test_short_trials_are_handed_out_ahead(void **state)
{
    (void)state;
    size_t ranks = (size_t)eg_world_size(world);
    open_folder();
    fake_ledger ledger = {.trials = 1000,
                          .settings = until_a,
                          .mean_seconds = 1e-4,
                          .all_busy_file = file_a,
                          .all_busy = 3,
                          .ranks = ranks};
    assert_ok(sweep(&ledger, &quick));
    if (is_rank_0()) {
        assert_all_finished(&ledger);
    }
    close_folder();
}

/* However short trials are, not more are out than the client wants. */
static void test_work_ahead_is_bounded(void **state)
{
    (void)state;
    size_t ranks = (size_t)eg_world_size(world);
    for (size_t each = 1; each <= 3; each++) {
        open_folder();
        fake_ledger ledger = {.trials = 20 * ranks,
                              .settings = until_a,
                              .mean_seconds = 1e-4,
                              .out_max = each * ranks,
                              .all_busy_file = file_a,
                              .all_busy = each,
                              .ranks = ranks};
        assert_ok(sweep(&ledger, &quick));
        if (is_rank_0()) {
            assert_all_finished(&ledger);
            for (size_t rank = 0; rank < ranks; rank++) {
                assert_int_equal(ledger.out_most[rank], each);
            }
        }
        close_folder();
    }
}

/* Acknowledged results are forgotten: memory does not grow with the number of trials. A kept result is at least four
 * blocks; however slow the machine, EG_IN_FLIGHT_MAX pieces at most are with the worker and as many on their way, not
 * a quarter of the trials. With more ranks the results of all of them may wait at rank 0 at once. */
static void test_memory_is_bounded(void **state)
{
    (void)state;
    if (eg_world_size(world) > 1) {
        return;
    }
    fake_ledger ledger = {.trials = 2048, .settings = instant, .mean_seconds = 1e-4};
    assert_ok(sweep(&ledger, &quick));
    assert_all_finished(&ledger);
    assert_true(ledger.most_blocks < 2 * ledger.trials);
}

/* Results that arrive together are forced to disk together. */
static void test_results_share_a_sync(void **state)
{
    (void)state;
    if (eg_world_size(world) > 1) {
        return; /* nobody knows when the results of others arrive */
    }
    fake_ledger ledger = {.trials = 20,
                          .settings = instant,
                          .mean_seconds = 1e-4,
                          .pile = 20,
                          .ended_before = atomic_load(&fake_ended)};
    assert_ok(sweep(&ledger, &quick));
    assert_all_finished(&ledger);
    assert_true(ledger.commits <= 2); /* the last one may just be on its way */
}

static void test_more_work_after_results(void **state)
{
    (void)state;
    fake_ledger ledger = {.trials = 40, .stage = 25, .settings = mixed};
    assert_ok(sweep(&ledger, &quick));
    if (is_rank_0()) {
        assert_all_finished(&ledger);
    }
}

/* What idle brings is handed out, though nothing else is expected from then on, and `next` had nothing before. */
static void test_work_from_elsewhere(void **state)
{
    (void)state;
    for (size_t stage = 0; stage <= 7; stage += 7) {
        fake_ledger ledger = {.trials = 20, .stage = stage, .settings = mixed, .idle_brings = true};
        assert_ok(sweep(&ledger, &quick));
        if (is_rank_0()) {
            assert_all_finished(&ledger);
        }
    }
}

static void test_no_work(void **state)
{
    (void)state;
    fake_ledger ledger = {.trials = 0};
    assert_ok(sweep(&ledger, &quick));
}

static void test_signal_stops(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *name;
    } cases[] = {
        {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGUSR1, "SIGUSR1"}, {SIGHUP, "SIGHUP"}};
    for (size_t i = 0; i < 4; i++) {
        size_t out = (size_t)eg_world_size(world);
        fake_ledger ledger = {
            .trials = 100, .settings = endless, .signal_after = out, .signal = cases[i].number};
        eg_status status = sweep(&ledger, &quick);
        if (is_rank_0()) {
            assert_fails(status, EG_STOPPED, cases[i].name);
            assert_settled(&ledger);
            assert_int_equal(ledger.interrupts, out);
        }
    }
}

/* What runs when the signal comes and what waits behind it are both reported. */
static void test_stop_with_work_ahead(void **state)
{
    (void)state;
    size_t out = 3 * (size_t)eg_world_size(world);
    fake_ledger ledger = {.trials = 100,
                          .settings = endless,
                          .mean_seconds = 0.005,
                          .signal_after = out,
                          .signal = SIGTERM};
    eg_status status = sweep(&ledger, &quick);
    if (is_rank_0()) {
        assert_fails(status, EG_STOPPED, "trials interrupted");
        assert_settled(&ledger);
        assert_int_equal(ledger.interrupts, out);
    }
}

static const char *one_signals(uint64_t trial)
{
    return trial == 0 ? "signal 60000" : "endless 0";
}

/* Ticket 0 goes to the first that is ready; with a dedicated rank 0 that is another process than the scheduler's,
 * and the signal reaches nobody else. */
static void test_signal_at_a_worker_stops_all(void **state)
{
    (void)state;
    if (eg_world_size(world) == 1) {
        return;
    }
    const eg_sched_options options = {.dedicated = true, .heartbeat_seconds = 0.1};
    fake_ledger ledger = {.trials = 100, .settings = one_signals};
    eg_status status = sweep(&ledger, &options);
    if (is_rank_0()) {
        char words[64];
        (void)snprintf(words, sizeof words, "SIGUSR1 (rank %u)", ledger.rank_of[0]);
        assert_fails(status, EG_STOPPED, words);
        assert_settled(&ledger);
        assert_true(ledger.interrupted[0] == 1);
    }
}

static void test_client_failures_end_the_sweep(void **state)
{
    (void)state;
    const struct {
        fake_ledger ledger;
        eg_code code;
        const char *words;
    } cases[] = {
        {{.fail_finished = 5}, EG_SYSTEM, "no space left"},
        {{.fail_next = 7}, EG_INTERNAL, "no idea"},
        {{.fail_started = 4}, EG_SYSTEM, "cannot note"},
        {{.fail_commit = 3}, EG_SYSTEM, "cannot force"},
        {{.fail_idle = 9}, EG_SYSTEM, "cannot draw"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_ledger ledger = cases[i].ledger;
        ledger.trials = 200;
        ledger.settings = medium;
        eg_status status = sweep(&ledger, &quick);
        if (is_rank_0()) {
            assert_fails(status, cases[i].code, cases[i].words);
            assert_settled(&ledger);
            assert_true(ledger.starts < ledger.trials);
            /* Nothing is reported as finished to a client that could not keep it. */
            if (ledger.fail_finished > 0) {
                assert_int_equal(ledger.finishes, ledger.fail_finished);
            }
        }
    }
}

static void test_dedicated_scheduler(void **state)
{
    (void)state;
    const eg_sched_options options = {.dedicated = true};
    fake_ledger ledger = {.trials = 60, .settings = mixed};
    eg_status status = sweep(&ledger, &options);
    if (eg_world_size(world) == 1) {
        assert_fails(status, EG_INVALID, "at least 2 ranks");
        assert_int_equal(ledger.starts, 0);
    } else if (is_rank_0()) {
        assert_ok(status);
        assert_all_finished(&ledger);
        assert_int_equal(ledger.by_rank[0], 0);
    }
}

/* Idle workers and long trials keep talking: nobody takes the silence of a long trial for a death. */
static const char *one_long(uint64_t trial)
{
    return trial == 0 ? "done 800" : "done 1";
}

static void test_heartbeats_outlast_silence_limits(void **state)
{
    (void)state;
    const eg_sched_options options = {.heartbeat_seconds = 0.05, .silence_seconds = 0.2};
    fake_ledger ledger = {.trials = 10, .settings = one_long};
    assert_ok(sweep(&ledger, &options));
    if (is_rank_0()) {
        assert_all_finished(&ledger);
    }
}

/* The one that hangs comes back when it was taken for lost, and everything else ends when it is back. */
static const char *one_hangs(uint64_t trial)
{
    static char text[192];
    (void)snprintf(text, sizeof text, "%s %s", trial == 0 ? "hang" : "until",
                   trial == 0 ? file_a : file_b);
    return text;
}

/* A worker says nothing for too long and then comes with its result: that trial is done elsewhere by then, the
 * late result is dropped, and the worker works again. On a busy machine others may be taken for lost, too. */
static void test_hung_worker_comes_back(void **state)
{
    (void)state;
    size_t ranks = (size_t)eg_world_size(world);
    if (ranks < 3) {
        return; /* nobody would be left */
    }
    open_folder();
    const eg_sched_options options = {
        .dedicated = true, .timeout_seconds = 1, .losses_max = UINT32_MAX};
    fake_ledger ledger = {
        .trials = 8 * ranks, .settings = one_hangs, .lost_file = file_a, .back_file = file_b};
    assert_ok(sweep(&ledger, &options));
    if (is_rank_0()) {
        assert_settled(&ledger);
        assert_int_equal(ledger.finishes, ledger.trials);
        assert_int_equal(ledger.uncommitted, 0);
        assert_true(ledger.workers_lost >= 1);
        assert_true(ledger.workers_back >= 1);
        assert_true(ledger.lost[0] >= 1);
        for (size_t i = 0; i < ledger.trials; i++) {
            assert_int_equal(ledger.finished[i], 1);
        }
    }
    close_folder();
}

static void test_dismissed_workers_leave(void **state)
{
    (void)state;
    if (is_rank_0()) {
        eg_sched_dismiss(world);
    } else {
        assert_ok(eg_sched_work_with(world, &quick, &fake_runner));
    }
}

static void test_exit_codes_are_agreed(void **state)
{
    (void)state;
    assert_int_equal(eg_world_agree(world, is_rank_0() ? 3 : 1), 3);
    assert_int_equal(eg_world_agree(world, is_rank_0() ? 75 : 0), 75);
}

int main(int argc, char **argv)
{
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code != EG_OK) {
        (void)fprintf(stderr, "%s\n", status.message);
        return 1;
    }
    /* The number of ranks is what this run is about: a launcher that was not noticed must not pass. */
    if (argc == 2 && eg_world_size(world) != argv[1][0] - '0') {
        (void)fprintf(stderr, "%d ranks, expected %s\n", eg_world_size(world), argv[1]);
        eg_world_free(world, 1);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_trial_once),
        cmocka_unit_test(test_work_is_shared),
        cmocka_unit_test(test_short_trials_are_handed_out_ahead),
        cmocka_unit_test(test_work_ahead_is_bounded),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_results_share_a_sync),
        cmocka_unit_test(test_more_work_after_results),
        cmocka_unit_test(test_work_from_elsewhere),
        cmocka_unit_test(test_no_work),
        cmocka_unit_test(test_signal_stops),
        cmocka_unit_test(test_stop_with_work_ahead),
        cmocka_unit_test(test_signal_at_a_worker_stops_all),
        cmocka_unit_test(test_client_failures_end_the_sweep),
        cmocka_unit_test(test_dedicated_scheduler),
        cmocka_unit_test(test_heartbeats_outlast_silence_limits),
        cmocka_unit_test(test_hung_worker_comes_back),
        cmocka_unit_test(test_dismissed_workers_leave),
        cmocka_unit_test(test_exit_codes_are_agreed),
    };
    /* Each rank's own verdict counts: mpirun reports the first that is not 0. */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    eg_world_free(world, failed);
    return failed;
}
