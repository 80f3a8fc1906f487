/** A tuner while trials run; see run/run_ask.h. */
#include "run/run_ask.h"

#include "engram/clock.h"
#include "engram/memory.h"
#include "run/run_parts.h"

/* How long the tuner may take to end by itself once there is no more to come. */
static const double leave_seconds = 60;

void eg_run_ask_clear(eg_run_ask *ask)
{
    eg_coprocess_free(ask->tuner);
    json_decref(ask->points);
    eg_free(ask->indices);
    eg_free(ask->sent);
    for (size_t i = 0; i < ask->text_count; i++) {
        eg_free(ask->texts[i]);
    }
    *ask = (eg_run_ask){0};
}

static void count_to_come(eg_run *run)
{
    const eg_plan *plan = run->state.plan;
    size_t suggested = run->ask.suggested;
    size_t points = plan->suggestions > suggested ? plan->suggestions - suggested : 0;
    run->state.counts.to_come = points * plan->seed_count;
}

void eg_run_ask_opened(eg_run *run)
{
    run->ask.started = true;
    count_to_come(run);
}

bool eg_run_is_asking(const eg_run *run)
{
    return run->ask.turn == EG_ASK_TRIALS || run->ask.turn == EG_ASK_ANSWER;
}

bool eg_run_ask_expects(const eg_run *run)
{
    return run->ask.turn == EG_ASK_ANSWER || run->ask.turn == EG_ASK_LEAVING ||
           (run->ask.turn == EG_ASK_TRIALS && run->state.counts.unfinished == 0);
}

eg_status eg_run_ask_blame(const eg_run_ask *ask, eg_status what)
{
    if (what.code != EG_INVALID && what.code != EG_SYSTEM) {
        return what;
    }
    return eg_fail(ask->started ? EG_SYSTEM : EG_INVALID, "the tuner %.600s", what.message);
}

eg_status eg_run_ask_check_time(const eg_run_ask *ask)
{
    if (eg_clock() - ask->since <= ask->timeout) {
        return eg_ok();
    }
    return eg_run_ask_blame(ask, eg_fail(EG_SYSTEM,
                                         "has not answered for %.0f s (--ask-timeout): %.200s",
                                         ask->timeout, ask->sent));
}

eg_status eg_run_ask_question(eg_run *run)
{
    eg_run_ask *ask = &run->ask;
    const eg_plan *plan = run->state.plan;
    size_t left = plan->suggestions - ask->suggested;
    ask->wanted = left < plan->batch ? left : plan->batch;
    ask->since = eg_clock();
    ask->turn = EG_ASK_ANSWER;
    eg_free(ask->sent);
    EG_TRY(eg_ask_suggest_line(&ask->sent, ask->wanted));
    return eg_coprocess_say(ask->tuner, ask->sent);
}

eg_status eg_run_ask_take(eg_run *run, const char *answer, size_t count)
{
    eg_run_ask *ask = &run->ask;
    eg_plan *plan = run->state.plan;
    eg_space_value *values = NULL;
    size_t width = 0;
    (void)eg_plan_variables(plan, &width);
    json_decref(ask->points);
    eg_free(ask->indices);
    ask->points = NULL;
    ask->indices = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&ask->indices, count, sizeof *ask->indices));
    EG_TRY_DONE(status, eg_alloc(&values, count * width, sizeof *values));
    status = eg_ask_read_answer(&ask->points, values, plan, answer, count);
    if (status.code == EG_OK) {
        status = eg_status_wrap(eg_plan_suggest(plan, values, count, ask->indices),
                                "suggested what cannot run");
    }
    status = eg_run_ask_blame(ask, status);
    ask->suggested += status.code == EG_OK ? count : 0;
done:
    eg_free(values);
    return status;
}

/** The answer is in the journal, then the plan that has its points; their trials are part of the
 *  run. */
static eg_status take_batch(eg_run *run, const char *answer)
{
    eg_run_ask *ask = &run->ask;
    eg_run_state *state = &run->state;
    const eg_plan *plan = state->plan;
    size_t first = plan->trial_count;
    size_t first_point = plan->point_count;
    EG_TRY(eg_run_ask_take(run, answer, ask->wanted));
    const eg_exchange exchange = {
        .sent = ask->sent, .answer = answer, .suggested = ask->wanted, .wanted = plan->suggestions};
    ask->turn = EG_ASK_TRIALS;
    count_to_come(run);
    EG_TRY(eg_store_exchanged(run->store, &exchange));
    if (plan->trial_count == first) {
        return eg_ok(); /* all there already */
    }
    EG_TRY(eg_run_data_add(&run->data, plan, first_point));
    EG_TRY(eg_store_grow(run->store, plan, state->outcomes, first));
    state->counts.total = plan->trial_count;
    EG_TRY(eg_run_take_on(run, first));
    const eg_run_observer *observer = &run->reporter.observer;
    return observer->plan_grew != NULL ? observer->plan_grew(observer->user, run) : eg_ok();
}

/** Nothing is due, and nothing should come. */
static eg_status listen_to_silence(eg_run *run)
{
    const char *line = NULL;
    eg_run_ask *ask = &run->ask;
    eg_status status = eg_coprocess_poll(ask->tuner, &line);
    if (status.code == EG_OK && line != NULL) {
        status = eg_fail(EG_SYSTEM, "said what nobody asked for: '%.60s'", line);
    }
    if (status.code == EG_SYSTEM && ask->suggested >= run->state.plan->suggestions) {
        /* It was not going to be asked any more. */
        eg_run_reporter_warn(&run->reporter, "the tuner %s; it had suggested all its points",
                             status.message);
        eg_coprocess_free(ask->tuner);
        ask->tuner = NULL;
        ask->turn = EG_ASK_OVER;
        return eg_run_next_stage(run);
    }
    return eg_run_ask_blame(ask, status);
}

/** All trials of the batch have ended: tells the tuner, and asks for the next one. */
static eg_status end_batch(eg_run *run)
{
    eg_run_ask *ask = &run->ask;
    char *line = NULL;
    eg_status status = eg_ask_ingest_line(&line, &run->state, ask->points, ask->indices);
    if (status.code == EG_OK) {
        const eg_exchange exchange = {
            .sent = line, .answer = "", .wanted = run->state.plan->suggestions};
        status = eg_store_exchanged(run->store, &exchange);
    }
    if (status.code == EG_OK) {
        status = eg_coprocess_say(ask->tuner, line);
    }
    eg_free(line);
    EG_TRY(status);
    if (ask->suggested < run->state.plan->suggestions) {
        return eg_run_ask_question(run);
    }
    EG_TRY(eg_coprocess_say(ask->tuner, EG_ASK_FINALIZE_LINE));
    eg_coprocess_hang_up(ask->tuner);
    ask->since = eg_clock();
    ask->turn = EG_ASK_LEAVING;
    return eg_run_next_stage(run);
}

static eg_status await_batch(eg_run *run)
{
    const char *line = NULL;
    eg_run_ask *ask = &run->ask;
    EG_TRY(eg_run_ask_blame(ask, eg_coprocess_poll(ask->tuner, &line)));
    return line != NULL ? take_batch(run, line) : eg_run_ask_check_time(ask);
}

/** What it says on its way out is not looked at. */
static eg_status await_end(eg_run *run)
{
    const char *line = NULL;
    eg_run_ask *ask = &run->ask;
    int code = 0;
    eg_status heard = eg_coprocess_poll(ask->tuner, &line);
    bool ended = eg_coprocess_has_ended(ask->tuner, &code);
    bool late = eg_clock() - ask->since > leave_seconds;
    if (heard.code == EG_MEMORY) {
        return heard;
    }
    if (ended && code != 0) {
        eg_run_reporter_warn(&run->reporter, "the tuner ended with exit code %d at last", code);
    } else if (late && !ended) {
        eg_run_reporter_warn(&run->reporter,
                             "the tuner did not end when all was done, and is ended");
    }
    if (ended || late) {
        eg_coprocess_free(ask->tuner);
        ask->tuner = NULL;
        ask->turn = EG_ASK_OVER;
    }
    return eg_ok();
}

eg_status eg_run_ask_look(eg_run *run)
{
    switch (run->ask.turn) {
    case EG_ASK_TRIALS:
        EG_TRY(listen_to_silence(run));
        return run->ask.turn == EG_ASK_TRIALS && run->state.counts.unfinished == 0 ? end_batch(run)
                                                                                   : eg_ok();
    case EG_ASK_ANSWER:
        return await_batch(run);
    case EG_ASK_LEAVING:
        return await_end(run);
    case EG_ASK_OVER:
        break;
    }
    return eg_ok();
}
