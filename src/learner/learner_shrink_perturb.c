/** Shrink and perturb around any learner with a network: after updates, or before tasks; see
 *  learner/perturbation.h.
 *
 *      noise         when                          published
 *      gaussian      step, shrinking by the        Dohare et al. 2024, doi
 *                    optimizer's weight decay      10.1038/s41586-024-07711-7
 *      step_scaled   the same                      program mohmdelsayed/upgd
 *      init          step                          Kumar et al. 2023, arXiv 2308.11958
 *      init          task                          Ash and Adams 2020, arXiv 1910.08475
 *      first         task                          programs isaac7778/FIRE, dojeon-ai/Hare-Tortoise
 *      he            step, every so many           program LucMc/continual-learning */
#include "learner/perturbation.h"

/* The order is that of the names. */
typedef enum acts_when { WHEN_STEP, WHEN_TASK } acts_when;

static const char *const when_names[] = {[WHEN_STEP] = "step", [WHEN_TASK] = "task", NULL};

typedef struct shrink_perturb {
    eg_around around;
    acts_when when;
    uint64_t every;
    bool restarts_optimizer;
} shrink_perturb;

/* What there is for every network is an eg_perturbation. */
static void change(eg_around *around, size_t n, uint64_t time)
{
    eg_perturbation_apply(eg_around_part(around, n), time);
    around->own_flops += 2 * (double)around->network[n].at.net->param_count;
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    shrink_perturb *self = (shrink_perturb *)learner;
    bool acts = self->when == WHEN_TASK && phase > 0;
    for (size_t n = 0; acts && n < self->around.network_count; n++) {
        change(&self->around, n, phase);
        if (self->restarts_optimizer) {
            eg_optimizer_restart(self->around.network[n].at.optimizer);
        }
    }
    return eg_around_begin_phase(learner, phase);
}

static void after_update(eg_around *around, size_t n)
{
    const shrink_perturb *self = (const shrink_perturb *)around;
    uint64_t updates = around->network[n].updates;
    if (self->when == WHEN_STEP && updates % self->every == 0) {
        change(around, n, updates);
    }
}

static void given(eg_around *around, size_t n)
{
    eg_perturbation_keep_initial(eg_around_part(around, n));
}

static void write_part(const eg_around *around, size_t n, eg_writer *writer)
{
    eg_perturbation_write(eg_around_part(around, n), writer);
}

static eg_status read_part(eg_around *around, size_t n, eg_reader *reader)
{
    return eg_perturbation_read(eg_around_part(around, n), reader);
}

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

static eg_status open_part(eg_around *around, size_t n, const eg_view *view)
{
    const eg_perturbation_rule rule = rule_of(view);
    return eg_perturbation_init(eg_around_part(around, n), &around->network[n].at, &rule);
}

static void close_part(eg_around *around, size_t n)
{
    eg_perturbation_clear(eg_around_part(around, n));
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    shrink_perturb *self = (shrink_perturb *)around;
    (void)setup;
    self->when = (acts_when)eg_view_name(view, "when");
    self->every = eg_view_size(view, "every");
    self->restarts_optimizer = eg_view_bool(view, "restart_optimizer");
    return eg_ok();
}

static eg_status snp_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "shrink_perturb",
        .size = sizeof(shrink_perturb),
        .part_size = sizeof(eg_perturbation),
        .ops = {.begin_phase = begin_phase},
        .open = read_settings,
        .open_part = open_part,
        .close_part = close_part,
        .after_update = after_update,
        .given = given,
        .write_part = write_part,
        .read_part = read_part,
    };
    return eg_around_create(out, &method, view, setup);
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
    .takes_positions = true,
    .create = snp_create,
};
