/** A program beside this one: lines in both directions, its end, and that nothing is left of it. */
#include "testing.h"

#include "base/shared/coprocess.h"
#include "engram/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** The next line, however long it takes. */
static eg_status next_line(eg_coprocess *process, const char **line)
{
    *line = NULL;
    while (*line == NULL) {
        EG_TRY(eg_coprocess_poll(process, line));
        if (*line == NULL) {
            eg_coprocess_wait(process, 10);
        }
    }
    return eg_ok();
}

static void expect_line(eg_coprocess *process, const char *text)
{
    const char *line = NULL;
    assert_ok(next_line(process, &line));
    assert_string_equal(line, text);
}

static void expect_end(eg_coprocess *process, const char *words)
{
    const char *line = NULL;
    eg_status status = next_line(process, &line);
    assert_int_equal(status.code, EG_SYSTEM);
    assert_non_null(strstr(status.message, words));
}

static void test_lines(void **state)
{
    (void)state;
    eg_coprocess *cat = NULL;
    assert_ok(eg_coprocess_start(&cat, "cat"));
    assert_ok(eg_coprocess_say(cat, "one"));
    assert_ok(eg_coprocess_say(cat, ""));
    assert_ok(eg_coprocess_say(cat, "two words"));
    expect_line(cat, "one");
    expect_line(cat, "");
    expect_line(cat, "two words");
    eg_coprocess_hang_up(cat);
    expect_end(cat, "ended with exit code 0");
    eg_coprocess_free(cat);
}

/** Much more than pipes hold, in both directions, while nobody waits for anybody. */
static void test_long_lines(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20 };
    eg_coprocess *cat = NULL;
    char *text = malloc(SIZE + 1);
    memset(text, 'x', SIZE);
    text[SIZE] = '\0';
    assert_ok(eg_coprocess_start(&cat, "cat"));
    assert_ok(eg_coprocess_say(cat, text));
    assert_ok(eg_coprocess_say(cat, "short"));
    expect_line(cat, text);
    expect_line(cat, "short");
    eg_coprocess_free(cat);
    free(text);
}

/** What was said before the end is heard, and then how it ended; a line that was not ended is none. */
static void test_ends(void **state)
{
    (void)state;
    static const struct {
        const char *command, *words;
    } ends[] = {{"echo last; printf half; exit 7", "ended with exit code 7"},
                {"echo last; kill -KILL $$", "was ended by signal 9"},
                {"echo last; exec >&-; cat >/dev/null", "closed its standard output"},
                {"echo last; exec no-such-command 2>/dev/null", "exit code 127"},
                /* somebody else holds the pipe */
                {"echo last; sleep 1000 & exit 3", "ended with exit code 3"}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        eg_coprocess *process = NULL;
        assert_ok(eg_coprocess_start(&process, ends[i].command));
        expect_line(process, "last");
        expect_end(process, ends[i].words);
        eg_coprocess_free(process);
    }
}

/** Speaking to one that does not listen any more is no signal to this process. */
static void test_broken_pipe(void **state)
{
    (void)state;
    eg_coprocess *process = NULL;
    (void)signal(SIGPIPE, SIG_DFL);
    assert_ok(eg_coprocess_start(&process, "exec <&-; echo deaf; exec cat /dev/null"));
    expect_line(process, "deaf");
    for (int i = 0; i < 100; i++) {
        assert_ok(eg_coprocess_say(process, "anybody?"));
    }
    expect_end(process, "ended with exit code 0");
    eg_coprocess_free(process);
}

static void test_bad_lines(void **state)
{
    (void)state;
    eg_coprocess *process = NULL;
    assert_ok(eg_coprocess_start(&process, "printf 'a\\000b\\n'; cat"));
    expect_end(process, "a NUL byte");
    eg_coprocess_free(process);
    assert_ok(eg_coprocess_start(&process, "head -c 20000000 /dev/zero | tr '\\0' x; cat"));
    expect_end(process, "a line of more than");
    eg_coprocess_free(process);
}

/** A signal handler that is installed here, or a signal that is ignored, is nothing to it; and it is
 *  ended with all that it started, even if it does not want to. */
static void test_group(void **state)
{
    (void)state;
    eg_coprocess *process = NULL;
    const char *line = NULL;
    char *end = NULL;
    (void)signal(SIGINT, SIG_IGN);
    assert_ok(eg_coprocess_start(&process, "kill -INT $$; echo alive"));
    expect_end(process, "was ended by signal 2");
    eg_coprocess_free(process);
    (void)signal(SIGINT, SIG_DFL);
    assert_ok(eg_coprocess_start(&process, "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; "
                                           "while :; do sleep 1000; done' & cat; wait"));
    assert_ok(next_line(process, &line));
    long child = strtol(line, &end, 10);
    assert_true(child > 1 && *end == '\0');
    assert_int_equal(kill((pid_t)child, 0), 0);
    eg_coprocess_free(process);
    while (kill((pid_t)child, 0) == 0) {
        char path[64];
        char text[512] = "";
        (void)snprintf(path, sizeof path, "/proc/%ld/stat", child);
        FILE *file = fopen(path, "r");
        bool zombie = file == NULL ||
                      (fread(text, 1, sizeof text - 1, file) > 0 && strstr(text, ") Z ") != NULL);
        if (file != NULL) {
            (void)fclose(file);
        }
        if (zombie) {
            break; /* killed, and not yet taken by whoever adopted it */
        }
        const struct timespec moment = {.tv_nsec = 1000000};
        (void)nanosleep(&moment, NULL);
    }
    eg_coprocess_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),     cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_broken_pipe),
        cmocka_unit_test(test_bad_lines), cmocka_unit_test(test_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
