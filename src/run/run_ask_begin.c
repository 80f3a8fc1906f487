/** A tuner before trials run: what the journal knows of it is repeated; see run/run_ask.h. */
#include "run/run_ask.h"

#include "engram/clock.h"
#include "engram/memory.h"
#include "run/run_parts.h"

#include <string.h>

static const double look_seconds = 0.1;
static const double timeout_seconds = 3600;

/** The answer to what was sent last. */
static eg_status await(eg_run *run, const char **line)
{
    eg_run_ask *ask = &run->ask;
    *line = NULL;
    while (true) {
        EG_TRY(eg_run_ask_blame(ask, eg_coprocess_poll(ask->tuner, line)));
        if (*line != NULL) {
            return eg_ok();
        }
        if (eg_signals_pending() != 0 || eg_now() >= run->options.stop_at) {
            return eg_fail(EG_STOPPED, "stopped while the tuner was asked");
        }
        EG_TRY(eg_run_ask_check_time(ask));
        eg_coprocess_wait(ask->tuner, look_seconds);
    }
}

/** The plan gets the points of the journal; the last batch is the one in work unless its results
 *  were told. */
static eg_status restore(eg_run *run, const eg_exchanges *known, bool *told)
{
    char *space = NULL;
    EG_TRY(eg_ask_space_line(&space, run->state.plan));
    bool same = known->count == 0 || strcmp(known->items[0].sent, space) == 0;
    eg_free(space);
    if (!same) {
        return eg_fail(EG_INVALID,
                       "%s: its points were suggested for another `sample` or objective; choose "
                       "another file with -o",
                       run->path);
    }
    for (size_t i = 0; i < known->count; i++) {
        const eg_exchange *exchange = &known->items[i];
        if (exchange->suggested > 0) {
            EG_TRY(eg_status_wrap(eg_run_ask_take(run, exchange->answer, exchange->suggested),
                                  "%s, exchange %zu", run->path, i + 1));
        }
        *told = exchange->suggested > 0 ? false : *told || eg_ask_is_ingest(exchange->sent);
    }
    return eg_ok();
}

/** Says everything once more. */
static eg_status repeat(eg_run *run, const eg_exchanges *known)
{
    eg_run_ask *ask = &run->ask;
    for (size_t i = 0; i < known->count; i++) {
        const eg_exchange *exchange = &known->items[i];
        const char *line = NULL;
        eg_free(ask->sent);
        EG_TRY(eg_strdup(&ask->sent, exchange->sent));
        ask->since = eg_clock();
        EG_TRY(eg_coprocess_say(ask->tuner, ask->sent));
        if (exchange->suggested == 0) {
            continue;
        }
        EG_TRY(await(run, &line));
        if (!eg_ask_same_answer(line, exchange->answer)) {
            return eg_run_ask_blame(
                ask, eg_fail(EG_INVALID,
                             "does not suggest what it did before (exchange %zu of %s): '%.100s', "
                             "and then '%.100s'; what it says may depend on what it is told alone, "
                             "so that random numbers need a fixed seed",
                             i + 1, run->path, exchange->answer, line));
        }
    }
    return eg_ok();
}

static eg_status keep_text(eg_run_ask *ask, const char **out, const char *text)
{
    EG_TRY(eg_strdup(&ask->texts[ask->text_count], text));
    *out = ask->texts[ask->text_count++];
    return eg_ok();
}

/** Keeps an exchange for the journal, which is not open yet. */
static eg_status keep(eg_run_ask *ask, const eg_plan *plan, const char *answer, size_t suggested)
{
    eg_exchange *exchange = &ask->fresh[ask->fresh_count];
    *exchange = (eg_exchange){.suggested = suggested, .wanted = plan->suggestions};
    EG_TRY(keep_text(ask, &exchange->sent, ask->sent));
    EG_TRY(keep_text(ask, &exchange->answer, answer));
    ask->fresh_count++;
    return eg_ok();
}

static eg_status introduce(eg_run *run)
{
    eg_run_ask *ask = &run->ask;
    eg_free(ask->sent);
    EG_TRY(eg_ask_space_line(&ask->sent, run->state.plan));
    EG_TRY(eg_coprocess_say(ask->tuner, ask->sent));
    return keep(ask, run->state.plan, "", 0);
}

/** The first batch of all. */
static eg_status ask_first(eg_run *run)
{
    eg_run_ask *ask = &run->ask;
    const char *line = NULL;
    EG_TRY(eg_run_ask_question(run));
    EG_TRY(await(run, &line));
    EG_TRY(eg_run_ask_take(run, line, ask->wanted));
    ask->turn = EG_ASK_TRIALS;
    return keep(ask, run->state.plan, line, ask->wanted);
}

static eg_status begin(eg_run *run, const eg_exchanges *known)
{
    eg_run_ask *ask = &run->ask;
    bool told = false;
    if (known->begun && known->count == 0) {
        return eg_fail(EG_INVALID,
                       "%s holds points that no tuner has suggested; choose another file with -o",
                       run->path);
    }
    EG_TRY(restore(run, known, &told));
    if (told && ask->suggested >= run->state.plan->suggestions) {
        return eg_ok();
    }
    EG_TRY(eg_coprocess_start(&ask->tuner, run->options.ask));
    EG_TRY(repeat(run, known));
    if (known->count == 0) {
        EG_TRY(introduce(run));
    }
    if (ask->suggested == 0) {
        return ask_first(run);
    }
    ask->turn = EG_ASK_TRIALS;
    return told ? eg_run_ask_question(run) : eg_ok();
}

eg_status eg_run_ask_begin(eg_run *run)
{
    eg_exchanges known = {0};
    if (run->state.plan->space == NULL) {
        return eg_ok();
    }
    if (run->options.ask == NULL) {
        return eg_fail(EG_INVALID, "%s: a plan without points needs a tuner",
                       run->state.plan->path);
    }
    run->ask.timeout = run->options.ask_timeout > 0 ? run->options.ask_timeout : timeout_seconds;
    eg_status status = eg_store_exchanges(&known, run->path);
    if (status.code == EG_OK) {
        status = begin(run, &known);
    }
    eg_exchanges_clear(&known);
    return status;
}
