/** Synaptic intelligence: the importance of a parameter is its contribution to the decrease of the
 *  loss.
 *
 *  Source: Zenke, Poole and Ganguli 2017, arXiv 1703.04200, eq. 3 to 5. Per parameter, with g the
 *  gradient of the loss without penalty and dw the update:
 *      at each step          s <- s - g dw                                 (path integral)
 *      at the end of a task  O <- O + max(0, s) / ((w - w_start)^2 + damping);  s <- 0
 *  The maximum is from the authors' program: equation 5 alone would give negative importances. */
#include "engram/memory.h"
#include "learner/regularised.h"

#include <math.h>
#include <string.h>

typedef struct si {
    eg_regularised base;
    double damping;
    bool trunk_only;
    eg_real *saved; /* [params] s of the current task */
    eg_real *found; /* [params] scratch: what a task adds to the importances */
} si;

static void si_free(eg_learner *learner)
{
    eg_free(((si *)learner)->saved);
    eg_free(((si *)learner)->found);
    eg_regularised_free(learner);
}

static eg_status si_end_phase(eg_learner *learner, size_t phase)
{
    si *self = (si *)learner;
    const eg_net *net = self->base.gradient.net;
    eg_penalty_term *term = &self->base.terms[0];
    if (eg_regularised_goes_on(&self->base, phase)) {
        for (size_t i = 0; i < net->param_count; i++) {
            double distance = (double)net->params[i] - (double)term->anchor[i];
            self->found[i] = (eg_real)(fmax(0.0, (double)self->saved[i]) /
                                       (distance * distance + self->damping));
        }
        if (self->trunk_only) {
            eg_regularised_leave_out_head(net, self->found);
        }
        memset(self->saved, 0, net->param_count * sizeof *self->saved);
        eg_penalty_term_follow(term, 1.0, 1.0, self->found, net->params);
    }
    return eg_ok();
}

static void si_write(const eg_learner *learner, eg_writer *writer)
{
    const si *self = (const si *)learner;
    eg_regularised_write(learner, writer);
    eg_write_reals(writer, self->base.gradient.net->param_count, self->saved);
}

static eg_status si_read(eg_learner *learner, eg_reader *reader)
{
    si *self = (si *)learner;
    EG_TRY(eg_regularised_read(learner, reader));
    return eg_read_reals(reader, self->base.gradient.net->param_count, self->saved,
                         "contributions to the loss");
}

/* Where the first task starts; the penalty stays inactive until it ends. */
static void begin_path(si *self)
{
    const eg_net *net = self->base.gradient.net;
    memcpy(self->base.terms[0].anchor, net->params, net->param_count * sizeof *net->params);
}

static eg_status si_weights(eg_learner *learner, eg_weights_pass *pass)
{
    EG_TRY(eg_gradient_learner_weights(learner, pass));
    if (pass->into_learner && !pass->again) {
        begin_path((si *)learner);
    }
    return eg_ok();
}

static const eg_learner_ops si_ops = {
    EG_REGULARISED_OPS, .free = si_free, .end_phase = si_end_phase,
    .write = si_write,  .read = si_read, .weights = si_weights,
};

static eg_status si_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    si *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_learner *base = &self->base.gradient.base;
    base->ops = &si_ops;
    self->damping = eg_view_real(view, "damping");
    self->trunk_only = eg_regularised_trunk_only(view);
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_regularised_init(&self->base, setup, 1,
                                            2.0 * eg_view_real(view, "lambda"), true));
    const eg_net *net = self->base.gradient.net;
    EG_TRY_DONE(status, eg_alloc(&self->saved, net->param_count, sizeof *self->saved));
    EG_TRY_DONE(status, eg_alloc(&self->found, net->param_count, sizeof *self->found));
    self->base.update_terms.path_integral = self->saved;
    begin_path(self);
    *out = base;
    return status;
done:
    si_free(base);
    return status;
}

static const eg_param params[] = {
    EG_LAMBDA("0.1", "factor c of the penalty c sum_p O[p] (w[p] - anchor[p])^2"),
    {.name = "damping",
     .type = EG_TYPE_REAL,
     .default_text = "0.1",
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .doc = "xi, added to the squared distance a parameter moved, by which its contribution is "
            "divided"},
    EG_PENALISED,
};

const eg_learner_kind eg_learner_si = {
    .component = {.name = "si",
                  .doc =
                      "synaptic intelligence: importance from a parameter's share in lowering the "
                      "loss",
                  .source = "Zenke et al. 2017, arXiv 1703.04200",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = eg_regularised_variables,
    .takes_positions = true,
    .create = si_create,
};
