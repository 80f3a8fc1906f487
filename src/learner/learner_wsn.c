/** Winning subnetworks: every weight of the trunk has a score, and a task uses those of the largest
 *  scores.
 *
 *  In every layer alone, with n weights and the share c, the n - round((1-c)(n-1)) weights of the
 *  largest scores are the task's (the first ones of equal ones); theta = W where a weight is
 *  chosen, else 0. Which ones is found anew in every step. With G the gradient at theta,
 *
 *      W <- G where a weight is chosen and no earlier task uses it, else 0
 *      s <- G W, as if theta were W s (straight through); times sign(s) with rank = magnitude
 *
 *  and the optimizer of the settings updates both. Scores go on from task to task. At the end of a
 *  phase what is chosen becomes the mask of its task, and the weights in it are fixed. Heads are
 *  whole. Biases, scales and shifts of the trunk are fixed after the first task; the networks of
 *  the paper have none.
 *
 *  Source: Kang et al. 2022, Forget-free continual learning with winning subnetworks, ICML, and its
 *  program, ihaeyong/WSN, which ranks by |s|. Left out: Huffman coding of the masks, which only the
 *  paper's capacity knows. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/obstacle.h"
#include "learner/subnetwork.h"
#include "learner/task_masks.h"

#include <math.h>
#include <string.h>

/* The order is that of the names. */
typedef enum ranking { RANK_SCORE, RANK_MAGNITUDE } ranking;

static const char *const rank_names[] = {
    [RANK_SCORE] = "score", [RANK_MAGNITUDE] = "magnitude", NULL};

typedef struct wsn {
    eg_subnetwork base;
    eg_task_masks masks;
    uint64_t *chosen;     /* [words] by the scores as they are */
    uint64_t *taken;      /* [words] weights of other tasks, for one call */
    eg_real *score;       /* [param_count] 0 where there is no weight of the trunk */
    eg_real *scratch;     /* [param_count] their gradient, or what choosing needs */
    eg_optimizer *scorer; /* NULL once it is frozen */
    double share;
    ranking rank;
} wsn;

static void wsn_free(eg_learner *learner)
{
    wsn *self = (wsn *)learner;
    eg_task_masks_clear(&self->masks);
    eg_free(self->chosen);
    eg_free(self->taken);
    eg_free(self->score);
    eg_free(self->scratch);
    eg_optimizer_free(self->scorer);
    eg_subnetwork_clear(&self->base);
    eg_free(self);
}

static void choose(wsn *self)
{
    const eg_net *net = self->base.gradient.net;
    for (size_t k = 0; k < self->masks.words; k++) {
        self->chosen[k] = ~self->masks.maskable[k];
    }
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        const eg_mask_choice choice = {.block = block,
                                       .score = self->score,
                                       .magnitude = self->rank == RANK_MAGNITUDE,
                                       .scratch = self->scratch};
        size_t n = block->units * block->fan_in;
        double dropped = floor((1 - self->share) * (double)(n - 1) + 0.5);
        if (eg_mask_takes(block)) {
            eg_mask_choose(&choice, n - (size_t)dropped, self->chosen);
        }
    }
}

static void weights(eg_subnetwork *base, size_t task, bool learning, eg_real *theta)
{
    wsn *self = (wsn *)base;
    const uint64_t *mask = eg_task_mask(&self->masks, task);
    if (learning || self->masks.known[task] == 0) {
        choose(self);
        mask = self->chosen;
    }
    eg_mask_apply(base->gradient.net->param_count, mask, base->raw, theta);
}

static eg_real sign_of(const wsn *self, eg_real score)
{
    return self->rank == RANK_MAGNITUDE && score < 0 ? -1 : 1;
}

static void pull(eg_subnetwork *base, const eg_batch *batch, eg_real *g)
{
    wsn *self = (wsn *)base;
    (void)batch;
    for (size_t i = 0; i < self->masks.count; i++) {
        bool scored = eg_mask_has(self->masks.maskable, i);
        self->scratch[i] = scored ? g[i] * base->raw[i] * sign_of(self, self->score[i]) : 0;
        g[i] = eg_mask_has(self->chosen, i) ? g[i] : 0;
    }
    eg_optimizer_step(self->scorer, self->score, self->scratch);
}

static void fix(const eg_subnetwork *base, uint8_t *fixed)
{
    const wsn *self = (const wsn *)base;
    eg_task_masks_fix(&self->masks, base->gradient.net, base->phase, self->taken, fixed);
}

static const eg_subnetwork_rule rule = {
    .name = "wsn", .weights = weights, .pull = pull, .fix = fix};

static eg_status wsn_begin_phase(eg_learner *learner, size_t phase)
{
    wsn *self = (wsn *)learner;
    const eg_phase about = eg_stream_phase(self->base.gradient.stream, phase);
    self->masks.known[phase] = 0; /* of loaded weights: the task is learned anew */
    eg_optimizer_begin_phase(self->scorer, phase, about.steps);
    return eg_subnetwork_begin_phase(learner, phase);
}

static eg_status wsn_end_phase(eg_learner *learner, size_t phase)
{
    wsn *self = (wsn *)learner;
    choose(self);
    memcpy(eg_task_mask(&self->masks, phase), self->chosen,
           self->masks.words * sizeof *self->chosen);
    self->masks.known[phase] = 1;
    self->base.shown = EG_NO_TASK;
    return eg_ok();
}

static void wsn_freeze(eg_learner *learner)
{
    wsn *self = (wsn *)learner;
    eg_subnetwork_freeze(learner);
    eg_optimizer_free(self->scorer);
    self->scorer = NULL;
}

static void wsn_write(const eg_learner *learner, eg_writer *writer)
{
    const wsn *self = (const wsn *)learner;
    eg_task_masks_write(&self->masks, writer);
    eg_write_reals(writer, self->masks.count, self->score);
    if (self->scorer != NULL) {
        eg_optimizer_write(self->scorer, writer);
    }
    eg_subnetwork_write(learner, writer);
}

static eg_status wsn_read(eg_learner *learner, eg_reader *reader)
{
    wsn *self = (wsn *)learner;
    EG_TRY(eg_task_masks_read(&self->masks, reader));
    EG_TRY(eg_read_reals(reader, self->masks.count, self->score, "scores"));
    EG_TRY(self->scorer != NULL ? eg_optimizer_read(self->scorer, reader) : eg_ok());
    return eg_subnetwork_read(learner, reader);
}

static eg_status wsn_weights(eg_learner *learner, eg_weights_pass *pass)
{
    wsn *self = (wsn *)learner;
    const eg_net *net = self->base.gradient.net;
    EG_TRY(eg_subnetwork_weights(learner, pass));
    EG_TRY(eg_task_masks_weights(&self->masks, pass, net, self->base.phase));
    for (size_t b = 0; b < net->table.block_count; b++) {
        if (eg_mask_takes(&net->table.blocks[b])) {
            EG_TRY(eg_weights_block(pass, "scores", "buffer", net, b, self->score));
        }
    }
    if (pass->into_learner) {
        eg_subnetwork_changed(&self->base);
    }
    return eg_ok();
}

static bool wsn_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    const wsn *self = (const wsn *)learner;
    const eg_gradient_learner *gradient = &self->base.gradient;
    eg_task_masks_capacity(&self->masks, gradient->net, gradient->stream, learned, out);
    return true;
}

static const eg_learner_ops wsn_ops = {
    EG_SUBNETWORK_OPS,          .free = wsn_free,
    .capacity = wsn_capacity,   .begin_phase = wsn_begin_phase,
    .step = eg_subnetwork_step, .end_phase = wsn_end_phase,
    .freeze = wsn_freeze,       .write = wsn_write,
    .read = wsn_read,           .weights = wsn_weights,
};

/* Uniform between -1/sqrt(fan_in) and 1/sqrt(fan_in), as the program's. */
static void draw_scores(wsn *self)
{
    const eg_net *net = self->base.gradient.net;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        eg_rng rng = eg_rng_make(net->seed, EG_PURPOSE_LEARNER, b);
        double bound = 1 / sqrt((double)block->fan_in);
        if (!eg_mask_takes(block)) {
            continue;
        }
        for (size_t i = 0; i < block->units * block->fan_in; i++) {
            self->scratch[i] = (eg_real)(bound * (2 * eg_rng_uniform(&rng) - 1));
        }
        eg_net_block_set(net, b, self->scratch, self->score);
    }
}

static eg_status set_up(wsn *self, const eg_view *view, const eg_learner_setup *setup)
{
    self->share = eg_view_real(view, "share");
    self->rank = (ranking)eg_view_name(view, "rank");
    EG_TRY(eg_subnetwork_init(&self->base, setup, &rule));
    const eg_net *net = self->base.gradient.net;
    EG_TRY(eg_task_masks_init(&self->masks, net, setup->shape.phases));
    EG_TRY(eg_alloc(&self->chosen, self->masks.words, sizeof *self->chosen));
    EG_TRY(eg_alloc(&self->taken, self->masks.words, sizeof *self->taken));
    EG_TRY(eg_alloc(&self->score, net->param_count, sizeof *self->score));
    EG_TRY(eg_alloc(&self->scratch, net->param_count, sizeof *self->scratch));
    EG_TRY(eg_optimizer_create(&self->scorer, setup->root, &net->table, false, setup->seed));
    eg_optimizer_profile(self->scorer, setup->profile);
    draw_scores(self);
    return eg_ok();
}

static eg_status wsn_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    wsn *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.gradient.base.ops = &wsn_ops;
    eg_status status = set_up(self, view, setup);
    if (!eg_is_ok(&status)) {
        wsn_free(&self->base.gradient.base);
        return status;
    }
    *out = &self->base.gradient.base;
    return status;
}

static const eg_param params[] = {
    {.name = "share",
     .type = EG_TYPE_REAL,
     .default_text = "0.5",
     .min = 0,
     .max = 1,
     .doc = "c, the share of every layer's weights that a task uses"},
    {.name = "rank",
     .type = EG_TYPE_NAME,
     .default_text = "score",
     .names = rank_names,
     .doc = "which weights a task uses: those of the largest scores, as the paper says, or of the "
            "largest magnitudes of scores, as its program does"},
};

const eg_learner_kind eg_learner_wsn = {
    .component = {.name = "wsn",
                  .doc = "winning subnetworks: weights have scores, a task uses those of the "
                         "largest, and later tasks leave them as they are",
                  .source = "Kang et al. 2022, Forget-free continual learning with winning "
                            "subnetworks, ICML (PMLR 162)",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .uses_task_ids = true,
    .own_weights = true,
    .obstacle = eg_obstacle_moving,
    .create = wsn_create,
};
