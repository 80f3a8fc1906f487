/** The progress line of a sweep; see cli/progress.h. */
#include "cli/progress.h"

#include "cli/format.h"
#include "cli/json.h"

#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_SIZE = 400 };

static const double terminal_interval = 0.5;
static const double log_interval = 30.0;
static const double json_interval = 2.0;

eg_progress_line eg_progress_make(eg_progress_mode mode)
{
    double now = eg_clock();
    return (eg_progress_line){
        .mode = mode, .terminal = isatty(STDERR_FILENO) == 1, .last = now, .start = now};
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
    eg_json_count(object, "finished", finished(facts));
    for (int s = 0; s < EG_TRIAL_STATUS_COUNT; s++) {
        eg_json_count(object, eg_trial_status_name((eg_trial_status)s), facts->by_status[s]);
    }
    eg_json_count(object, "workers_lost", facts->workers_lost);
    eg_json_count(object, "retried", facts->retried);
    eg_json_real(object, "trials_per_minute", facts->per_minute);
    eg_json_real(object, "seconds_left", facts->seconds_left);
    eg_json_real(object, "best", facts->best);
    eg_json_text(object, "best_settings", facts->best_words);
    eg_json_row(stderr, object);
}

static void compose(char text[LINE_SIZE], const eg_progress_facts *facts)
{
    const char *dot = eg_utf8() ? " · " : " | ";
    text[0] = '\0';
    eg_append(text, LINE_SIZE, "%zu/%zu finished%s%zu running", finished(facts), facts->total, dot,
              facts->by_status[EG_TRIAL_RUNNING]);
    static const eg_trial_status rare[] = {EG_TRIAL_PAUSED, EG_TRIAL_SKIPPED, EG_TRIAL_STOPPED,
                                           EG_TRIAL_DIVERGED};
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
        eg_append(text, LINE_SIZE, "%sbest %s %s", dot,
                  eg_mean_text(facts->best, facts->best_interval).text, facts->best_words);
    }
}

/** Cuts a UTF-8 text to `width` characters. */
static void cut(char *text, size_t width)
{
    size_t characters = 0;
    for (; *text != '\0'; text++) {
        bool first_byte = ((unsigned char)*text & 0xC0U) != 0x80U;
        if (first_byte && characters++ == width) {
            *text = '\0';
            return;
        }
    }
}

static size_t terminal_width(void)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
    return known ? size.ws_col : 80;
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
        cut(text, terminal_width() - 1);
        (void)fprintf(stderr, "\r\033[K%s", text); /* to the line's start, erase to its end */
        line->drawn = true;
    } else {
        (void)fprintf(stderr, "%s\n", text);
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
