/** Learners that predict together; see learner/ensemble.h. */
#include "learner/ensemble.h"

#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

eg_status eg_ensemble_init(eg_ensemble *self, const eg_learner_ops *ops, eg_combination combination,
                           const eg_learner_setup *setup, size_t learning)
{
    self->base.ops = ops;
    self->combination = combination;
    self->outputs = setup->shape.outputs;
    self->learning = learning;
    EG_TRY(eg_alloc(&self->cursor, learning, sizeof *self->cursor));
    EG_TRY(eg_alloc(&self->enough, learning, sizeof *self->enough));
    const size_t rows = setup->block * eg_stream_positions(&setup->shape);
    return eg_alloc(&self->scores, rows, self->outputs * sizeof *self->scores);
}

void eg_ensemble_clear(eg_ensemble *self)
{
    for (size_t m = 0; m < self->count; m++) {
        eg_learner_free(self->member[m]);
    }
    for (size_t s = 0; self->cursor != NULL && s < self->learning; s++) {
        eg_cursor_close(self->cursor[s]);
    }
    eg_free(self->member);
    eg_free(self->cursor);
    eg_free(self->enough);
    eg_free(self->scores);
    eg_free(self->share);
}

eg_status eg_ensemble_add(eg_ensemble *self, const eg_view *view, const eg_learner_setup *setup,
                          uint64_t seed, size_t member)
{
    eg_learner_setup own = *setup;
    own.member = member;
    own.seed = seed;
    EG_TRY(eg_grow(&self->member, &self->capacity, self->count + 1, sizeof(eg_learner *)));
    EG_TRY(eg_learner_create_inside(&self->member[self->count], view, &own));
    const eg_learner *made = self->member[self->count++];
    if (self->share == NULL) {
        self->base.hidden_layers = made->hidden_layers;
        self->base.reads_sparse = made->reads_sparse;
        EG_TRY(eg_alloc(&self->share, made->hidden_layers + 1, sizeof *self->share));
    }
    return eg_ok();
}

eg_status eg_ensemble_open_cursor(eg_ensemble *self, const eg_learner_setup *setup, size_t slot,
                                  size_t member)
{
    const eg_cursor_setup reading = {.member = member,
                                     .trains = true,
                                     .sparse_only = self->member[self->first + slot]->reads_sparse};
    return slot == 0 ? eg_ok() : eg_cursor_open(&self->cursor[slot], setup->stream, &reading);
}

static eg_learner *learner_in(const eg_ensemble *self, size_t slot)
{
    return self->member[self->first + slot];
}

eg_status eg_ensemble_begin_phase(eg_learner *learner, size_t phase)
{
    eg_ensemble *self = (eg_ensemble *)learner;
    self->phase_ended = 0;
    for (size_t s = 0; s < self->learning; s++) {
        self->enough[s] = false;
        EG_TRY(eg_learner_begin_phase(learner_in(self, s), phase));
    }
    return eg_ok();
}

/* The loss is the mean over the members that learn, each on its own minibatch. Together they have
 * no outputs before the update: there is no minibatch that all of them see. */
eg_status eg_ensemble_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_ensemble *self = (eg_ensemble *)learner;
    double sum = 0;
    size_t learning = 0;
    for (size_t s = 0; s < self->learning; s++) {
        eg_learner *member = learner_in(self, s);
        eg_batch own = *batch;
        eg_step_outcome outcome = {.loss = 0};
        if (self->enough[s]) {
            continue;
        }
        if (self->cursor[s] != NULL) {
            eg_cursor_get(self->cursor[s], batch->phase, batch->step, &own);
        }
        EG_TRY(member->ops->step(member, &own, &outcome));
        sum += outcome.loss;
        out->outputs = self->count == 1 ? outcome.outputs : NULL;
        learning++;
    }
    out->loss = sum / (double)learning;
    return eg_ok();
}

eg_status eg_ensemble_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    eg_ensemble *self = (eg_ensemble *)learner;
    for (; self->epoch_ended < self->learning; self->epoch_ended++) {
        size_t s = self->epoch_ended;
        if (!self->enough[s]) {
            EG_TRY(eg_learner_end_epoch(learner_in(self, s), phase, epoch, &self->enough[s]));
        }
    }
    self->epoch_ended = 0;
    *enough = true;
    for (size_t s = 0; s < self->learning; s++) {
        *enough = *enough && self->enough[s];
    }
    return eg_ok();
}

eg_status eg_ensemble_end_phase(eg_learner *learner, size_t phase)
{
    eg_ensemble *self = (eg_ensemble *)learner;
    for (; self->phase_ended < self->learning; self->phase_ended++) {
        EG_TRY(eg_learner_end_phase(learner_in(self, self->phase_ended), phase));
    }
    return eg_ok();
}

/* Of all that learn. */
static size_t sum_polls(const eg_learner *learner, size_t phase,
                        size_t (*of)(const eg_learner *learner, size_t phase))
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    size_t polls = 0;
    for (size_t s = 0; s < self->learning; s++) {
        polls += of(learner_in(self, s), phase);
    }
    return polls;
}

size_t eg_ensemble_begin_phase_polls(const eg_learner *learner, size_t phase)
{
    return sum_polls(learner, phase, eg_learner_begin_phase_polls);
}

size_t eg_ensemble_end_epoch_polls(const eg_learner *learner, size_t phase)
{
    return sum_polls(learner, phase, eg_learner_end_epoch_polls);
}

size_t eg_ensemble_end_phase_polls(const eg_learner *learner, size_t phase)
{
    return sum_polls(learner, phase, eg_learner_end_phase_polls);
}

eg_status eg_ensemble_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_ensemble *self = (eg_ensemble *)learner;
    if (self->count == 1) {
        return self->member[0]->ops->predict(self->member[0], batch, scores);
    }
    memset(scores, 0, eg_batch_rows(batch) * self->outputs * sizeof *scores);
    for (size_t m = 0; m < self->count; m++) {
        EG_TRY(self->member[m]->ops->predict(self->member[m], batch, self->scores));
        eg_combination_add(self->combination, self->count, batch, self->outputs, self->scores,
                           scores);
    }
    return eg_ok();
}

eg_scores eg_ensemble_scores(const eg_learner *learner)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    if (self->count == 1 || self->combination == EG_COMBINATION_SCORES) {
        return eg_learner_scores(self->member[0]);
    }
    return self->combination == EG_COMBINATION_PROBABILITIES ? EG_SCORES_PROBABILITIES
                                                             : EG_SCORES_OTHER;
}

void eg_ensemble_activity(const eg_learner *learner, double *out)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    memset(out, 0, learner->hidden_layers * sizeof *out);
    for (size_t m = 0; m < self->count; m++) {
        eg_learner_activity(self->member[m], self->share);
        for (size_t i = 0; i < learner->hidden_layers; i++) {
            out[i] += self->share[i] / (double)self->count;
        }
    }
}

bool eg_ensemble_network(eg_learner *learner, size_t index, eg_learner_network *out)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    for (size_t m = 0; m < self->count; m++) {
        eg_learner *member = self->member[m];
        size_t own = 0;
        while (member->ops->network != NULL && member->ops->network(member, own, out)) {
            if (index-- == 0) {
                return true;
            }
            own++;
        }
    }
    return false;
}

bool eg_ensemble_replaced(const eg_learner *learner, double *counts)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    bool any = false;
    for (size_t m = 0; m < self->count; m++) {
        any = eg_learner_replaced(self->member[m], counts) || any;
    }
    return any;
}

const double *eg_ensemble_epoch_scores(const eg_learner *learner, size_t index, size_t *count)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    const double *found = NULL;
    *count = 0;
    for (size_t s = 0; s < self->learning && found == NULL; s++) {
        size_t own = 0;
        found = eg_learner_epoch_scores(learner_in(self, s), 0, count);
        while (found != NULL && index > 0) {
            index--;
            found = eg_learner_epoch_scores(learner_in(self, s), ++own, count);
        }
    }
    return found;
}

void eg_ensemble_freeze(eg_learner *learner)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    for (size_t s = 0; s < self->learning; s++) {
        eg_learner_freeze(learner_in(self, s));
    }
}

void eg_ensemble_rest(eg_learner *learner)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    for (size_t m = 0; m < self->count; m++) {
        eg_learner_rest(self->member[m]);
    }
}

double eg_ensemble_flops(const eg_learner *learner)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    double sum = 0;
    for (size_t m = 0; m < self->count; m++) {
        sum += self->member[m]->ops->flops(self->member[m]);
    }
    return sum;
}

double eg_ensemble_extra_flops(const eg_learner *learner)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    double sum = 0;
    for (size_t m = 0; m < self->count; m++) {
        sum += eg_learner_extra_flops(self->member[m]);
    }
    return sum;
}

bool eg_ensemble_costs(const eg_learner *learner, eg_learner_costs *out)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    bool counts = true;
    for (size_t m = 0; m < self->count; m++) {
        counts = eg_learner_add_costs(self->member[m], out) && counts;
    }
    return counts;
}

eg_status eg_ensemble_weights_of(const eg_ensemble *self, size_t m, const char *group,
                                 const eg_weights_pass *pass)
{
    eg_weights_pass own = *pass;
    int length = snprintf(own.prefix, sizeof own.prefix, "%s%s/", pass->prefix, group);
    if (length < 0 || (size_t)length >= sizeof own.prefix) {
        return eg_fail(EG_INVALID, "weights: ensembles are nested too deeply");
    }
    return eg_learner_weights(self->member[m], &own);
}

eg_status eg_ensemble_weights(eg_learner *learner, eg_weights_pass *pass)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    for (size_t m = 0; m < self->count; m++) {
        char group[32];
        (void)snprintf(group, sizeof group, "member%zu", m);
        EG_TRY(eg_ensemble_weights_of(self, m, group, pass));
    }
    return eg_ok();
}

void eg_ensemble_write_ends(const eg_ensemble *self, eg_writer *writer)
{
    eg_write_u64(writer, self->epoch_ended);
    eg_write_u64(writer, self->phase_ended);
}

eg_status eg_ensemble_read_ends(eg_ensemble *self, eg_reader *reader)
{
    uint64_t epoch_ended = eg_read_u64(reader);
    uint64_t phase_ended = eg_read_u64(reader);
    if (epoch_ended > self->learning || phase_ended > self->learning) {
        return eg_fail(
            EG_INVALID,
            "saved ensemble: %llu and %llu members ended an epoch and a phase, %zu learn",
            (unsigned long long)epoch_ended, (unsigned long long)phase_ended, self->learning);
    }
    self->epoch_ended = (size_t)epoch_ended;
    self->phase_ended = (size_t)phase_ended;
    return eg_ok();
}

void eg_ensemble_write_member(const eg_ensemble *self, size_t m, eg_writer *writer)
{
    if (m >= self->first) {
        eg_write_u8(writer, self->enough[m - self->first] ? 1 : 0);
    }
    self->member[m]->ops->write(self->member[m], writer);
}

eg_status eg_ensemble_read_member(eg_ensemble *self, size_t m, eg_reader *reader)
{
    if (m >= self->first) {
        self->enough[m - self->first] = eg_read_u8(reader) != 0;
    }
    return self->member[m]->ops->read(self->member[m], reader);
}
