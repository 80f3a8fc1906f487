/** The book: applying a journal's frames one after the other; see store/book.h. */
#include "store/book.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

eg_status eg_book_create(eg_book **out)
{
    *out = NULL;
    eg_book *book = NULL;
    EG_TRY(eg_alloc(&book, 1, sizeof *book));
    eg_status status = eg_box_create(&book->box);
    if (status.code != EG_OK) {
        eg_book_free(book);
        return status;
    }
    *out = book;
    return eg_ok();
}

void eg_book_free(eg_book *book)
{
    if (book == NULL) {
        return;
    }
    if (book->box != NULL) {
        eg_results_free(&book->box->results);
    }
    eg_free(book->pages);
    eg_free(book->earlier);
    eg_free(book->sessions);
    eg_index_clear(&book->ids);
    eg_free(book);
}

/** A trial that was running no longer is: it stands where it was before. */
static void fall_back(eg_book *book, size_t trial)
{
    eg_result *result = &book->box->results.trials[trial];
    eg_page *page = &book->pages[trial];
    if (page->curves != 0) {
        result->status = EG_TRIAL_PAUSED;
        page->frame = page->curves;
    } else {
        eg_result_reset(result, book->box->empty);
    }
}

void eg_book_forget_running(eg_book *book)
{
    const eg_results *results = &book->box->results;
    for (size_t i = 0; i < results->trial_count; i++) {
        if (results->trials[i].status == EG_TRIAL_RUNNING) {
            fall_back(book, i);
        }
    }
}

static eg_status apply_session(eg_book *book, eg_reader *reader)
{
    eg_book_forget_running(book);
    EG_TRY(eg_grow(&book->sessions, &book->session_capacity, book->session_count + 1,
                   sizeof *book->sessions));
    EG_TRY(eg_session_read(&book->sessions[book->session_count], &book->box->pool, reader));
    if (book->session_count == 0) {
        book->box->results.created = book->sessions[0].start;
    }
    book->session_count++;
    return eg_ok();
}

static eg_status apply_session_end(eg_book *book, eg_reader *reader, double time)
{
    if (book->session_count == 0) {
        return eg_fail(EG_INVALID, "a session ends that never began");
    }
    eg_book_forget_running(book);
    eg_session_image *session = &book->sessions[book->session_count - 1];
    char *why = NULL;
    EG_TRY(eg_pool_read(&book->box->pool, &why, reader));
    EG_TRY(eg_reader_status(reader, true));
    session->why = why;
    session->end = time;
    return eg_ok();
}

static eg_status find_trial(const eg_book *book, uint64_t id, size_t *out)
{
    *out = eg_index_get(&book->ids, id);
    if (*out == SIZE_MAX) {
        return eg_fail(EG_INVALID, "it is about a trial %016llx that no plan has",
                       (unsigned long long)id);
    }
    return eg_ok();
}

static void take_attempt(eg_book *book, size_t trial, const eg_event *event)
{
    eg_result *result = &book->box->results.trials[trial];
    result->attempt = event->attempt;
    result->rank = event->rank;
    result->host = event->host;
    result->start_time = event->start_time;
    result->wall_seconds = event->wall_seconds;
    eg_page *page = &book->pages[trial];
    page->attempts = event->attempt > page->attempts ? event->attempt : page->attempts;
}

static eg_status apply_started(eg_book *book, eg_reader *reader)
{
    eg_event event = {0};
    size_t trial = 0;
    EG_TRY(eg_started_read(&event, &book->box->pool, reader));
    EG_TRY(find_trial(book, event.id, &trial));
    eg_result *result = &book->box->results.trials[trial];
    if (eg_is_finished(result->status)) {
        /* A retry of a failed trial: what is known stays until there is something better. */
        eg_page *page = &book->pages[trial];
        page->attempts = event.attempt > page->attempts ? event.attempt : page->attempts;
        return eg_ok();
    }
    take_attempt(book, trial, &event);
    result->status = EG_TRIAL_RUNNING;
    book->pages[trial].frame = 0;
    return eg_ok();
}

static eg_status undeclared(const char *name)
{
    return eg_fail(EG_INVALID, "the variable '%s' is not declared like that in the plan", name);
}

eg_status eg_book_declares(const eg_book *book, const eg_record *record)
{
    const eg_results *results = &book->box->results;
    for (size_t i = 0; i < eg_record_count(record); i++) {
        const eg_array *array = eg_record_at(record, i);
        const eg_stored_variable *variable = eg_stored_find(results, array->name);
        if (variable == NULL || variable->rank != array->rank || variable->wide != array->wide) {
            return undeclared(array->name);
        }
    }
    return eg_ok();
}

/** A record on its way into the book: of its values only the objective and what it is reported on stay. */
typedef struct skimmed {
    eg_book *book;
    size_t next; /* where the next variable is looked for first: records mostly share their order */
    double objective, reported;
} skimmed;

static const eg_stored_variable *find_variable(skimmed *s, const char *name)
{
    const eg_results *results = &s->book->box->results;
    for (size_t i = 0; i < results->variable_count; i++) {
        size_t at = (s->next + i) % results->variable_count;
        if (strcmp(results->variables[at].name, name) == 0) {
            s->next = at + 1;
            return &results->variables[at];
        }
    }
    return NULL;
}

/** A new result is there. One that failed has no values: what the trial had before counts for more. */
static void outdate_earlier(const eg_book *book, eg_page *page, eg_trial_status status)
{
    bool failed = eg_is_finished(status) && !eg_has_record(status);
    if (status != EG_TRIAL_PAUSED && page->earlier != 0 &&
        !(failed && eg_has_record(book->earlier[page->earlier - 1].result.status))) {
        page->earlier = 0;
    }
}

/** Keeps what a trial has for as long as there is nothing new. */
static eg_status keep_earlier(eg_book *book, size_t trial)
{
    const eg_result *result = &book->box->results.trials[trial];
    eg_page *page = &book->pages[trial];
    if (page->earlier != 0 || !(eg_is_finished(result->status) || eg_has_record(result->status))) {
        return eg_ok();
    }
    EG_TRY(eg_grow(&book->earlier, &book->earlier_capacity, book->earlier_count + 1,
                   sizeof *book->earlier));
    book->earlier[book->earlier_count++] = (eg_earlier){*result, page->frame};
    page->earlier = book->earlier_count;
    return eg_ok();
}

void eg_book_exchange_earlier(eg_book *book)
{
    for (size_t i = 0; i < book->box->results.trial_count; i++) {
        eg_result *result = &book->box->results.trials[i];
        eg_page *page = &book->pages[i];
        if (page->earlier == 0) {
            continue;
        }
        eg_earlier *earlier = &book->earlier[page->earlier - 1];
        eg_earlier now = {*result, page->frame};
        *result = earlier->result;
        result->id = now.result.id;
        result->point = now.result.point; /* a later plan may have numbered them anew */
        result->replicate = now.result.replicate;
        result->seed = now.result.seed;
        result->stage = now.result.stage;
        page->frame = earlier->frame;
        *earlier = now;
    }
}

static eg_status take_array(void *user, const eg_array_outline *array)
{
    skimmed *s = user;
    const eg_stored_variable *variable = find_variable(s, array->name);
    if (variable == NULL || variable->rank != array->rank || variable->wide != array->wide) {
        return undeclared(array->name);
    }
    for (size_t k = 0; k < array->rank; k++) {
        size_t *longest = &s->book->extents[eg_book_dimension(s->book, variable->dims[k])].length;
        *longest = array->extent[k] > *longest ? array->extent[k] : *longest;
    }
    if (array->rank == 0 && strcmp(array->name, "objective") == 0) {
        s->objective = array->first;
    }
    if (array->rank == 0 && strcmp(array->name, s->book->box->results.objective) == 0) {
        s->reported = array->first;
    }
    return eg_ok();
}

static eg_status take_result(eg_book *book, const eg_event *event, eg_reader *record,
                             uint64_t offset)
{
    size_t trial = 0;
    EG_TRY(find_trial(book, event->id, &trial));
    eg_result *result = &book->box->results.trials[trial];
    if (result->status == EG_TRIAL_DONE || result->status == EG_TRIAL_DIVERGED) {
        book->repeated++;
        return eg_ok();
    }
    if (!eg_is_finished(event->status) && event->status != EG_TRIAL_PAUSED) {
        return eg_fail(EG_INVALID, "a result cannot be '%s'", eg_trial_status_name(event->status));
    }
    skimmed s = {.book = book, .objective = (double)NAN, .reported = (double)NAN};
    if (record != NULL) {
        EG_TRY(eg_record_skim(record, take_array, &s));
        EG_TRY(eg_reader_status(record, true));
    }
    take_attempt(book, trial, event);
    outdate_earlier(book, &book->pages[trial], event->status);
    result->status = event->status;
    result->message = event->message;
    result->objective = s.objective;
    result->reported = s.reported;
    result->session = book->session_count == 0 ? SIZE_MAX : book->session_count - 1;
    eg_page *page = &book->pages[trial];
    page->frame = record != NULL ? offset : 0;
    page->curves = record != NULL ? offset : page->curves;
    page->pauses += event->status == EG_TRIAL_PAUSED;
    return eg_ok();
}

static eg_status apply_result(eg_book *book, eg_reader *reader, uint64_t offset)
{
    eg_event event = {0};
    bool has_record = false;
    EG_TRY(eg_result_read_head(&event, &book->box->pool, reader, &has_record));
    return take_result(book, &event, has_record ? reader : NULL, offset);
}

static eg_status apply_skipped(eg_book *book, eg_reader *reader)
{
    uint64_t id = eg_read_u64(reader);
    char *why = NULL;
    size_t trial = 0;
    EG_TRY(eg_pool_read(&book->box->pool, &why, reader));
    EG_TRY(eg_reader_status(reader, true));
    EG_TRY(find_trial(book, id, &trial));
    eg_result *result = &book->box->results.trials[trial];
    if (eg_is_finished(result->status)) {
        return eg_fail(EG_INVALID, "a finished trial cannot be skipped");
    }
    if (result->status == EG_TRIAL_PAUSED || result->status == EG_TRIAL_STOPPED) {
        result->status = EG_TRIAL_STOPPED; /* with the curves that it has */
    } else {
        eg_result_reset(result, book->box->empty);
        result->status = EG_TRIAL_SKIPPED;
    }
    outdate_earlier(book, &book->pages[trial], result->status);
    result->message = why;
    return eg_ok();
}

static eg_status apply_lost(eg_book *book, eg_reader *reader)
{
    eg_event event = {0};
    size_t trial = 0;
    EG_TRY(eg_lost_read(&event, &book->box->pool, reader));
    EG_TRY(find_trial(book, event.id, &trial));
    eg_result *result = &book->box->results.trials[trial];
    book->pages[trial].losses += event.was_running ? 1 : 0;
    if (!eg_is_finished(result->status)) {
        fall_back(book, trial);
    }
    return eg_ok();
}

static eg_status apply_redo(eg_book *book, eg_reader *reader)
{
    uint64_t id = eg_read_u64(reader);
    size_t trial = 0;
    EG_TRY(eg_reader_status(reader, true));
    EG_TRY(find_trial(book, id, &trial));
    EG_TRY(keep_earlier(book, trial));
    eg_result_reset(&book->box->results.trials[trial], book->box->empty);
    book->pages[trial].redone++;
    book->pages[trial].frame = book->pages[trial].curves = 0;
    book->pages[trial].losses = book->pages[trial].pauses = 0;
    return eg_ok();
}

static eg_status dispatch(eg_book *book, const eg_frame *frame, eg_reader *reader)
{
    switch (frame->type) {
    case EG_FRAME_HEADER:
        return frame->offset == 0 ? eg_header_read(reader) : eg_fail(EG_INVALID, "a second header");
    case EG_FRAME_PLAN:
        return eg_book_apply_plan(book, reader);
    case EG_FRAME_EXTEND:
        return eg_book_apply_extend(book, reader);
    case EG_FRAME_SESSION:
        return apply_session(book, reader);
    case EG_FRAME_SESSION_END:
        return apply_session_end(book, reader, frame->time);
    case EG_FRAME_STARTED:
        return apply_started(book, reader);
    case EG_FRAME_RESULT:
        return apply_result(book, reader, frame->offset);
    case EG_FRAME_SKIPPED:
        return apply_skipped(book, reader);
    case EG_FRAME_REDO:
        return apply_redo(book, reader);
    case EG_FRAME_LOST:
        return apply_lost(book, reader);
    default:
        return eg_fail(EG_INVALID, "unknown type %u", (unsigned)frame->type);
    }
}

eg_status eg_book_apply(eg_book *book, const eg_frame *frame)
{
    eg_reader reader = eg_reader_make(frame->payload, frame->size);
    EG_TRY(dispatch(book, frame, &reader));
    if (frame->time > book->box->results.last_activity) {
        book->box->results.last_activity =
            frame->time; /* merged journals are not in order of time */
    }
    return eg_ok();
}

eg_status eg_book_record(eg_record **out, const eg_book *book, eg_journal *journal, size_t trial)
{
    return eg_book_record_at(out, book, journal, book->pages[trial].frame);
}

eg_status eg_book_record_at(eg_record **out, const eg_book *book, eg_journal *journal,
                            uint64_t offset)
{
    *out = NULL;
    if (offset == 0) {
        return eg_ok();
    }
    eg_frame frame;
    EG_TRY(eg_journal_read(journal, offset, &frame));
    eg_reader reader = eg_reader_make(frame.payload, frame.size);
    eg_event event = {0};
    EG_TRY(eg_result_read(&event, &book->box->pool, &reader));
    *out = event.record;
    return eg_ok();
}

const eg_session_image *eg_book_session(const eg_book *book, size_t trial)
{
    size_t session = book->box->results.trials[trial].session;
    return session < book->session_count ? &book->sessions[session] : NULL;
}

bool eg_book_complete(const eg_book *book)
{
    for (size_t i = 0; i < book->plan_trials; i++) {
        eg_trial_status status = book->box->results.trials[i].status;
        if (!eg_is_finished(status) && !eg_is_cut(status)) {
            return false;
        }
    }
    return book->has_plan;
}
