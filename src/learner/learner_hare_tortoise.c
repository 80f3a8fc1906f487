/** Hare and tortoise around any learner with a network: slow weights follow the fast ones that
 *  learn, and now and then the fast ones are put back to them.
 *
 *      slow <- momentum slow + (1 - momentum) fast      after every update; first slow = fast
 *      fast <- slow                                     at resets
 *
 *  Of all parameters and buffers, running statistics and counters too. Optimizers go on as they are
 *  (optimizer.restart = phase: a new one for every task, as published). Resets of the published
 *  program come after epochs 0, every, 2 every, … of each phase; there both weights are then the
 *  same memory, so that the slow ones take all of the next update, too (reset = shared).
 *
 *  What is recorded of minibatches is of the fast weights, as are networks that measures see.
 *  Source: Lee et al. 2024, arXiv 2406.02596, program dojeon-ai/Hare-Tortoise. */
#include "engram/memory.h"
#include "learner/around.h"
#include "math/shared/clones.h"

#include <stdio.h>
#include <string.h>

/* The order is that of the names. */
typedef enum reset_when { RESET_EPOCHS, RESET_UPDATES, RESET_PHASES } reset_when;
typedef enum reset_how { RESET_COPY, RESET_SHARED } reset_how;
typedef enum predictor { PREDICT_SLOW, PREDICT_FAST } predictor;

static const char *const when_names[] = {
    [RESET_EPOCHS] = "epochs", [RESET_UPDATES] = "updates", [RESET_PHASES] = "phases", NULL};
static const char *const how_names[] = {[RESET_COPY] = "copy", [RESET_SHARED] = "shared", NULL};
static const char *const predictor_names[] = {
    [PREDICT_SLOW] = "slow", [PREDICT_FAST] = "fast", NULL};

/* Of one network. */
typedef struct slow_part {
    eg_real *param; /* [param_count] */
    double *buffer; /* [buffer_count] */
    bool shared;    /* becomes what fast is after the next update */
} slow_part;

typedef struct hare_tortoise {
    eg_around around;
    const eg_stream *stream;
    double momentum;
    uint64_t every;
    reset_when when;
    reset_how how;
    predictor predictor;
} hare_tortoise;

static void copy_buffers(size_t count, const double *from, double *to)
{
    for (size_t k = 0; k < count; k++) {
        to[k] = from[k];
    }
}

static void slow_follows_at_once(eg_around *around, size_t n)
{
    const eg_net *net = around->network[n].at.net;
    slow_part *slow = eg_around_part(around, n);
    memcpy(slow->param, net->params, net->param_count * sizeof *slow->param);
    copy_buffers(net->buffer_count, net->buffers, slow->buffer);
    slow->shared = false;
}

EG_CLONES static void average(size_t n, eg_real momentum, const eg_real *restrict fast,
                              eg_real *restrict slow)
{
    eg_real rest = 1 - momentum;
    for (size_t i = 0; i < n; i++) {
        slow[i] = momentum * slow[i] + rest * fast[i];
    }
}

static void put_back(eg_around *around, size_t n)
{
    eg_net *net = around->network[n].at.net;
    slow_part *slow = eg_around_part(around, n);
    memcpy(net->params, slow->param, net->param_count * sizeof *slow->param);
    copy_buffers(net->buffer_count, slow->buffer, net->buffers);
    slow->shared = ((const hare_tortoise *)around)->how == RESET_SHARED;
    eg_net_touch(net);
}

static void put_all_back(eg_around *around)
{
    for (size_t n = 0; n < around->network_count; n++) {
        put_back(around, n);
    }
}

static void after_update(eg_around *around, size_t n)
{
    const hare_tortoise *self = (const hare_tortoise *)around;
    const eg_net *net = around->network[n].at.net;
    slow_part *slow = eg_around_part(around, n);
    if (slow->shared) {
        slow_follows_at_once(around, n);
    }
    average(net->param_count, (eg_real)self->momentum, net->params, slow->param);
    for (size_t k = 0; k < net->buffer_count; k++) {
        slow->buffer[k] = self->momentum * slow->buffer[k] + (1 - self->momentum) * net->buffers[k];
    }
    around->own_flops += 3 * (double)net->param_count;
    if (self->when == RESET_UPDATES && around->network[n].updates % self->every == 0) {
        put_back(around, n);
    }
}

/* Outputs that a phase changes, it changes for both. */
static void slow_outputs_follow(eg_around *around, size_t n, const eg_phase *about)
{
    const eg_net *net = around->network[n].at.net;
    const slow_part *slow = eg_around_part(around, n);
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_node *head = &net->nodes[i];
        for (uint32_t j = 0; eg_node_is_head(head) && j < net->outputs; j++) {
            bool changed = about->outputs == EG_OUTPUTS_ZERO ||
                           eg_active_place(about->arriving, j) < about->arriving->count;
            eg_unit_run run;
            for (size_t k = 0;
                 changed && head->layer.ops->unit_run(&head->layer, EG_UNIT_INCOMING, j, k, &run);
                 k++) {
                size_t first = head->offset[run.block] + run.first;
                for (size_t w = 0; w < run.count; w++) {
                    slow->param[first + w * run.stride] = net->params[first + w * run.stride];
                }
            }
        }
    }
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    hare_tortoise *self = (hare_tortoise *)learner;
    const eg_phase about = eg_stream_phase(self->stream, phase);
    if (self->when == RESET_PHASES && phase > 0) {
        put_all_back(&self->around);
    }
    EG_TRY(eg_around_begin_phase(learner, phase));
    for (size_t n = 0; about.outputs != EG_OUTPUTS_STAY && n < self->around.network_count; n++) {
        slow_outputs_follow(&self->around, n, &about);
    }
    return eg_ok();
}

static eg_status end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    hare_tortoise *self = (hare_tortoise *)learner;
    EG_TRY(eg_around_end_epoch(learner, phase, epoch, enough));
    if (self->when == RESET_EPOCHS && epoch % self->every == 0) {
        put_all_back(&self->around);
    }
    return eg_ok();
}

/* Slow and fast change places. */
static void swap(const eg_around *around)
{
    for (size_t n = 0; n < around->network_count; n++) {
        eg_net *net = around->network[n].at.net;
        const slow_part *slow = eg_around_part(around, n);
        for (size_t i = 0; i < net->param_count; i++) {
            eg_real fast = net->params[i];
            net->params[i] = slow->param[i];
            slow->param[i] = fast;
        }
        for (size_t k = 0; k < net->buffer_count; k++) {
            double fast = net->buffers[k];
            net->buffers[k] = slow->buffer[k];
            slow->buffer[k] = fast;
        }
        eg_net_touch(net);
    }
}

static eg_status predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    const hare_tortoise *self = (const hare_tortoise *)learner;
    if (self->predictor == PREDICT_FAST) {
        return eg_around_predict(learner, batch, scores);
    }
    swap(&self->around);
    eg_status status = eg_around_predict(learner, batch, scores);
    swap(&self->around);
    return status;
}

/* The fast ones beside the slow ones, for a learner that goes on with both. */
static eg_status pass_fast(eg_learner *learner, const eg_weights_pass *pass)
{
    eg_weights_pass own = *pass;
    int length = snprintf(own.prefix, sizeof own.prefix, "%sfast/", pass->prefix);
    if (length < 0 || (size_t)length >= sizeof own.prefix) {
        return eg_fail(EG_INVALID, "weights: learners are nested too deeply");
    }
    return eg_around_weights(learner, &own);
}

/* Those that predict leave, and come for both. */
static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    const hare_tortoise *self = (const hare_tortoise *)learner;
    if (pass->again) {
        EG_TRY(pass_fast(learner, pass));
    } else if (pass->into_learner || self->predictor == PREDICT_FAST) {
        return eg_around_weights(learner, pass);
    }
    swap(&self->around);
    eg_status status = eg_around_weights(learner, pass);
    swap(&self->around);
    return status;
}

static eg_status open_part(eg_around *around, size_t n, const eg_view *view)
{
    const eg_net *net = around->network[n].at.net;
    slow_part *slow = eg_around_part(around, n);
    (void)view;
    EG_TRY(eg_alloc(&slow->param, net->param_count, sizeof *slow->param));
    EG_TRY(eg_alloc(&slow->buffer, net->buffer_count, sizeof *slow->buffer));
    slow_follows_at_once(around, n);
    return eg_ok();
}

static void close_part(eg_around *around, size_t n)
{
    const slow_part *slow = eg_around_part(around, n);
    eg_free(slow->param);
    eg_free(slow->buffer);
}

static void write_part(const eg_around *around, size_t n, eg_writer *writer)
{
    const eg_net *net = around->network[n].at.net;
    const slow_part *slow = eg_around_part(around, n);
    eg_write_u8(writer, slow->shared ? 1 : 0);
    eg_write_reals(writer, net->param_count, slow->param);
    for (size_t k = 0; k < net->buffer_count; k++) {
        eg_write_f64(writer, slow->buffer[k]);
    }
}

static eg_status read_part(eg_around *around, size_t n, eg_reader *reader)
{
    const eg_net *net = around->network[n].at.net;
    slow_part *slow = eg_around_part(around, n);
    slow->shared = eg_read_u8(reader) != 0;
    EG_TRY(eg_read_reals(reader, net->param_count, slow->param, "slow weights"));
    for (size_t k = 0; k < net->buffer_count; k++) {
        slow->buffer[k] = eg_read_f64(reader);
    }
    return eg_reader_status(reader, false);
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    hare_tortoise *self = (hare_tortoise *)around;
    self->stream = setup->stream;
    self->momentum = eg_view_real(view, "momentum");
    self->every = eg_view_size(view, "every");
    self->when = (reset_when)eg_view_name(view, "when");
    self->how = (reset_how)eg_view_name(view, "reset");
    self->predictor = (predictor)eg_view_name(view, "predicts");
    return eg_ok();
}

static eg_status hare_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "hare_tortoise",
        .size = sizeof(hare_tortoise),
        .part_size = sizeof(slow_part),
        .ops = {.begin_phase = begin_phase,
                .end_epoch = end_epoch,
                .predict = predict,
                .weights = weights},
        .open = read_settings,
        .open_part = open_part,
        .close_part = close_part,
        .after_update = after_update,
        .renewed = slow_follows_at_once,
        .given = slow_follows_at_once,
        .write_part = write_part,
        .read_part = read_part,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "momentum",
     .type = EG_TYPE_REAL,
     .default_text = "0.999",
     .min = 0,
     .max = 1,
     .doc = "what slow weights keep of themselves at every update (published: 0.999)"},
    {.name = "when",
     .type = EG_TYPE_NAME,
     .default_text = "epochs",
     .names = when_names,
     .doc = "when the fast weights are put back to the slow ones: after every so many epochs, the "
            "first of a phase included (published), or updates, or at the start of every phase but "
            "the first"},
    {.name = "every",
     .type = EG_TYPE_INT,
     .default_text = "10",
     .min = 1,
     .max = 1e15,
     .doc = "with when = epochs (published: 10) or updates"},
    {.name = "reset",
     .type = EG_TYPE_NAME,
     .default_text = "copy",
     .names = how_names,
     .doc = "copy: the fast weights become what the slow ones are; shared: and the slow ones take "
            "all of the next update, as in the published program, where both are then the same "
            "memory"},
    {.name = "predicts",
     .type = EG_TYPE_NAME,
     .default_text = "slow",
     .names = predictor_names,
     .doc = "which weights evaluations are of"},
};

/* Three operations per parameter and update: one and a half products of a forward each. */
static double extra_flops(const eg_view *view, const eg_learner_work *work)
{
    return 1.5 * work->steps * work->forward + eg_learner_extra_flops_inside(view, work);
}

const eg_learner_kind eg_learner_hare_tortoise = {
    .component = {.name = "hare_tortoise",
                  .doc = "any learner; slow weights are a moving average of the fast ones that "
                         "learn, predict, and are what the fast ones are put back to",
                  .source = "Lee et al. 2024, arXiv 2406.02596",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .records_inside = true,
    .own_weights = true,
    .check = eg_learner_check_network_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = extra_flops,
    .takes_positions = true,
    .create = hare_create,
};
