/** Results as bytes; see store/results_pack.h. A text is a number: 0 is NULL, a new number is
 *  followed by its text, so that the thousands of equal settings of a sweep are written once. */
#include "store/results_pack.h"

#include "engram/memory.h"
#include "store/journal/journal_entries.h"

#include <string.h>

enum { DRAIN_BYTES = 4 << 20, COUNT_MAX = 1 << 28 };

/** --- Writing --------------------------------------------------------------------------------- */

typedef struct output {
    eg_drain *drain;
    eg_writer *to;
    eg_index texts; /* address -> number; equal texts of a pool have one address */
} output;

static eg_status put_text(output *o, const char *text)
{
    if (text == NULL) {
        eg_write_u32(o->to, 0);
        return eg_ok();
    }
    uint64_t key = (uint64_t)(uintptr_t)text;
    size_t known = eg_index_get(&o->texts, key);
    if (known != SIZE_MAX) {
        eg_write_u32(o->to, (uint32_t)known);
        return eg_ok();
    }
    size_t number = o->texts.count + 1;
    EG_TRY(eg_index_put(&o->texts, key, number));
    eg_write_u32(o->to, (uint32_t)number);
    eg_write_text(o->to, text);
    return eg_ok();
}

static eg_status put_texts(output *o, char *const *texts, size_t count)
{
    eg_write_u64(o->to, count);
    for (size_t i = 0; i < count; i++) {
        EG_TRY(put_text(o, texts[i]));
    }
    return eg_ok();
}

static eg_status drain(output *o, size_t least)
{
    if (o->to->size < least && !o->to->failed) {
        return eg_ok();
    }
    EG_TRY(eg_writer_status(o->to));
    return o->drain->drain(o->drain->user, o->to);
}

static eg_status put_head(output *o, const eg_results *r)
{
    const char *const texts[] = {r->name, r->doc, r->text, r->overrides, r->objective, r->writer};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        EG_TRY(put_text(o, texts[i]));
    }
    eg_write_u8(o->to, r->maximise ? 1 : 0);
    eg_write_u8(o->to, r->complete ? 1 : 0);
    eg_write_f64(o->to, r->created);
    eg_write_f64(o->to, r->last_activity);
    EG_TRY(put_texts(o, r->warnings, r->warning_count));
    return put_texts(o, r->sessions, r->session_count);
}

static eg_status put_columns(output *o, const eg_results *r)
{
    eg_write_u64(o->to, r->point_count);
    eg_write_u64(o->to, r->column_count);
    for (size_t i = 0; i < r->column_count; i++) {
        const eg_column *column = &r->columns[i];
        EG_TRY(put_text(o, column->name));
        EG_TRY(put_text(o, column->unit));
        EG_TRY(put_text(o, column->doc));
        eg_write_u8(o->to, column->type);
        eg_write_u8(o->to, column->swept ? 1 : 0);
        EG_TRY(put_texts(o, column->text, r->point_count));
        EG_TRY(drain(o, DRAIN_BYTES));
    }
    return eg_ok();
}

static eg_status put_variables(output *o, const eg_results *r)
{
    eg_write_u64(o->to, r->variable_count);
    for (size_t i = 0; i < r->variable_count; i++) {
        const eg_stored_variable *variable = &r->variables[i];
        EG_TRY(put_text(o, variable->name));
        EG_TRY(put_text(o, variable->unit));
        EG_TRY(put_text(o, variable->doc));
        eg_write_u8(o->to, variable->wide ? 1 : 0);
        eg_write_u8(o->to, variable->volatile_ ? 1 : 0);
        EG_TRY(put_texts(o, variable->dims, variable->rank));
    }
    return eg_ok();
}

static eg_status put_trial(output *o, const eg_result *trial)
{
    const eg_attempt *attempt = &trial->attempt;
    eg_write_u64(o->to, attempt->trial);
    eg_write_u32(o->to, trial->point);
    eg_write_u32(o->to, trial->replicate);
    eg_write_u64(o->to, trial->seed);
    eg_write_u8(o->to, (uint8_t)trial->stage);
    eg_write_u8(o->to, (uint8_t)trial->status);
    eg_write_u32(o->to, attempt->number);
    eg_write_u32(o->to, attempt->rank);
    eg_write_u32(o->to, trial->losses);
    eg_write_u32(o->to, trial->pauses);
    EG_TRY(put_text(o, attempt->host));
    EG_TRY(put_text(o, trial->message));
    eg_write_f64(o->to, attempt->start_time);
    eg_write_f64(o->to, attempt->wall_seconds);
    eg_write_f64(o->to, trial->objective);
    eg_write_f64(o->to, trial->reported);
    eg_write_u64(o->to, trial->session);
    eg_write_u8(o->to, trial->record != NULL ? 1 : 0);
    if (trial->record != NULL) {
        eg_record_write(trial->record, o->to);
    }
    return drain(o, DRAIN_BYTES);
}

eg_status eg_results_write(const eg_results *results, eg_drain *out)
{
    output o = {.drain = out, .to = &out->writer};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, put_head(&o, results));
    EG_TRY_DONE(status, put_columns(&o, results));
    EG_TRY_DONE(status, put_variables(&o, results));
    eg_write_u64(o.to, results->trial_count);
    for (size_t i = 0; i < results->trial_count; i++) {
        EG_TRY_DONE(status, put_trial(&o, &results->trials[i]));
    }
    status = drain(&o, 0);
done:
    eg_index_clear(&o.texts);
    return status;
}

/** --- Reading --------------------------------------------------------------------------------- */

typedef struct input {
    eg_results_owner *owner;
    eg_reader *from;
    char **texts; /* by number - 1 */
    size_t count, capacity;
} input;

static eg_status get_text(input *in, char **out)
{
    uint32_t number = eg_read_u32(in->from);
    *out = NULL;
    EG_TRY(eg_reader_status(in->from, false));
    if (number <= in->count) {
        *out = number == 0 ? NULL : in->texts[number - 1];
        return eg_ok();
    }
    if (number != in->count + 1) {
        return eg_fail(EG_INVALID, "a text that was not written");
    }
    EG_TRY(eg_grow(&in->texts, &in->capacity, in->count + 1, sizeof *in->texts));
    EG_TRY(eg_string_pool_read(&in->owner->pool, out, in->from));
    EG_TRY(eg_reader_status(in->from, false));
    in->texts[in->count++] = *out;
    return eg_ok();
}

/** The same where NULL has no meaning. */
static eg_status get_word(input *in, char **out)
{
    EG_TRY(get_text(in, out));
    *out = *out == NULL ? in->owner->empty : *out;
    return eg_ok();
}

/** A count of things of which each takes at least `bytes`. */
static eg_status get_count(input *in, size_t bytes, size_t *out)
{
    uint64_t count = eg_read_u64(in->from);
    EG_TRY(eg_reader_status(in->from, false));
    if (count > COUNT_MAX || count > (in->from->size - in->from->at) / bytes) {
        return eg_fail(EG_INVALID, "a count that cannot be");
    }
    *out = (size_t)count;
    return eg_ok();
}

static eg_status get_lists(input *in)
{
    size_t count = 0;
    EG_TRY(get_count(in, 4, &count));
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        EG_TRY(get_word(in, &text));
        EG_TRY(eg_results_owner_warn(in->owner, "%s", text));
    }
    EG_TRY(get_count(in, 4, &count));
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        EG_TRY(get_word(in, &text));
        EG_TRY(eg_results_owner_add_session(in->owner, text));
    }
    return eg_ok();
}

static eg_status get_head(input *in, eg_results *r)
{
    char **const texts[] = {&r->name, &r->doc, &r->text, &r->overrides, &r->objective};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        EG_TRY(get_word(in, texts[i]));
    }
    EG_TRY(get_text(in, &r->writer));
    r->maximise = eg_read_u8(in->from) != 0;
    r->complete = eg_read_u8(in->from) != 0;
    r->created = eg_read_f64(in->from);
    r->last_activity = eg_read_f64(in->from);
    return get_lists(in);
}

static eg_status get_column(input *in, eg_results *r, eg_column *column)
{
    size_t count = 0;
    EG_TRY(get_word(in, &column->name));
    EG_TRY(get_word(in, &column->unit));
    EG_TRY(get_word(in, &column->doc));
    column->type = eg_read_u8(in->from);
    column->swept = eg_read_u8(in->from) != 0;
    EG_TRY(get_count(in, 4, &count));
    if (count != r->point_count || column->type > EG_TYPE_LAST) {
        return eg_fail(EG_INVALID, "a setting that cannot be");
    }
    EG_TRY(eg_alloc(&column->text, count, sizeof *column->text));
    for (size_t i = 0; i < count; i++) {
        EG_TRY(get_text(in, &column->text[i]));
    }
    return eg_ok();
}

static eg_status get_columns(input *in, eg_results *r)
{
    size_t count = 0;
    EG_TRY(get_count(in, 1, &r->point_count));
    EG_TRY(get_count(in, 1, &count));
    EG_TRY(eg_alloc(&r->columns, count, sizeof *r->columns));
    for (size_t i = 0; i < count; i++) {
        r->column_count = i + 1;
        EG_TRY(get_column(in, r, &r->columns[i]));
    }
    return eg_ok();
}

static eg_status get_variables(input *in, eg_results *r)
{
    size_t count = 0;
    EG_TRY(get_count(in, 1, &count));
    EG_TRY(eg_alloc(&r->variables, count, sizeof *r->variables));
    for (; r->variable_count < count; r->variable_count++) {
        eg_stored_variable *variable = &r->variables[r->variable_count];
        EG_TRY(get_word(in, &variable->name));
        EG_TRY(get_word(in, &variable->unit));
        EG_TRY(get_word(in, &variable->doc));
        variable->wide = eg_read_u8(in->from) != 0;
        variable->volatile_ = eg_read_u8(in->from) != 0;
        EG_TRY(get_count(in, 4, &variable->rank));
        if (variable->rank > EG_RANK_MAX) {
            return eg_fail(EG_INVALID, "a variable that cannot be");
        }
        for (size_t k = 0; k < variable->rank; k++) {
            EG_TRY(get_word(in, &variable->dims[k]));
        }
    }
    return eg_ok();
}

static eg_status get_trial(input *in, const eg_results *r, eg_result *trial)
{
    eg_attempt *attempt = &trial->attempt;
    char *host = NULL;
    attempt->trial = eg_read_u64(in->from);
    trial->point = eg_read_u32(in->from);
    trial->replicate = eg_read_u32(in->from);
    trial->seed = eg_read_u64(in->from);
    uint8_t stage = eg_read_u8(in->from);
    uint8_t status = eg_read_u8(in->from);
    attempt->number = eg_read_u32(in->from);
    attempt->rank = eg_read_u32(in->from);
    trial->losses = eg_read_u32(in->from);
    trial->pauses = eg_read_u32(in->from);
    EG_TRY(get_word(in, &host));
    attempt->host = host;
    EG_TRY(get_word(in, &trial->message));
    attempt->start_time = eg_read_f64(in->from);
    attempt->wall_seconds = eg_read_f64(in->from);
    trial->objective = eg_read_f64(in->from);
    trial->reported = eg_read_f64(in->from);
    trial->session = (size_t)eg_read_u64(in->from);
    bool has_record = eg_read_u8(in->from) != 0;
    EG_TRY(eg_reader_status(in->from, false));
    if (eg_trial_status_name((eg_trial_status)status) == NULL || stage >= EG_STAGE_COUNT ||
        trial->point >= r->point_count) {
        return eg_fail(EG_INVALID, "a trial that cannot be");
    }
    trial->stage = (eg_stage)stage;
    trial->status = (eg_trial_status)status;
    return has_record ? eg_record_read(&trial->record, in->from) : eg_ok();
}

static eg_status get_trials(input *in, eg_results *r)
{
    size_t count = 0;
    EG_TRY(get_count(in, 1, &count));
    EG_TRY(eg_alloc(&r->trials, count, sizeof *r->trials));
    for (; r->trial_count < count; r->trial_count++) {
        EG_TRY(get_trial(in, r, &r->trials[r->trial_count]));
    }
    return eg_reader_status(in->from, true);
}

eg_status eg_results_read(eg_results_owner *owner, eg_reader *reader)
{
    input in = {.owner = owner, .from = reader};
    eg_results *results = &owner->results;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, get_head(&in, results));
    EG_TRY_DONE(status, get_columns(&in, results));
    EG_TRY_DONE(status, get_variables(&in, results));
    status = get_trials(&in, results);
done:
    eg_free(in.texts);
    return status;
}
