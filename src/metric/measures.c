/** Choosing measures and calling their hooks; see engram/measure.h. */
#include "engram/measure.h"

#include "engram/memory.h"

#include <string.h>

extern const eg_measure_kind eg_measure_default;

static const eg_measure_kind *kind_at(size_t member)
{
    /* A component is the first member of its descriptor. */
    return (const eg_measure_kind *)(const void *)eg_measure_family.members[member];
}

/** Whether setting `measures` names a kind. */
static bool is_named(const eg_measure_scope *scope, const eg_measure_kind *kind)
{
    const eg_value *chosen = eg_view_value(scope->root, "measures");
    bool named = false;
    for (size_t i = 0; i < chosen->count && !named; i++) {
        named = kind_at((size_t)chosen->items[i]) == kind;
    }
    return named;
}

static const char *lacks(const eg_measure_kind *kind, const eg_measure_scope *scope)
{
    return kind->lacks != NULL ? kind->lacks(scope) : NULL;
}

static bool is_default(const eg_measure_kind *kind, const eg_measure_scope *scope)
{
    return kind->order > 0 && lacks(kind, scope) == NULL &&
           (kind->by_default == NULL || kind->by_default(scope));
}

bool eg_measure_is_chosen(const eg_measure_kind *kind, const eg_measure_scope *scope)
{
    if (kind == &eg_measure_default) {
        return false;
    }
    return kind->required || is_named(scope, kind) ||
           (is_named(scope, &eg_measure_default) && is_default(kind, scope));
}

/** Before `other` in the record: by order, those on request last, in the order of the family. */
static bool comes_before(const eg_measure_kind *kind, const eg_measure_kind *other)
{
    return kind->order > 0 && (other->order == 0 || kind->order < other->order);
}

eg_status eg_measures_list(const eg_measure_kind ***out, size_t *count,
                           const eg_measure_scope *scope)
{
    *out = NULL;
    *count = 0;
    size_t members = eg_measure_family.member_count;
    const eg_measure_kind **list = NULL;
    size_t n = 0;
    EG_TRY(eg_alloc(&list, members, sizeof(const eg_measure_kind *)));
    for (size_t m = 0; m < members; m++) {
        const eg_measure_kind *kind = kind_at(m);
        if (!eg_measure_is_chosen(kind, scope)) {
            continue;
        }
        const char *missing = lacks(kind, scope);
        if (missing != NULL) {
            eg_free(list);
            return eg_fail_setting("", "measures", "measures: %s needs %s", kind->component.name,
                                   missing);
        }
        size_t at = n++;
        for (; at > 0 && comes_before(kind, list[at - 1]); at--) {
            list[at] = list[at - 1];
        }
        list[at] = kind;
    }
    *out = list;
    *count = n;
    return eg_ok();
}

double eg_measures_flops(const eg_measure_scope *scope, const eg_measure_work *work)
{
    double flops = 0;
    for (size_t m = 0; m < eg_measure_family.member_count; m++) {
        const eg_measure_kind *kind = kind_at(m);
        if (kind->flops != NULL && is_named(scope, kind)) {
            eg_view view = eg_view_member(scope->root, "measures", kind->component.name);
            flops += kind->flops(&view, work);
        }
    }
    return flops;
}

bool eg_measure_records(const eg_measure_kind *kind, const eg_measure_scope *scope,
                        const eg_variable *variable)
{
    return kind->records == NULL || kind->records(scope, variable);
}

static eg_status open_one(eg_measures *self, const eg_measure_kind *kind)
{
    eg_measure *measure = NULL;
    EG_TRY(eg_alloc(&measure, 1, kind->size));
    *measure = (eg_measure){.kind = kind, .setup = &self->setup};
    self->items[self->count++] = measure;
    self->wants_nll = self->wants_nll || kind->wants_nll;
    if (kind->ops->step != NULL) {
        self->stepped[self->step_count++] = measure;
    }
    if (kind->open == NULL) {
        return eg_ok();
    }
    if (!is_named(&self->setup.scope, kind)) {
        return kind->open(measure, NULL);
    }
    eg_view view = eg_view_member(self->setup.scope.root, "measures", kind->component.name);
    return kind->open(measure, &view);
}

eg_status eg_measures_init(eg_measures *out, const eg_measure_setup *setup)
{
    const eg_measure_kind **kinds = NULL;
    size_t count = 0;
    *out = (eg_measures){.setup = *setup};
    out->setup.others = out;
    EG_TRY(eg_measures_list(&kinds, &count, &setup->scope));
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&out->items, count, sizeof *out->items));
    EG_TRY_DONE(status, eg_alloc(&out->stepped, count, sizeof *out->stepped));
    for (size_t i = 0; i < count; i++) {
        EG_TRY_DONE(status, open_one(out, kinds[i]));
    }
done:
    eg_free(kinds);
    if (status.code != EG_OK) {
        eg_measures_clear(out);
    }
    return status;
}

void eg_measures_clear(eg_measures *measures)
{
    for (size_t i = 0; i < measures->count; i++) {
        eg_measure *measure = measures->items[i];
        if (measure->kind->ops->clear != NULL) {
            measure->kind->ops->clear(measure);
        }
        eg_free(measure);
    }
    eg_free(measures->items);
    eg_free(measures->stepped);
    *measures = (eg_measures){.count = 0};
}

eg_status eg_measures_begin_trial(const eg_measures *measures)
{
    for (size_t i = 0; i < measures->count; i++) {
        eg_measure *measure = measures->items[i];
        if (measure->kind->ops->begin_trial != NULL) {
            EG_TRY(measure->kind->ops->begin_trial(measure));
        }
    }
    return eg_ok();
}

/** One of the hooks that take nothing but the moment. */
typedef eg_status (*hook)(eg_measure *measure, const eg_moment *now);

static eg_status call_one(eg_measure *measure, hook wanted, const eg_moment *now)
{
    return wanted != NULL ? wanted(measure, now) : eg_ok();
}

eg_status eg_measures_begin_phase(const eg_measures *measures, const eg_moment *now)
{
    for (size_t i = 0; i < measures->count; i++) {
        EG_TRY(call_one(measures->items[i], measures->items[i]->kind->ops->begin_phase, now));
    }
    return eg_ok();
}

eg_status eg_measures_step(const eg_measures *measures, const eg_moment *now, const eg_batch *batch,
                           const eg_step_outcome *outcome)
{
    for (size_t i = 0; i < measures->step_count; i++) {
        eg_measure *measure = measures->stepped[i];
        EG_TRY(measure->kind->ops->step(measure, now, batch, outcome));
    }
    return eg_ok();
}

eg_status eg_measures_evaluation(const eg_measures *measures, const eg_moment *now,
                                 const eg_evaluation *evaluation)
{
    for (size_t i = 0; i < measures->count; i++) {
        eg_measure *measure = measures->items[i];
        if (measure->kind->ops->evaluation != NULL) {
            EG_TRY(measure->kind->ops->evaluation(measure, now, evaluation));
        }
    }
    return eg_ok();
}

eg_status eg_measures_end_phase(const eg_measures *measures, const eg_moment *now)
{
    for (size_t i = 0; i < measures->count; i++) {
        EG_TRY(call_one(measures->items[i], measures->items[i]->kind->ops->end_phase, now));
    }
    return eg_ok();
}

eg_status eg_measures_end_trial(const eg_measures *measures, const eg_moment *now)
{
    for (size_t i = 0; i < measures->count; i++) {
        EG_TRY(call_one(measures->items[i], measures->items[i]->kind->ops->end_trial, now));
    }
    for (size_t i = 0; i < measures->count; i++) {
        EG_TRY(call_one(measures->items[i], measures->items[i]->kind->ops->conclude, now));
    }
    return eg_ok();
}

bool eg_measures_selecting(const eg_measures *measures, const char *name, double *out)
{
    bool found = false;
    for (size_t i = 0; i < measures->count && !found; i++) {
        const eg_measure *measure = measures->items[i];
        found = measure->kind->ops->selecting != NULL &&
                measure->kind->ops->selecting(measure, name, out);
    }
    return found;
}

void eg_measures_write(const eg_measures *measures, eg_writer *writer)
{
    for (size_t i = 0; i < measures->count; i++) {
        const eg_measure *measure = measures->items[i];
        if (measure->kind->ops->write != NULL) {
            eg_write_text(writer, measure->kind->component.name);
            measure->kind->ops->write(measure, writer);
        }
    }
}

static eg_status read_one(eg_measure *measure, eg_reader *reader)
{
    const char *name = measure->kind->component.name;
    char *text = NULL;
    EG_TRY(eg_read_text(reader, &text));
    bool same = text != NULL && strcmp(text, name) == 0;
    eg_status status = eg_reader_status(reader, false);
    if (status.code == EG_OK && !same) {
        status = eg_fail(EG_INVALID, "saved state of measure '%s', this is '%s'", text, name);
    }
    eg_free(text);
    return status.code == EG_OK ? measure->kind->ops->read(measure, reader) : status;
}

eg_status eg_measures_read(const eg_measures *measures, eg_reader *reader)
{
    for (size_t i = 0; i < measures->count; i++) {
        if (measures->items[i]->kind->ops->read != NULL) {
            EG_TRY(read_one(measures->items[i], reader));
        }
    }
    return eg_reader_status(reader, false);
}
