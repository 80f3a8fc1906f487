/** Sums over the examples of a phase; see learner/importance.h. */
#include "learner/importance.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

EG_CLONES static void add_squares(size_t n, const eg_real *restrict g, eg_real *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        sum[i] += g[i] * g[i];
    }
}

EG_CLONES static void add_absolutes(size_t n, const eg_real *restrict g, eg_real *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        sum[i] += eg_abs(g[i]);
    }
}

eg_status eg_importance_init(eg_importance *importance, const eg_sensitivity *rule,
                             eg_gradient_learner *learner, const eg_view *view,
                             const eg_learner_setup *setup)
{
    const eg_net *net = learner->net;
    *importance = (eg_importance){.rule = *rule, .learner = learner, .seed = setup->seed};
    importance->wanted = setup->wanted;
    importance->user = setup->user;
    importance->samples = eg_view_size(view, "samples");
    importance->trunk_only = eg_regularised_trunk_only(view);
    importance->group = eg_view_size(view, "group");
    importance->per_example = importance->group == 1 && eg_net_has_per_example(net);
    assert(importance->group == 1 || rule->rounds == 1);
    EG_TRY(eg_cursor_open(&importance->cursor, setup->stream,
                          &(eg_cursor_setup){.member = setup->member, .trains = true}));
    if (importance->per_example) {
        EG_TRY(eg_alloc(&importance->scratch, eg_net_per_example_scratch(net, setup->shape.batch),
                        sizeof *importance->scratch));
    } else {
        EG_TRY(eg_alloc(&importance->sum, net->param_count, sizeof *importance->sum));
    }
    return eg_alloc(&importance->result, net->param_count, sizeof *importance->result);
}

void eg_importance_clear(eg_importance *importance)
{
    eg_cursor_close(importance->cursor);
    eg_free(importance->scratch);
    eg_free(importance->sum);
    eg_free(importance->result);
}

static void add_power(const eg_importance *self, const eg_real *g)
{
    size_t n = self->learner->net->param_count;
    (self->rule.what == EG_PER_EXAMPLE_SQUARE ? add_squares : add_absolutes)(n, g, self->result);
}

/* How far a measurement has come. */
typedef struct measurement {
    eg_rng rng;
    const eg_active *active; /* outputs the function is of; NULL: all */
    size_t rounds;
    size_t seen, grouped; /* examples; of them in the last group, not full */
} measurement;

/* What the gradients at the outputs depend on. */
typedef struct output {
    const eg_sensitivity *rule;
    size_t size, n; /* examples, outputs */
    const eg_real *y;
    const uint32_t *label;
    eg_rng *rng;
    const eg_active *active; /* NULL: all outputs */
    eg_masked_loss *masked;  /* the active outputs and labels, packed */
} output;

static void fill(void *user, size_t round, eg_real *dy)
{
    const output *of = user;
    const eg_sensitivity *rule = of->rule;
    if (of->active == NULL) {
        rule->error(rule->user, of->size, of->n, of->y, of->label, round, of->rng, dy);
        return;
    }
    eg_masked_loss *masked = of->masked;
    rule->error(rule->user, of->size, of->active->count, masked->y, masked->label, round, of->rng,
                masked->dy);
    eg_masked_unpack(masked, of->active, of->size, of->n, dy);
}

/* false: there is a label that is not active. */
static bool pack(const output *of)
{
    return of->active == NULL ||
           eg_masked_pack(of->masked, of->active, of->size, of->n, of->y, of->label);
}

/* Rules of several rounds have one for every output that takes part. */
static size_t rounds_among(const eg_sensitivity *rule, const eg_active *active)
{
    return rule->rounds > 1 && active != NULL ? active->count : rule->rounds;
}

/* Adds examples of one group, or of no group. EG_INVALID if a label is not active. */
static eg_status add_examples(eg_importance *self, measurement *at, size_t size, const eg_real *x,
                              const eg_sparse *sparse, const uint32_t *label)
{
    eg_gradient_learner *learner = self->learner;
    eg_net *net = learner->net;
    const eg_sensitivity *rule = &self->rule;
    output of = {.rule = rule, .size = size, .n = net->outputs, .label = label, .rng = &at->rng};
    of.active = at->active;
    of.masked = &learner->masked;
    of.y = eg_net_forward(net, learner->training, EG_MODE_PROBE, size, x, sparse);
    net->step++; /* for layers that follow a schedule; set back at the end */
    if (!pack(&of)) {
        return eg_fail(EG_INVALID, "an example has a class that is not active in its phase");
    }
    if (self->per_example) {
        const eg_output_gradients gradients = {.rounds = at->rounds, .fill = fill, .user = &of};
        eg_net_per_example(net, learner->training, &gradients, learner->dy, rule->what,
                           self->scratch, self->result);
        return eg_ok();
    }
    for (size_t round = 0; round < at->rounds; round++) {
        fill(&of, round, learner->dy);
        eg_net_backward(net, learner->training, learner->dy, NULL);
        if (self->group == 1) {
            add_power(self, net->grads);
        } else {
            eg_accumulate(net->param_count, net->grads, self->sum);
        }
    }
    return eg_ok();
}

static void close_group(eg_importance *self, measurement *at)
{
    if (at->grouped > 0) {
        add_power(self, self->sum);
        memset(self->sum, 0, self->learner->net->param_count * sizeof *self->sum);
        at->grouped = 0;
    }
}

static eg_status add_batch(eg_importance *self, measurement *at, size_t size, const eg_batch *batch)
{
    size_t features = self->learner->net->inputs;
    for (size_t first = 0; first < size;) {
        size_t left = size - first;
        size_t room = self->per_example ? left : self->group - at->grouped;
        size_t count = left < room ? left : room;
        const uint32_t *label = batch->label != NULL ? batch->label + first : NULL;
        /* Sums over sparse and dense inputs round differently, and measurements of one round were
         * dense when their results were recorded. */
        bool in_sparse_form = batch->sparse != NULL && self->per_example && self->rule.rounds > 1;
        const eg_sparse sparse =
            in_sparse_form ? eg_sparse_rows(batch->sparse, first, count) : (eg_sparse){0};
        EG_TRY(add_examples(self, at, count, batch->x + first * features,
                            in_sparse_form ? &sparse : NULL, label));
        at->grouped += self->group > 1 ? count : 0;
        if (at->grouped == self->group) {
            close_group(self, at);
        }
        first += count;
    }
    at->seen += size;
    return eg_ok();
}

static bool still_wanted(const eg_importance *self)
{
    return self->wanted == NULL || self->wanted(self->user);
}

/* EG_STOPPED before the end */
static eg_status add_phase(eg_importance *self, measurement *at, size_t phase)
{
    eg_phase about = eg_stream_phase(self->cursor->stream, phase);
    size_t end = about.steps * about.epochs;
    size_t wanted = self->samples > 0 ? self->samples : SIZE_MAX;
    at->active = about.active;
    at->rounds = rounds_among(&self->rule, about.active);
    for (size_t s = end - about.steps; s < end && at->seen < wanted; s++) {
        if (!still_wanted(self)) {
            return eg_fail(EG_STOPPED, "stopped after %zu examples at the end of phase %zu",
                           at->seen, phase);
        }
        eg_batch batch;
        eg_cursor_get(self->cursor, phase, s, &batch);
        size_t left = wanted - at->seen;
        EG_TRY(add_batch(self, at, batch.size < left ? batch.size : left, &batch));
    }
    return eg_ok();
}

size_t eg_importance_polls(const eg_importance *importance, size_t phase)
{
    const eg_stream *stream = importance->cursor->stream;
    size_t batch = stream->shape.batch;
    size_t steps = eg_stream_phase(stream, phase).steps;
    size_t samples = (importance->samples + batch - 1) / batch;
    return samples > 0 && samples < steps ? samples : steps;
}

/* Operations per example. */
static double flops_of(const eg_importance *self, size_t rounds)
{
    const eg_net *net = self->learner->net;
    double forward = eg_net_flops(net);
    return forward + (self->per_example ? eg_net_per_example_flops(net, rounds)
                                        : 2.0 * (double)rounds * forward);
}

double eg_importance_flops(const eg_view *view, const eg_learner_work *work, size_t rounds)
{
    double samples = (double)eg_view_size(view, "samples");
    double examples = samples > 0 ? fmin(samples, work->phase_examples) : work->phase_examples;
    return (work->phases - 1) * examples * (2.0 * work->forward + (double)rounds * work->rest);
}

eg_status eg_importance_measure(eg_importance *importance, size_t phase, const eg_real **out)
{
    eg_gradient_learner *learner = importance->learner;
    eg_net *net = learner->net;
    uint64_t step_before = net->step;
    measurement at = {.rng = eg_rng_make(importance->seed, EG_PURPOSE_LEARNER, phase)};
    memset(importance->result, 0, net->param_count * sizeof *importance->result);
    eg_profile_part before = eg_profile_enter(learner->profile, EG_PROFILE_IMPORTANCE);
    eg_workspace_profile(learner->training, NULL); /* the parts of a step are those of learning */
    eg_status status = add_phase(importance, &at, phase);
    close_group(importance, &at);
    eg_workspace_profile(learner->training, learner->profile);
    (void)eg_profile_enter(learner->profile, before);
    net->step = step_before;
    EG_TRY(status);
    learner->extra_flops += (double)at.seen * flops_of(importance, at.rounds);
    eg_scale(net->param_count, 1 / (eg_real)at.seen, importance->result);
    if (importance->trunk_only) {
        eg_regularised_leave_out_head(net, importance->result);
    }
    *out = importance->result;
    return eg_ok();
}
