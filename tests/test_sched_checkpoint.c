/** The runner's files of checkpoints: a trial goes on from its own, and says so; one that is damaged or
 *  cannot be written costs nothing but what was in it, and is said. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/memory.h"

#include "sched/worker.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct scene {
    const char *directory;
    char folder[256], path[300]; /* path is in folder, which nobody has made */
    char *settings;
    void *state; /* of the runner */
    double every;
    size_t polls, last;
    size_t notes, warnings;
    char note[EG_MESSAGE_SIZE]; /* the newest */
    bool saved;
} scene;

static bool count_poll(void *user, const eg_progress *progress)
{
    scene *s = user;
    (void)progress;
    return ++s->polls != s->last;
}

static void hear(void *user, bool warning, const char *text)
{
    scene *s = user;
    s->notes++;
    s->warnings += warning;
    (void)snprintf(s->note, sizeof s->note, "%s", text);
}

static void begin(scene *s)
{
    *s = (scene){.directory = eg_test_directory(), .every = 60};
    (void)snprintf(s->folder, sizeof s->folder, "%s/x.checkpoints", s->directory);
    (void)snprintf(s->path, sizeof s->path, "%s/0123456789abcdef", s->folder);
    eg_settings *settings = saved_settings(NULL, NULL);
    assert_ok(eg_settings_text(&s->settings, settings, true));
    eg_settings_free(settings);
    assert_ok(eg_trial_runner.open(&s->state));
}

static void end(scene *s)
{
    eg_trial_runner.close(s->state);
    eg_free(s->settings);
    eg_test_remove(s->directory);
}

/** Runs until poll number `last`; a record only when the trial ended. */
static eg_status run(scene *s, size_t last, eg_record **out)
{
    const eg_work work = {.attempt.number = 2,
                          .seed = 1,
                          .settings = s->settings,
                          .objective = "average_accuracy",
                          .checkpoint = s->path,
                          .checkpoint_every = s->every};
    eg_run_hooks hooks = {.poll = count_poll, .note = hear, .user = s};
    s->polls = s->notes = s->warnings = 0;
    s->last = last;
    s->note[0] = '\0';
    *out = NULL;
    eg_status status = eg_trial_runner.run(s->state, &work, &hooks, out);
    s->saved = hooks.saved;
    return status;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/** The file after an interruption is the only one in its folder. */
static void interrupt(scene *s)
{
    eg_record *record = NULL;
    char temporary[320];
    assert_fails(run(s, 5, &record), EG_STOPPED, "stopped");
    assert_true(s->saved && exists(s->path));
    (void)snprintf(temporary, sizeof temporary, "%s.2.tmp", s->path);
    assert_false(exists(temporary));
}

static void goes_on(void **state)
{
    (void)state;
    scene s;
    begin(&s);
    eg_record *record = NULL;
    assert_ok(run(&s, ENDLESS, &record));
    assert_false(s.saved || exists(s.folder)); /* no time for a checkpoint, no folder */
    assert_int_equal(s.notes, 0);
    double objective = eg_record_value(record, "objective");
    size_t polls = s.polls;
    eg_record_free(record);
    interrupt(&s);
    assert_int_equal(s.notes, 0);
    assert_ok(run(&s, ENDLESS, &record));
    assert_string_equal(s.note, "continued at minibatch 4 of 12");
    assert_int_equal(s.notes, 1);
    assert_int_equal(s.warnings, 0);
    assert_true(s.polls < polls);
    assert_true(s.saved && exists(s.path)); /* until the result is safe */
    assert_close(eg_record_value(record, "objective"), objective, 0.0);
    eg_record_free(record);
    end(&s);
}

/** The trial starts from its beginning, with these words. */
static void expect_fresh_start(scene *s, const char *part)
{
    eg_record *record = NULL;
    assert_ok(run(s, ENDLESS, &record));
    assert_int_equal(s->notes, 1);
    assert_int_equal(s->warnings, 1);
    if (strstr(s->note, part) == NULL) {
        fail_msg("\"%s\" does not contain \"%s\"", s->note, part);
    }
    assert_close(eg_record_value(record, "steps"), 12, 0.0);
    eg_record_free(record);
}

static void damaged_and_foreign(void **state)
{
    (void)state;
    scene s;
    begin(&s);
    interrupt(&s);
    eg_test_write_file(s.path, "nonsense, but long enough for a header", 38);
    expect_fresh_start(&s,
                       "starts from the beginning, its checkpoint cannot be used: these 38 bytes "
                       "are not a checkpoint");
    assert_true(s.saved); /* it has to go in any case */
    eg_test_write_file(s.path, "", 0);
    expect_fresh_start(&s, "these 0 bytes are not a checkpoint");
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(mkdir(s.path, 0777), 0);
    expect_fresh_start(&s, "the checkpoint is not a regular file");
    assert_int_equal(rmdir(s.path), 0);
    /* Nobody writes to the pipe, and nobody could hold the sparse file in memory. */
    assert_int_equal(mkfifo(s.path, 0600), 0);
    expect_fresh_start(&s, "the checkpoint is not a regular file");
    assert_int_equal(unlink(s.path), 0);
    eg_test_write_file(s.path, "", 0);
    assert_int_equal(truncate(s.path, (off_t)1 << 40), 0);
    expect_fresh_start(&s, "these 1099511627776 bytes are not a checkpoint");
    end(&s);
}

static void cannot_be_saved(void **state)
{
    (void)state;
    scene s;
    begin(&s);
    eg_record *record = NULL;
    eg_test_write_file(s.folder, "in the way", 10);
    assert_fails(run(&s, 5, &record), EG_STOPPED, "stopped");
    assert_false(s.saved);
    assert_int_equal(s.warnings, 1);
    assert_non_null(strstr(s.note, "its checkpoint could not be saved: "));
    assert_non_null(strstr(s.note, s.path));
    /* Nor on the way: said once, and the trial goes on to its end. */
    s.every = 1e-9;
    assert_ok(run(&s, ENDLESS, &record));
    assert_int_equal(s.warnings, 1);
    assert_close(eg_record_value(record, "steps"), 12, 0.0);
    eg_record_free(record);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on),
        cmocka_unit_test(damaged_and_foreign),
        cmocka_unit_test(cannot_be_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
