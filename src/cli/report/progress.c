/** The progress line of a sweep; see cli/report/progress.h. */
#include "cli/report/progress.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/params.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <unistr.h>
#include <uniwidth.h>

enum { LINE_SIZE = 400 };

static const double terminal_interval = 0.5;
static const double log_interval = 30.0;
static const double json_interval = 2.0;

static size_t width_of(int terminal)
{
    struct winsize size = {0};
    bool known = ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
    return known ? size.ws_col : 80;
}

/** Is the process one of Open MPI's launchers? */
static bool is_mpirun(pid_t process)
{
    static const char *const names[] = {"mpirun", "orterun", "mpiexec", "prterun"};
    char path[64];
    char name[64] = "";
    (void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)process);
    FILE *file = fopen(path, "re");
    bool found = false;
    if (file != NULL) {
        (void)fgets(name, sizeof name, file);
        (void)fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        found = found || strcmp(name, names[i]) == 0;
    }
    return found;
}

/** Columns of the terminal at which standard error ends, asked anew because people resize windows;
 *  0 if there is none. Under mpirun it is a pipe, and mpirun writes what comes out of it to its own
 *  standard error. */
static size_t terminal_width(void)
{
    if (isatty(STDERR_FILENO) == 1) {
        return width_of(STDERR_FILENO);
    }
    pid_t parent = getppid();
    if (!is_mpirun(parent)) {
        return 0;
    }
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/fd/2", (long)parent);
    int terminal = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (terminal < 0) {
        return 0;
    }
    size_t width = isatty(terminal) == 1 ? width_of(terminal) : 0;
    (void)close(terminal);
    return width;
}

eg_progress_line eg_progress_make(eg_progress_mode mode)
{
    double now = eg_clock();
    return (eg_progress_line){
        .mode = mode, .terminal = terminal_width() > 0, .last = now, .start = now};
}

bool eg_progress_due(const eg_progress_line *line)
{
    if (line->mode == EG_PROGRESS_OFF) {
        return false;
    }
    double interval = line->terminal ? terminal_interval : log_interval;
    if (line->mode == EG_PROGRESS_JSON) {
        interval = json_interval;
    }
    return eg_clock() - line->last >= interval;
}

static size_t finished(const eg_progress_facts *facts)
{
    return facts->total - facts->by_status[EG_TRIAL_PENDING] - facts->by_status[EG_TRIAL_RUNNING] -
           facts->by_status[EG_TRIAL_PAUSED];
}

static void write_json(const eg_progress_line *line, const eg_progress_facts *facts)
{
    json_t *object = json_object();
    eg_json_real(object, "time", eg_now());
    eg_json_real(object, "elapsed_seconds", eg_clock() - line->start);
    eg_json_count(object, "total", facts->total);
    eg_json_count(object, "to_come", facts->to_come);
    eg_json_count(object, "finished", finished(facts));
    eg_json_statuses(object, facts->by_status);
    json_t *shares = json_array();
    for (size_t i = 0; i < facts->share_count; i++) {
        (void)json_array_append_new(shares, json_real(facts->shares[i]));
    }
    (void)json_object_set_new(object, "running_shares", shares);
    eg_json_count(object, "workers_lost", facts->workers_lost);
    eg_json_count(object, "retried", facts->retried);
    eg_json_real(object, "trials_per_minute", facts->per_minute);
    eg_json_real(object, "seconds_left", facts->seconds_left);
    eg_json_real(object, "best", facts->best);
    eg_json_text(object, "selected_on", facts->selected_on);
    eg_json_real(object, "best_reported", facts->best_reported);
    eg_json_text(object, "reported_on", facts->reported_on);
    eg_json_text(object, "best_settings", facts->best_settings);
    eg_json_row(stderr, object);
}

/** " (45 %, 12 %)", of many trials " (3 % to 97 %)". */
static void append_shares(char text[LINE_SIZE], const eg_progress_facts *facts)
{
    enum { LISTED_MAX = 4 };
    double least = 1;
    double most = 0;
    for (size_t i = 0; i < facts->share_count; i++) {
        least = fmin(least, facts->shares[i]);
        most = fmax(most, facts->shares[i]);
        if (facts->share_count <= LISTED_MAX) {
            eg_append(text, LINE_SIZE, "%s%.0f %%", i == 0 ? " (" : ", ",
                      floor(100 * facts->shares[i]));
        }
    }
    if (facts->share_count > LISTED_MAX) {
        eg_append(text, LINE_SIZE, " (%.0f %% to %.0f %%", floor(100 * least), floor(100 * most));
    }
    eg_append(text, LINE_SIZE, "%s", facts->share_count > 0 ? ")" : "");
}

static void compose(char text[LINE_SIZE], const eg_progress_facts *facts)
{
    const char *dot = eg_utf8() ? " · " : " | ";
    text[0] = '\0';
    eg_append(text, LINE_SIZE, "%zu/%zu finished%s%zu running", finished(facts), facts->total, dot,
              facts->by_status[EG_TRIAL_RUNNING]);
    append_shares(text, facts);
    if (facts->to_come > 0) {
        eg_append(text, LINE_SIZE, "%s%zu to come", dot, facts->to_come);
    }
    static const eg_trial_status rare[] = {EG_TRIAL_PAUSED, EG_TRIAL_SKIPPED, EG_TRIAL_STOPPED,
                                           EG_TRIAL_DIVERGED, EG_TRIAL_TIMEOUT};
    for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++) {
        if (facts->by_status[rare[i]] > 0) {
            eg_append(text, LINE_SIZE, "%s%zu %s", dot, facts->by_status[rare[i]],
                      eg_trial_status_name(rare[i]));
        }
    }
    eg_append(text, LINE_SIZE, "%s%zu failed", dot, facts->by_status[EG_TRIAL_FAILED]);
    if (isfinite(facts->per_minute)) {
        eg_append(text, LINE_SIZE, "%s%.3g per min", dot, facts->per_minute);
    }
    if (isfinite(facts->seconds_left)) {
        eg_append(text, LINE_SIZE, "%s%s left", dot, eg_duration(facts->seconds_left).text);
    }
    if (isfinite(facts->best)) {
        eg_append(text, LINE_SIZE, "%sbest on %s: %s", dot, facts->best_values,
                  facts->best_settings);
    }
}

/** Cuts a UTF-8 text to `width` columns. */
static void cut(char *text, size_t width)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *next = at;
    ucs4_t character = 0;
    size_t used = 0;
    while ((next = u8_next(&character, at)) != NULL) {
        int columns = uc_width(character, "UTF-8");
        used += columns > 0 ? (size_t)columns : 0;
        if (used > width) {
            text[at - (const uint8_t *)text] = '\0';
            return;
        }
        at = next;
    }
}

void eg_progress_write(eg_progress_line *line, const eg_progress_facts *facts)
{
    if (line->mode == EG_PROGRESS_OFF) {
        return;
    }
    line->last = eg_clock();
    if (line->mode == EG_PROGRESS_JSON) {
        write_json(line, facts);
        return;
    }
    char text[LINE_SIZE];
    compose(text, facts);
    if (line->terminal) {
        size_t width = terminal_width();
        cut(text, width > 0 ? width - 1 : 0);
        (void)fputs("\r\033[K", stderr); /* to the line's start, erase to its end */
        eg_put_safe(stderr, text, strlen(text), false);
        line->drawn = true;
    } else {
        eg_say(stderr, "%s\n", text);
    }
    (void)fflush(stderr);
}

void eg_progress_clear(eg_progress_line *line)
{
    if (line->drawn) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
        line->drawn = false;
    }
}
