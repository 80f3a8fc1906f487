/** A worker in a thread, and this test as its scheduler at the other end of a queue. */
#include "testing.h"

#include "fake_sched.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include "sched/backoff.h"
#include "sched/message.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct scene {
    eg_channel *mine, *its;
    eg_channel_kind kind; /* the worker's end, possibly changed */
    const eg_runner *runner;
    eg_sched_options options;
    size_t begun; /* fake_begun when the conversation begins */
    pthread_t thread;
    eg_pulse pulse;
    bool goodbye;
    eg_status status;
} scene;

static void *work(void *argument)
{
    scene *s = argument;
    s->status = eg_worker_run(s->its, "here", s->runner, &s->options, &s->pulse, &s->goodbye);
    return NULL;
}

/* A peer on another host: only its silence tells. */
static bool gone_if_overdue(const eg_channel *channel, uint32_t peer, bool overdue)
{
    (void)channel;
    (void)peer;
    return overdue;
}

/* A worker that has not begun: what is said meanwhile it hears at once. */
static void prepare(scene *s, const eg_runner *runner, eg_sched_options options, bool remote)
{
    assert_ok(eg_signals_install());
    *s = (scene){.runner = runner, .options = options, .begun = atomic_load(&fake_begun)};
    assert_ok(eg_queue_create(&s->mine, &s->its));
    s->kind = *s->its->kind;
    if (remote) {
        s->kind.gone = gone_if_overdue;
    }
    s->its->kind = &s->kind;
}

static void start(scene *s)
{
    assert_int_equal(pthread_create(&s->thread, NULL, work, s), 0);
}

static void begin(scene *s, const eg_runner *runner, eg_sched_options options)
{
    prepare(s, runner, options, false);
    start(s);
}

static eg_status end(scene *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    s->mine->kind->close(s->mine);
    s->its->kind->close(s->its);
    return s->status;
}

static void say(scene *s, const eg_message *message)
{
    eg_writer bytes = {0};
    assert_ok(eg_message_encode(message, &bytes));
    assert_ok(s->mine->kind->send(s->mine, 0, &bytes));
}

static void say_kind(scene *s, eg_message_kind kind)
{
    const eg_message message = {.kind = kind};
    say(s, &message);
}

static void say_alive(scene *s, const eg_sched_options *options)
{
    const eg_sched_options limits = eg_sched_complete(options);
    const eg_message message = {.kind = EG_MESSAGE_HEARTBEAT,
                                .as.heartbeat = {.heartbeat_seconds = limits.heartbeat_seconds,
                                                 .silence_seconds = limits.silence_seconds}};
    say(s, &message);
}

static void give(scene *s, uint64_t trial, const char *settings)
{
    eg_message message = {.kind = EG_MESSAGE_WORK,
                          .as.work = {.attempt = {.trial = trial, .number = 3},
                                      .seed = trial * trial + 17,
                                      .settings = settings,
                                      .objective = "curve"}};
    say(s, &message);
}

/* The next message within `seconds`; kind 0 if there is none. */
static eg_message hear_within(scene *s, double seconds)
{
    eg_message message = {0};
    eg_packet packet = {0};
    bool have = false;
    double deadline = eg_clock() + seconds;
    while (!have && eg_clock() < deadline) {
        assert_ok(s->mine->kind->receive(s->mine, &packet, &have));
        if (!have) {
            s->mine->kind->wait(s->mine, 0.01);
        }
    }
    if (have) {
        assert_ok(eg_message_decode(&message, packet.data, packet.size));
        eg_free(packet.data);
    }
    return message;
}

/* The next message; the limit only ends a test that would wait for ever. */
static eg_message hear(scene *s)
{
    return hear_within(s, 100);
}

/* Until the n-th trial of this conversation runs. */
static void await_trial(const scene *s, size_t n)
{
    while (atomic_load(&fake_begun) < s->begun + n) {
        eg_sched_sleep(1e-3);
    }
}

static void expect_answer(scene *s, eg_message_kind kind, uint64_t trial)
{
    eg_message message = hear(s);
    assert_int_equal(message.kind, kind);
    if (kind == EG_MESSAGE_RESULT) {
        assert_int_equal(message.as.result.attempt.trial, trial);
        assert_int_equal(message.as.result.attempt.number, 3);
    } else {
        assert_int_equal(message.as.interrupted.trial, trial);
        assert_int_equal(message.as.interrupted.number, 3);
    }
    eg_message_clear(&message);
}

static void expect_left(scene *s, const char *reason)
{
    eg_message message = hear(s);
    assert_int_equal(message.kind, EG_MESSAGE_BYE);
    if (reason[0] == '\0') {
        assert_string_equal(message.as.reason, "");
    } else {
        assert_non_null(strstr(message.as.reason, reason));
    }
    eg_message_clear(&message);
}

static void greet_with(scene *s, const eg_sched_options *options)
{
    say_alive(s, options);
    eg_message ready = hear(s);
    assert_int_equal(ready.kind, EG_MESSAGE_READY);
    assert_string_equal(ready.as.ready.host, "here");
    eg_message_clear(&ready);
}

static void greet(scene *s)
{
    greet_with(s, &s->options);
}

static void acknowledge(scene *s, uint64_t trial)
{
    const eg_attempt attempt = {.trial = trial, .number = 3};
    eg_message message = {.kind = EG_MESSAGE_ACK, .as.ack = {.attempts = &attempt, .count = 1}};
    say(s, &message);
}

static const eg_sched_options slow_heart = {.heartbeat_seconds = 100};

static void test_conversation(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    /* Not a word before the scheduler has spoken. */
    assert_int_equal(hear_within(&s, 0.05).kind, 0);
    greet(&s);
    give(&s, 5, "done 1");
    give(&s, 6, "failed 0");
    expect_answer(&s, EG_MESSAGE_RESULT, 5);
    eg_message failed = hear(&s);
    assert_int_equal(failed.kind, EG_MESSAGE_RESULT);
    assert_int_equal(failed.as.result.status, EG_TRIAL_FAILED);
    assert_string_equal(failed.as.result.message, "trial 6 is broken");
    eg_message_clear(&failed);
    acknowledge(&s, 5);
    acknowledge(&s, 99); /* of no result here: harmless */
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    expect_left(&s, "");
    assert_ok(end(&s));
    assert_true(s.goodbye);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void test_stop(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    greet(&s);
    give(&s, 1, "endless 60000");
    give(&s, 2, "endless 60000");
    await_trial(&s, 1);
    say_kind(&s, EG_MESSAGE_STOP);
    expect_answer(&s, EG_MESSAGE_INTERRUPTED, 2); /* waited: at once */
    expect_answer(&s, EG_MESSAGE_INTERRUPTED, 1); /* ran: at the next minibatch */
    give(&s, 3, "done 0");                        /* crossed the stop on its way */
    expect_answer(&s, EG_MESSAGE_INTERRUPTED, 3);
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    expect_left(&s, "");
    assert_ok(end(&s));
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* Taken for lost: what ran, what waited and what was not acknowledged is dropped without a word. */
static void test_recall(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    greet(&s);
    give(&s, 1, "done 0");
    expect_answer(&s, EG_MESSAGE_RESULT, 1);
    give(&s, 2, "endless 60000");
    give(&s, 3, "endless 60000");
    await_trial(&s, 2);
    say_kind(&s, EG_MESSAGE_RESET);
    eg_message ready = hear(&s);
    assert_int_equal(ready.kind, EG_MESSAGE_READY);
    eg_message_clear(&ready);
    give(&s, 4, "done 0");
    expect_answer(&s, EG_MESSAGE_RESULT, 4);
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    expect_left(&s, "");
    assert_ok(end(&s));
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* The scheduler says how often it wants to hear. */
static void test_heartbeat_is_as_told(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    const eg_sched_options told = {.heartbeat_seconds = 0.05};
    greet_with(&s, &told);
    eg_message message = hear(&s);
    assert_int_equal(message.kind, EG_MESSAGE_PROGRESS);
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    while (message.kind == EG_MESSAGE_PROGRESS) {
        message = hear(&s);
    }
    assert_int_equal(message.kind, EG_MESSAGE_BYE);
    eg_message_clear(&message);
    assert_ok(end(&s));
}

static void test_heartbeat(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, (eg_sched_options){.heartbeat_seconds = 0.1});
    greet(&s);
    eg_message idle = hear(&s);
    assert_int_equal(idle.kind, EG_MESSAGE_PROGRESS);
    assert_false(idle.as.progress.working);
    give(&s, 7, "endless 60000");
    eg_message message = hear(&s);
    while (message.kind == EG_MESSAGE_PROGRESS && !message.as.progress.working) {
        message = hear(&s);
    }
    assert_int_equal(message.kind, EG_MESSAGE_PROGRESS);
    assert_int_equal(message.as.progress.attempt.trial, 7);
    assert_int_equal(message.as.progress.steps, 60000);
    uint64_t step = message.as.progress.step;
    message = hear(&s);
    assert_true(message.as.progress.step > step);
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    while (message.kind == EG_MESSAGE_PROGRESS) {
        message = hear(&s);
    }
    assert_int_equal(message.kind, EG_MESSAGE_INTERRUPTED);
    assert_ok(end(&s));
}

/* A percent of a trial is news long before the heartbeat. Who is to leave interrupts it. */
static void test_reports_every_percent(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    greet(&s);
    give(&s, 7, "endless 6000");
    uint64_t last = 0;
    for (int i = 0; i < 2; i++) {
        eg_message message = hear(&s);
        assert_int_equal(message.kind, EG_MESSAGE_PROGRESS);
        assert_int_equal(message.as.progress.attempt.trial, 7);
        assert_true(message.as.progress.step >= last + 60);
        last = message.as.progress.step;
    }
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    eg_message message = hear(&s);
    while (message.kind == EG_MESSAGE_PROGRESS) {
        message = hear(&s);
    }
    assert_int_equal(message.kind, EG_MESSAGE_INTERRUPTED);
    expect_left(&s, "");
    assert_ok(end(&s));
}

static void test_damaged_message_ends_the_worker(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    greet(&s);
    eg_writer bytes = {0};
    eg_write_u64(&bytes, 42);
    assert_ok(s.mine->kind->send(s.mine, 0, &bytes));
    expect_left(&s, "damaged message");
    assert_fails(end(&s), EG_INVALID, "damaged message");
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void test_damage_during_a_trial(void **state)
{
    (void)state;
    scene s;
    begin(&s, &fake_runner, slow_heart);
    greet(&s);
    give(&s, 1, "endless 60000");
    give(&s, 2, "endless 60000");
    await_trial(&s, 1);
    say_kind(&s, EG_MESSAGE_INTERRUPTED); /* no message for a worker */
    expect_left(&s, "kind 4");
    assert_fails(end(&s), EG_INTERNAL, "kind 4");
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static size_t opened; /* by the runner below */

static eg_status open_second_time(void **state)
{
    *state = NULL;
    return ++opened == 1 ? eg_fail_memory(99) : fake_runner.open(state);
}

static void test_runner_that_does_not_open(void **state)
{
    (void)state;
    scene s;
    opened = 0;
    const eg_runner runner = {
        .open = open_second_time, .run = fake_runner.run, .close = fake_runner.close};
    begin(&s, &runner, slow_heart);
    greet(&s);
    give(&s, 1, "done 0");
    eg_message failed = hear(&s);
    assert_int_equal(failed.as.result.status, EG_TRIAL_FAILED);
    assert_non_null(strstr(failed.as.result.message, "99 bytes"));
    eg_message_clear(&failed);
    give(&s, 2, "done 0");
    eg_message done = hear(&s);
    assert_int_equal(done.as.result.status, EG_TRIAL_DONE);
    eg_message_clear(&done);
    say_kind(&s, EG_MESSAGE_SHUTDOWN);
    expect_left(&s, "");
    assert_ok(end(&s));
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static eg_status run_saving(void *state, const eg_work *work, eg_run_hooks *hooks, eg_record **out)
{
    eg_test_write_file(work->checkpoint, "saved", 5);
    assert_close(work->checkpoint_every, 60.0, 0.0);
    hooks->saved = true;
    hooks->note(hooks->user, true, "a word");
    return fake_runner.run(state, work, hooks, out);
}

/* A checkpoint is dropped when its result is acknowledged, and not before. */
static void test_checkpoint_is_dropped(void **state)
{
    (void)state;
    const eg_runner runner = {
        .open = fake_runner.open, .run = run_saving, .close = fake_runner.close};
    const char *directory = eg_test_directory();
    char path[256];
    (void)snprintf(path, sizeof path, "%s/checkpoint", directory);
    const eg_message job = {.kind = EG_MESSAGE_WORK,
                            .as.work = {.attempt = {.trial = 5, .number = 3},
                                        .seed = 5 * 5 + 17,
                                        .settings = "done 1",
                                        .objective = "curve",
                                        .checkpoint = path,
                                        .checkpoint_every = 60}};
    for (int acknowledged = 0; acknowledged < 2; acknowledged++) {
        scene s;
        begin(&s, &runner, slow_heart);
        greet(&s);
        say(&s, &job);
        eg_message note = hear(&s);
        assert_int_equal(note.kind, EG_MESSAGE_NOTE);
        assert_int_equal(note.as.note.attempt.trial, 5);
        assert_int_equal(note.as.note.attempt.number, 3);
        assert_true(note.as.note.warning);
        assert_string_equal(note.as.note.text, "a word");
        eg_message_clear(&note);
        expect_answer(&s, EG_MESSAGE_RESULT, 5);
        assert_int_equal(access(path, F_OK), 0);
        if (acknowledged == 1) {
            acknowledge(&s, 5);
        }
        say_kind(&s, EG_MESSAGE_SHUTDOWN);
        expect_left(&s, "");
        assert_ok(end(&s));
        assert_int_equal(access(path, F_OK), acknowledged == 1 ? -1 : 0);
    }
    eg_test_remove(directory);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* Heartbeats go unanswered, in a trial and idle, with a result that nobody acknowledged. All that the scheduler ever says
 * is there when the worker begins. */
static void test_silent_scheduler(void **state)
{
    (void)state;
    const eg_sched_options options = {.heartbeat_seconds = 0.05, .silence_seconds = 0.4};
    const char *const settings[] = {"endless 60000", "done 0"};
    for (size_t i = 0; i < 2; i++) {
        scene s;
        prepare(&s, &fake_runner, options, true);
        say_alive(&s, &options);
        give(&s, 1, settings[i]);
        double before = eg_clock();
        start(&s);
        eg_status status = end(&s);
        assert_fails(status, EG_STOPPED, i == 0 ? "not acknowledged: 0" : "not acknowledged: 1");
        assert_true(eg_clock() - before >= options.silence_seconds);
    }
}

static void test_more_patience_before_the_first_word(void **state)
{
    (void)state;
    scene s;
    prepare(&s, &fake_runner,
            (eg_sched_options){.heartbeat_seconds = 0.01, .silence_seconds = 0.05}, true);
    double before = eg_clock();
    start(&s);
    assert_fails(end(&s), EG_STOPPED, "not answered");
    assert_true(eg_clock() - before >= 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_recall),
        cmocka_unit_test(test_heartbeat_is_as_told),
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_reports_every_percent),
        cmocka_unit_test(test_damaged_message_ends_the_worker),
        cmocka_unit_test(test_damage_during_a_trial),
        cmocka_unit_test(test_runner_that_does_not_open),
        cmocka_unit_test(test_checkpoint_is_dropped),
        cmocka_unit_test(test_silent_scheduler),
        cmocka_unit_test(test_more_patience_before_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
