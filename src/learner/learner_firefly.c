/** Firefly: a VGG that grows in width. Before anything of phase k > 0 with k mod grow_every = 0 is
 *  learned, filters are split and new ones join, floor(r n) + 1 of them where there are n:
 *
 *      r = (g k + 1) / (g (k - 1) + 1) - 1        g = growth
 *
 *  so that with grow_every = 1 there are about 1 + g k times as many as at the start. With larger
 *  ones there are fewer: the rule is about phase k - 1, not about the last growth. Which ones is
 *  decided by a search (learner/firefly_search.h) on the training examples of the phase, over all
 *  convolutions together; what becomes of them is in learner/growth.h. The optimizer begins anew.
 *
 *  Both passes of the search, and two more forwards that measure the loss before and after, count
 *  as training in costs. Growth that is stopped begins again from its start.
 *
 *  Source: Wu et al. 2020, arXiv 2102.08574, growth in width; the rule and when it grows: Caccia et
 *  al. 2022, arXiv 2106.09563. In the program of the latter the head gets outputs and loses its
 *  biases when the network grows; here it keeps both. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/firefly_search.h"
#include "learner/firefly_widths.h"
#include "learner/past_costs.h"
#include "nn/shared/vgg.h"

#include <math.h>
#include <string.h>

/* How the head reads new filters; the order is that of the names. */
typedef enum joining { JOINING_TRAINED, JOINING_ZERO } joining;

static const char *const joining_names[] = {
    [JOINING_TRAINED] = "trained", [JOINING_ZERO] = "zero", NULL};

/* Curves. */
enum { LOSS_BEFORE, LOSS_AFTER, FILTERS, CURVES };

static const eg_variable variables[CURVES] = {
    [LOSS_BEFORE] = {.name = "growth_loss_before",
                     .dims = {"eval"},
                     .unit = "nat",
                     .doc = "mean training loss of the phase, in evaluation mode, before the last "
                            "growth; nan before the first"},
    [LOSS_AFTER] = {.name = "growth_loss_after",
                    .dims = {"eval"},
                    .unit = "nat",
                    .doc = "the same after it, before anything was learned"},
    [FILTERS] = {.name = "filters",
                 .dims = {"eval"},
                 .unit = "1",
                 .doc = "filters of all convolutions together"},
};
static const eg_variable *const listed[] = {&variables[LOSS_BEFORE], &variables[LOSS_AFTER],
                                            &variables[FILTERS], NULL};

typedef struct firefly {
    eg_gradient_learner base;
    eg_learner_setup setup; /* for networks to come */
    eg_view root, model;    /* its own */
    size_t every, candidates;
    double growth, lr, penalty;
    joining joining;
    eg_cursor *cursor; /* of the search */
    size_t convolutions;
    size_t *widths; /* [convolutions] */
    size_t grown;   /* the last phase before which it grew; 0: none */
    double loss_before, loss_after;
    eg_past_costs past;
} firefly;

static void firefly_free(eg_learner *learner)
{
    firefly *self = (firefly *)learner;
    eg_cursor_close(self->cursor);
    eg_gradient_learner_clear(&self->base);
    eg_free(self->widths);
    eg_free(self);
}

static size_t filters_of(const firefly *self)
{
    size_t sum = 0;
    for (size_t l = 0; l < self->convolutions; l++) {
        sum += self->widths[l];
    }
    return sum;
}

static eg_status build(eg_net **out, const firefly *self, const size_t *widths)
{
    const eg_stream_shape *shape = &self->setup.shape;
    eg_graph *graph = NULL;
    *out = NULL;
    EG_TRY(eg_vgg_graph(&graph, &self->model, widths, shape->input, shape->outputs, shape->batch));
    return eg_net_build(out, graph, self->setup.seed);
}

/* Growth --------------------------------------------------------------------------------------- */

/* The network `net`, which it takes, comes in the place of the one that has learned so far. */
static eg_status follow(firefly *self, eg_net *net, const size_t *widths)
{
    const bool frozen = self->base.optimizer == NULL;
    eg_learner_costs costs = {.parameters = 0};
    (void)eg_gradient_learner_costs(&self->base.base, &costs);
    eg_past_costs_settle(&self->past, self->base.net, self->base.learned, costs.train_macs,
                         costs.train_flops);
    self->base.learned = 0;
    memcpy(self->widths, widths, self->convolutions * sizeof *widths);
    EG_TRY(eg_gradient_learner_put(&self->base, &self->setup, net, self->setup.shape.batch, false));
    if (frozen) {
        eg_gradient_learner_freeze(&self->base.base);
    }
    return eg_ok();
}

/* Nothing is changed before the search is over. */
static eg_status grow(firefly *self, size_t phase)
{
    eg_rng rng = eg_rng_make(self->setup.seed, EG_PURPOSE_GROWTH, phase);
    const eg_firefly_setup setup = {
        .view = &self->model,
        .learner = &self->base,
        .cursor = self->cursor,
        .input = self->setup.shape.input,
        .batch = self->setup.shape.batch,
        .convolutions = self->convolutions,
        .widths = self->widths,
        .candidates = self->candidates,
        .rank = eg_growth_budget(self->growth, phase, filters_of(self)),
        .joins = self->joining == JOINING_TRAINED,
        .lr = self->lr,
        .penalty = self->penalty,
        .seed = eg_rng_u64(&rng),
        .wanted = self->setup.wanted,
        .user = self->setup.user,
    };
    eg_firefly_grown grown;
    EG_TRY(eg_firefly_grow(&grown, &setup, phase));
    self->loss_before = grown.loss_before;
    self->loss_after = grown.loss_after;
    self->past.train_flops += grown.train_flops;
    self->base.extra_flops += grown.extra_flops;
    self->grown = phase;
    eg_status status = follow(self, grown.net, grown.widths);
    grown.net = NULL;
    eg_firefly_grown_clear(&grown);
    return status;
}

/* A phase that was stopped after its growth, as beside other learners, is begun again. */
static bool grows_before(const firefly *self, size_t phase)
{
    return phase > 0 && phase % self->every == 0 && self->grown != phase;
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    firefly *self = (firefly *)learner;
    if (grows_before(self, phase)) {
        eg_profile_part before = eg_profile_enter(self->base.profile, EG_PROFILE_IMPORTANCE);
        eg_status status = grow(self, phase);
        (void)eg_profile_enter(self->base.profile, before);
        EG_TRY(status);
    }
    return eg_gradient_learner_begin_phase(learner, phase);
}

static size_t begin_phase_polls(const eg_learner *learner, size_t phase)
{
    const firefly *self = (const firefly *)learner;
    return grows_before(self, phase) ? eg_firefly_polls(self->base.stream, phase) : 0;
}

/* The rest ------------------------------------------------------------------------------------- */

static eg_status declare(eg_learner *learner, eg_record *record, size_t evals)
{
    (void)learner;
    const size_t extent[EG_RANK_MAX] = {evals};
    for (size_t i = 0; i < CURVES; i++) {
        eg_array *array = NULL;
        EG_TRY(eg_record_declare(record, &variables[i], extent, &array));
    }
    return eg_ok();
}

static eg_status measure(eg_learner *learner, eg_record *record, size_t eval)
{
    const firefly *self = (const firefly *)learner;
    const double value[CURVES] = {[LOSS_BEFORE] = self->loss_before,
                                  [LOSS_AFTER] = self->loss_after,
                                  [FILTERS] = (double)filters_of(self)};
    for (size_t i = 0; i < CURVES; i++) {
        eg_record_find(record, variables[i].name)->data[eval] = value[i];
    }
    return eg_ok();
}

static double extra_flops(const eg_learner *learner)
{
    const firefly *self = (const firefly *)learner;
    return eg_gradient_learner_extra_flops(learner) -
           eg_past_costs_spared(&self->past, self->base.net);
}

static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    const firefly *self = (const firefly *)learner;
    out->train_macs += self->past.train_macs;
    out->train_flops += self->past.train_flops;
    return eg_gradient_learner_costs(learner, out);
}

/* The widths first: the network of all else has them. */
static void firefly_write(const eg_learner *learner, eg_writer *writer)
{
    const firefly *self = (const firefly *)learner;
    for (size_t l = 0; l < self->convolutions; l++) {
        eg_write_u64(writer, self->widths[l]);
    }
    eg_write_u64(writer, self->grown);
    eg_write_f64(writer, self->loss_before);
    eg_write_f64(writer, self->loss_after);
    eg_write_u64(writer, self->past.examples);
    eg_write_f64(writer, self->past.forwards);
    eg_write_f64(writer, self->past.train_macs);
    eg_write_f64(writer, self->past.train_flops);
    eg_gradient_learner_write(learner, writer);
}

/* A network of other widths, if they are others; its values are still to come. */
static eg_status resize(firefly *self, const size_t *widths)
{
    eg_net *net = NULL;
    if (memcmp(widths, self->widths, self->convolutions * sizeof *widths) == 0) {
        return eg_ok();
    }
    EG_TRY(build(&net, self, widths));
    return follow(self, net, widths);
}

static eg_status read_shape(firefly *self, eg_reader *reader)
{
    size_t *widths = NULL;
    eg_status status = eg_alloc(&widths, self->convolutions, sizeof *widths);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_firefly_read_widths(reader, self->convolutions, self->widths, widths));
    status = resize(self, widths);
done:
    eg_free(widths);
    return status;
}

static eg_status firefly_read(eg_learner *learner, eg_reader *reader)
{
    firefly *self = (firefly *)learner;
    EG_TRY(read_shape(self, reader));
    self->grown = (size_t)eg_read_u64(reader);
    self->loss_before = eg_read_f64(reader);
    self->loss_after = eg_read_f64(reader);
    self->past.examples = eg_read_u64(reader);
    self->past.forwards = eg_read_f64(reader);
    self->past.train_macs = eg_read_f64(reader);
    self->past.train_flops = eg_read_f64(reader);
    return eg_gradient_learner_read(learner, reader);
}

/* Widths of the arrays that are there. */
static eg_status take_widths(firefly *self, const eg_weights_pass *pass)
{
    size_t *widths = NULL;
    EG_TRY(eg_alloc(&widths, self->convolutions, sizeof *widths));
    eg_firefly_find_widths(pass, &self->model, self->convolutions, self->widths, widths);
    eg_status status = resize(self, widths);
    eg_free(widths);
    return status;
}

static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    EG_TRY(pass->into_learner && !pass->again ? take_widths((firefly *)learner, pass) : eg_ok());
    return eg_gradient_learner_weights(learner, pass);
}

static const eg_learner_ops ops = {
    .free = firefly_free,
    .begin_phase = begin_phase,
    .begin_phase_polls = begin_phase_polls,
    .step = eg_gradient_learner_step,
    .predict = eg_gradient_learner_predict,
    .activity = eg_gradient_learner_activity,
    .declare = declare,
    .measure = measure,
    .network = eg_gradient_learner_network,
    .flops = eg_gradient_learner_flops,
    .freeze = eg_gradient_learner_freeze,
    .rest = eg_gradient_learner_rest,
    .extra_flops = extra_flops,
    .costs = costs,
    .write = firefly_write,
    .read = firefly_read,
    .weights = weights,
};

static eg_status check(const eg_view *view)
{
    const eg_view root = eg_settings_root(view->settings);
    const eg_view model = eg_view_inside(&root, "model");
    const char *name = eg_view_component(&root, "model")->name;
    return strcmp(name, "vgg") == 0
               ? eg_vgg_check_candidates(&model)
               : eg_fail_setting("", "learner model", "model = %s does not grow in width; vgg does",
                                 name);
}

static eg_status open_all(firefly *self, const eg_view *view, const eg_learner_setup *setup)
{
    eg_learner_setup_keep(&self->setup, &self->root, setup);
    self->model = eg_view_inside(&self->root, "model");
    self->every = eg_view_size(view, "grow_every");
    self->growth = eg_view_real(view, "growth");
    self->candidates = eg_view_size(view, "candidates");
    self->lr = eg_view_real(view, "lr");
    self->penalty = eg_view_real(view, "penalty");
    self->joining = (joining)eg_view_name(view, "head");
    self->loss_before = (double)NAN;
    self->loss_after = (double)NAN;
    EG_TRY(eg_vgg_widths(&self->widths, &self->convolutions, &self->model));
    EG_TRY(eg_gradient_learner_init(&self->base, &self->setup, setup->shape.batch, false));
    const eg_cursor_setup reading = {.member = setup->member, .trains = true, .plain = true};
    return eg_cursor_open(&self->cursor, setup->stream, &reading);
}

static eg_status firefly_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    firefly *self = NULL;
    EG_TRY(check(view));
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.base.ops = &ops;
    eg_status status = open_all(self, view, setup);
    if (!eg_is_ok(&status)) {
        firefly_free(&self->base.base);
        return status;
    }
    *out = &self->base.base;
    return status;
}

static const eg_param params[] = {
    {.name = "grow_every",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1e9,
     .unit = "phases",
     .doc = "it grows before phase number grow_every, 2 grow_every, … (the first is number 0)"},
    {.name = "growth",
     .type = EG_TYPE_REAL,
     .default_text = "0.6",
     .min = 0,
     .max = 1e3,
     .doc =
         "g: before phase k the filters become about (g k + 1)/(g (k - 1) + 1) times as many, so "
         "1 + g k times as many as at the start with grow_every = 1"},
    {.name = "candidates",
     .type = EG_TYPE_INT,
     .default_text = "70",
     .min = 1,
     .max = 1e5,
     .unit = "filters",
     .doc = "new filters that the search tries in every convolution, besides a split of each that "
            "is there"},
    {.name = "lr",
     .type = EG_TYPE_REAL,
     .default_text = "0.001",
     .min = 0,
     .max = INFINITY,
     .doc = "learning rate of the search: RMSprop with rho 0.9 and momentum 0.1, one pass"},
    {.name = "penalty",
     .type = EG_TYPE_REAL,
     .default_text = "0.01",
     .min = 0,
     .max = INFINITY,
     .doc =
         "the search adds penalty (|v|^2 + 0.01 |u|^2) to the loss: v is half of what the halves "
         "of a split filter differ by, u the weights of new filters"},
    {.name = "head",
     .type = EG_TYPE_NAME,
     .default_text = "trained",
     .names = joining_names,
     .doc = "weights of output scores for new filters: as the search left them, or 0 as in the "
            "released program"},
};

/* As many times as wide as at the start; filters of a convolution multiply with those of the one
 * before. The search has candidates, too, and looks at the examples twice; the losses before and
 * after take a forward each. */
static eg_learner_growth growth_of(const eg_view *view, size_t phase)
{
    const eg_view root = eg_settings_root(view->settings);
    const eg_view model = eg_view_inside(&root, "model");
    const double start = (double)eg_view_size(&model, "width");
    const double candidates = (double)eg_view_size(view, "candidates");
    const size_t every = eg_view_size(view, "grow_every");
    double wide = 1;
    double begin = 0;
    for (size_t k = every; k <= phase; k += every) {
        const double more = candidates / (start * wide);
        const double searched = wide * wide * (2 + 2 * more + more * more);
        wide *= 1 + eg_growth_ratio(eg_view_real(view, "growth"), k);
        begin = k == phase ? 2 * 3 * searched + 2 * wide * wide : 0;
    }
    return (eg_learner_growth){.train = wide * wide, .predict = wide * wide, .begin = begin};
}

static double work_of(const eg_view *view, const eg_learner_work *work)
{
    double sum = 0;
    for (size_t phase = 1; (double)phase < work->phases; phase++) {
        sum += growth_of(view, phase).begin;
    }
    return sum * work->phase_examples * work->forward;
}

const eg_learner_kind eg_learner_firefly = {
    .component = {.name = "firefly",
                  .doc =
                      "a vgg (bias: false, head: conv) that grows in width: before each later "
                      "phase filters are split in two and new ones join, where a search on its "
                      "examples says that the loss becomes less by it; the optimizer then begins "
                      "anew",
                  .source =
                      "Wu et al. 2020, arXiv 2102.08574; Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params),
                  .alias = "ff"},
    .uses_task_boundaries = true,
    .variables = listed,
    .reshapes = true,
    .check = check,
    .extra_flops = work_of,
    .growth = growth_of,
    .create = firefly_create,
};
