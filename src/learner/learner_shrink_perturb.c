/** Shrink and perturb around any learner with a network: after updates, or before tasks; see
 *  learner/perturbation.h.
 *
 *      noise         when                          published
 *      gaussian      step, shrinking by weight     Dohare et al. 2024, doi 10.1038/s41586-024-07711-7
 *                    decay of the optimizer
 *      step_scaled   the same                      program mohmdelsayed/upgd
 *      init          step                          Kumar et al. 2023, arXiv 2308.11958
 *      init          task                          Ash and Adams 2020, arXiv 1910.08475
 *      first         task                          programs isaac7778/FIRE, dojeon-ai/Hare-Tortoise
 *      he            step, every so many           program LucMc/continual-learning */
#include "engram/memory.h"
#include "learner/perturbation.h"

/* The order is that of the names. */
typedef enum acts_when { WHEN_STEP, WHEN_TASK } acts_when;

static const char *const when_names[] = {[WHEN_STEP] = "step", [WHEN_TASK] = "task", NULL};

typedef struct shrink_perturb {
    eg_around around;
    acts_when when;
    uint64_t every;
    bool restarts_optimizer;
    eg_perturbation *perturbation; /* [network_count] */
    eg_profile *profile;           /* borrowed, or NULL */
} shrink_perturb;

static void snp_free(eg_learner *learner)
{
    shrink_perturb *self = (shrink_perturb *)learner;
    for (size_t n = 0; self->perturbation != NULL && n < self->around.network_count; n++) {
        eg_perturbation_clear(&self->perturbation[n]);
    }
    eg_free(self->perturbation);
    eg_around_clear(&self->around);
    eg_free(self);
}

static void change(shrink_perturb *self, size_t n, uint64_t time)
{
    eg_perturbation_apply(&self->perturbation[n], time);
    self->around.own_flops += 2 * (double)self->around.network[n].at.net->param_count;
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    shrink_perturb *self = (shrink_perturb *)learner;
    bool acts = self->when == WHEN_TASK && phase > 0;
    for (size_t n = 0; acts && n < self->around.network_count; n++) {
        change(self, n, phase);
        if (self->restarts_optimizer) {
            eg_optimizer_restart(self->around.network[n].at.optimizer);
        }
    }
    return eg_around_begin_phase(learner, phase);
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    shrink_perturb *self = (shrink_perturb *)learner;
    EG_TRY(eg_around_step(learner, batch, out));
    eg_profile_part before = eg_profile_enter(self->profile, EG_PROFILE_UPDATE);
    for (size_t n = 0; self->when == WHEN_STEP && n < self->around.network_count; n++) {
        const eg_around_network *network = &self->around.network[n];
        if (network->updated && network->updates % self->every == 0) {
            change(self, n, network->updates);
        }
    }
    (void)eg_profile_enter(self->profile, before);
    return eg_ok();
}

static void snp_write(const eg_learner *learner, eg_writer *writer)
{
    const shrink_perturb *self = (const shrink_perturb *)learner;
    for (size_t n = 0; n < self->around.network_count; n++) {
        eg_perturbation_write(&self->perturbation[n], writer);
    }
    eg_around_write_counts(learner, writer);
}

static eg_status snp_read(eg_learner *learner, eg_reader *reader)
{
    shrink_perturb *self = (shrink_perturb *)learner;
    for (size_t n = 0; n < self->around.network_count; n++) {
        EG_TRY(eg_perturbation_read(&self->perturbation[n], reader));
    }
    return eg_around_read_counts(learner, reader);
}

static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    shrink_perturb *self = (shrink_perturb *)learner;
    EG_TRY(eg_around_weights(learner, pass));
    for (size_t n = 0; pass->into_learner && n < self->around.network_count; n++) {
        eg_perturbation_keep_initial(&self->perturbation[n]);
    }
    return eg_ok();
}

static const eg_learner_ops snp_ops = {
    .free = snp_free,
    .begin_phase = begin_phase,
    .step = step,
    .end_epoch = eg_around_end_epoch,
    .end_epoch_polls = eg_around_end_epoch_polls,
    .end_phase = eg_around_end_phase,
    .end_phase_polls = eg_around_end_phase_polls,
    .predict = eg_around_predict,
    .activity = eg_around_activity,
    .declare = eg_around_declare,
    .measure = eg_around_measure,
    .network = eg_around_network_at,
    .replaced = eg_around_replaced,
    .flops = eg_around_flops,
    .extra_flops = eg_around_extra_flops,
    .write = snp_write,
    .read = snp_read,
    .weights = weights,
};

static eg_perturbation_rule rule_of(const eg_view *view)
{
    const eg_value *spared = eg_view_value(view, "spares");
    eg_perturbation_rule rule = {
        .noise = (eg_noise_kind)eg_view_name(view, "noise"),
        .head = (eg_head_rule)eg_view_name(view, "head"),
        .sigma = eg_view_real(view, "sigma"),
        .shrink = eg_view_real(view, "shrink"),
    };
    for (size_t i = 0; i < spared->count; i++) {
        rule.spares[(size_t)spared->items[i]] = true;
    }
    return rule;
}

static eg_status snp_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    const eg_perturbation_rule rule = rule_of(view);
    shrink_perturb *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->when = (acts_when)eg_view_name(view, "when");
    self->every = eg_view_size(view, "every");
    self->restarts_optimizer = eg_view_bool(view, "restart_optimizer");
    self->profile = setup->profile;
    eg_around *around = &self->around;
    size_t size = sizeof *self->perturbation;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_around_init(around, &snp_ops, view, setup, "shrink_perturb"));
    EG_TRY_DONE(status, eg_alloc(&self->perturbation, around->network_count, size));
    for (size_t n = 0; n < around->network_count; n++) {
        EG_TRY_DONE(status,
                    eg_perturbation_init(&self->perturbation[n], &around->network[n].at, &rule));
    }
    *out = &around->base;
    return status;
done:
    snp_free(&self->around.base);
    return status;
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "when",
     .type = EG_TYPE_NAME,
     .default_text = "step",
     .names = when_names,
     .doc = "after updates, or at the start of every phase but the first"},
    {.name = "every",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1e15,
     .unit = "updates",
     .doc = "with when = step: after every so many"},
    {.name = "noise",
     .type = EG_TYPE_NAME,
     .default_text = "gaussian",
     .names = eg_noise_names,
     .doc =
         "what is added: sigma N(0,1) (gaussian), -lr sigma N(0,1) (step_scaled), sigma times a "
         "fresh draw of all initial values (init), shrink times the network's own initial values "
         "(first), sigma U(-a, a) with a = sqrt(6/inputs), to weights only (he). Their sigmas "
         "differ in scale: no grid fits two of them"},
    {.name = "sigma",
     .type = EG_TYPE_REAL,
     .default_text = "1e-5",
     .min = 0,
     .max = 1e6,
     .doc =
         "size of the noise (published: gaussian 1e-6 … 1e-4 and a weight decay of 1e-4, init 1e-5 "
         "… 1e-2)"},
    {.name = "shrink",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 1,
     .doc = "w <- (1 - shrink) w first (published: 0 with gaussian and step_scaled, where the "
            "optimizer's weight_decay shrinks; init 1e-5 … 1e-2; first 0.8, offered 0.2 … 1)"},
    {.name = "head",
     .type = EG_TYPE_NAME,
     .default_text = "same",
     .names = eg_head_names,
     .doc = "the last layer: the same, left as it is (kept), or back to its initial values"},
    {.name = "spares",
     .type = EG_TYPE_NAMES,
     .default_text = "[]",
     .names = eg_role_names,
     .doc = "parameters that are left as they are, by what they are for"},
    {.name = "restart_optimizer",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "with when = task: the optimizer forgets everything, too"},
};

/* Two operations per parameter and time: about the products of a forward. */
static double extra_flops(const eg_view *view, const eg_learner_work *work)
{
    bool steps = eg_view_name(view, "when") == WHEN_STEP;
    double times = steps ? work->steps / (double)eg_view_size(view, "every") : work->phases - 1;
    return times * work->forward + eg_learner_extra_flops_inside(view, work);
}

const eg_learner_kind eg_learner_shrink_perturb = {
    .component = {.name = "shrink_perturb",
                  .doc =
                      "any learner; its parameters shrink and get noise, after updates or at the "
                      "start of tasks",
                  .source =
                      "Ash and Adams 2020, arXiv 1910.08475; after every update: Dohare et al. "
                      "2024, Nature 632, 768-774",
                  .params = params,
                  .param_count = EG_COUNT(params),
                  .alias = "snp"},
    .uses_task_boundaries = true,
    .records_inside = true,
    .check = eg_learner_check_network_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = extra_flops,
    .create = snp_create,
};
