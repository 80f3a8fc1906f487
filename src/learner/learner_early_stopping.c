/** Early stopping around any learner with a network: after each epoch it is scored on held-out
 *  examples; a phase ends when the score has not improved for a while, and leaves the best
 *  parameters behind. They are those of its networks, or of a learner that predicts with other
 *  weights all that its predictions are made of, of earlier tasks too. */
#include "engram/memory.h"
#include "learner/around.h"
#include "learner/held_out.h"
#include "learner/selector.h"

#include <math.h>

/* What an epoch is scored by; the order is that of the names. */
typedef enum score_by { SCORE_BY_VALIDATION, SCORE_BY_TRAINING } score_by;

static const char *const score_by_names[] = {
    [SCORE_BY_VALIDATION] = "validation", [SCORE_BY_TRAINING] = "training", NULL};

typedef struct early_stopping {
    eg_around around;
    eg_selector selector;
    score_by by;
    const eg_stream *stream;
    eg_cursor *cursor; /* for held-out examples; NULL: scored by the training loss */
    eg_real *scores;   /* [block, outputs] */
    size_t outputs, block;
    bool (*wanted)(void *user);
    void *user;
    double *epoch_score; /* [epochs] of the phase under way or the last one */
    size_t epochs;       /* most of a phase */
    size_t epochs_scored;
    double validation_flops; /* as in eg_learner_costs, its own */
    double losses;           /* sum over the epoch's minibatches so far */
    uint64_t steps;          /* these */
} early_stopping;

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    early_stopping *self = (early_stopping *)learner;
    self->epochs_scored = 0;
    self->losses = 0;
    self->steps = 0;
    EG_TRY(eg_around_begin_phase(learner, phase));
    return eg_selector_begin(&self->selector, self->around.inside);
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    early_stopping *self = (early_stopping *)learner;
    EG_TRY(eg_around_step(learner, batch, out));
    self->losses += out->loss;
    self->steps++;
    return eg_ok();
}

static size_t predicted(const eg_batch *batch, size_t outputs, const eg_real *scores)
{
    const eg_active *active = batch->active;
    size_t count = active != NULL ? active->count : outputs;
    size_t best = active != NULL ? active->output[0] : 0;
    for (size_t k = 1; k < count; k++) {
        size_t j = active != NULL ? active->output[k] : k;
        best = scores[j] > scores[best] ? j : best;
    }
    return best;
}

/* Adds the examples of a set and the rows that were classified correctly. EG_STOPPED if it is not
 * wanted. */
static eg_status score_set(early_stopping *self, size_t set, size_t *all, size_t *correct)
{
    size_t count = eg_stream_count(self->cursor->stream, EG_SUBSET_VALIDATION, set);
    for (size_t first = 0; first < count; first += self->block) {
        size_t size = count - first < self->block ? count - first : self->block;
        eg_batch batch;
        if (self->wanted != NULL && !self->wanted(self->user)) {
            return eg_fail(EG_STOPPED, "stopped while held-out examples were looked at");
        }
        eg_cursor_examples(self->cursor, EG_SUBSET_VALIDATION, set, first, size, &batch);
        EG_TRY(eg_around_predict(&self->around.base, &batch, self->scores));
        const size_t rows = eg_batch_rows(&batch);
        for (size_t b = 0; b < rows; b++) {
            size_t best = predicted(&batch, self->outputs, self->scores + b * self->outputs);
            *correct += best == batch.label[b] ? 1 : 0;
        }
    }
    *all += count;
    return eg_ok();
}

/* Accuracy on the held-out examples. */
static eg_status score_held_out(early_stopping *self, size_t phase, double *score)
{
    const eg_held_out_sets sets = eg_held_out_of(self->cursor->stream, phase);
    size_t all = 0;
    size_t correct = 0;
    for (size_t t = sets.first; t < sets.end; t++) {
        EG_TRY(score_set(self, t, &all, &correct));
    }
    self->around.own_flops += (double)all * eg_around_flops(&self->around.base);
    eg_learner_costs costs = {.predict_macs = 0};
    (void)eg_learner_add_costs(self->around.inside, &costs);
    self->validation_flops += 2 * (double)all * costs.predict_macs;
    *score = (double)correct / ((double)all * (double)eg_stream_positions(&self->stream->shape));
    return eg_ok();
}

static eg_status end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    early_stopping *self = (early_stopping *)learner;
    double score = -self->losses / (double)self->steps;
    if (self->by == SCORE_BY_VALIDATION) {
        EG_TRY(score_held_out(self, phase, &score));
    }
    EG_TRY(eg_around_end_epoch(learner, phase, epoch, enough));
    size_t left = eg_stream_phase(self->stream, phase).epochs - 1 - epoch;
    bool waited = false;
    EG_TRY(eg_selector_offer(&self->selector, score, left, self->around.inside, &waited));
    self->epoch_score[epoch] = score;
    self->epochs_scored = epoch + 1;
    *enough = waited || *enough;
    self->losses = 0;
    self->steps = 0;
    return eg_ok();
}

static size_t end_epoch_polls(const eg_learner *learner, size_t phase)
{
    const early_stopping *self = (const early_stopping *)learner;
    size_t polls = eg_around_end_epoch_polls(learner, phase);
    if (self->by == SCORE_BY_TRAINING) {
        return polls;
    }
    const eg_stream *stream = self->cursor->stream;
    const eg_held_out_sets sets = eg_held_out_of(stream, phase);
    for (size_t t = sets.first; t < sets.end; t++) {
        size_t count = eg_stream_count(stream, EG_SUBSET_VALIDATION, t);
        polls += (count + self->block - 1) / self->block;
    }
    return polls;
}

static const double *epoch_scores(const eg_learner *learner, size_t index, size_t *count)
{
    const early_stopping *self = (const early_stopping *)learner;
    *count = index == 0 ? self->epochs_scored : 0;
    return index == 0 ? self->epoch_score : NULL;
}

static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    out->validation_flops += ((const early_stopping *)learner)->validation_flops;
    return eg_around_costs(learner, out);
}

static eg_status end_phase(eg_learner *learner, size_t phase)
{
    early_stopping *self = (early_stopping *)learner;
    EG_TRY(eg_selector_restore(&self->selector, self->around.inside));
    return eg_around_end_phase(learner, phase);
}

/* The learner inside first: the sizes of its networks are those of the selector's copies. */
static void early_write(const eg_learner *learner, eg_writer *writer)
{
    const early_stopping *self = (const early_stopping *)learner;
    eg_around_write_inside(learner, writer);
    eg_selector_write(&self->selector, writer);
    eg_write_f64(writer, self->losses);
    eg_write_u64(writer, self->steps);
    eg_write_u64(writer, self->epochs_scored);
    for (size_t e = 0; e < self->epochs_scored; e++) {
        eg_write_f64(writer, self->epoch_score[e]);
    }
    eg_write_f64(writer, self->around.own_flops);
    eg_write_f64(writer, self->validation_flops);
}

static eg_status early_read(eg_learner *learner, eg_reader *reader)
{
    early_stopping *self = (early_stopping *)learner;
    EG_TRY(eg_around_read_inside(learner, reader));
    EG_TRY(eg_selector_read(&self->selector, self->around.inside, reader));
    self->losses = eg_read_f64(reader);
    self->steps = eg_read_u64(reader);
    uint64_t scored = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (scored > self->epochs) {
        return eg_fail(EG_INVALID, "saved learner: %llu epochs were scored, a phase has %zu",
                       (unsigned long long)scored, self->epochs);
    }
    self->epochs_scored = (size_t)scored;
    for (size_t e = 0; e < self->epochs_scored; e++) {
        self->epoch_score[e] = eg_read_f64(reader);
    }
    self->around.own_flops = eg_read_f64(reader);
    self->validation_flops = eg_read_f64(reader);
    return eg_reader_status(reader, false);
}

static eg_status open_held_out(early_stopping *self, const eg_learner_setup *setup)
{
    EG_TRY(eg_held_out_needed(setup->stream, "early_stopping"));
    const eg_cursor_setup reading = {.member = setup->member,
                                     .block = setup->block,
                                     .sparse_only = self->around.inside->reads_sparse};
    EG_TRY(eg_cursor_open(&self->cursor, setup->stream, &reading));
    const size_t rows = setup->block * eg_stream_positions(&setup->shape);
    return eg_alloc(&self->scores, rows, self->outputs * sizeof *self->scores);
}

static bool own_weights(const eg_learner_kind *kind)
{
    return kind->own_weights;
}

static eg_status set_up(eg_around *around, const eg_view *view, const eg_learner_setup *setup)
{
    early_stopping *self = (early_stopping *)around;
    self->by = (score_by)eg_view_name(view, "on");
    self->outputs = setup->shape.outputs;
    self->block = setup->block;
    self->stream = setup->stream;
    self->wanted = setup->wanted;
    self->user = setup->user;
    self->epochs = setup->shape.epochs;
    EG_TRY(eg_alloc(&self->epoch_score, self->epochs, sizeof *self->epoch_score));
    bool others = eg_learner_find(view, "of", own_weights) != NULL;
    EG_TRY(others ? eg_ok() : eg_learner_needs_network(around->inside, around->method->name));
    EG_TRY(eg_selector_init(&self->selector, view, around->inside, others));
    return self->by == SCORE_BY_VALIDATION ? open_held_out(self, setup) : eg_ok();
}

static void release(eg_around *around)
{
    early_stopping *self = (early_stopping *)around;
    eg_selector_clear(&self->selector);
    eg_cursor_close(self->cursor);
    eg_free(self->scores);
    eg_free(self->epoch_score);
}

static eg_status early_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "early_stopping",
        .size = sizeof(early_stopping),
        .does_without = true,
        .ops = {.begin_phase = begin_phase,
                .step = step,
                .end_epoch = end_epoch,
                .end_epoch_polls = end_epoch_polls,
                .end_phase = end_phase,
                .epoch_scores = epoch_scores,
                .costs = costs,
                .write = early_write,
                .read = early_read},
        .open = set_up,
        .close = release,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "on",
     .type = EG_TYPE_NAME,
     .default_text = "validation",
     .names = score_by_names,
     .doc = "what an epoch is scored by: accuracy on the held-out examples of the phase, or of its "
            "task (of all tasks if it teaches several), or the mean training loss"},
    EG_SELECTOR_PARAMS,
};

static eg_status check(const eg_view *view)
{
    EG_TRY(eg_selector_check(view));
    return eg_learner_check_followed_inside(view);
}

static bool needs_held_out(const eg_view *view)
{
    return eg_view_name(view, "on") == SCORE_BY_VALIDATION ||
           eg_learner_needs_held_out_inside(view);
}

/* Every epoch is scored, as far as settings alone say how many there are. */
static double work_of(const eg_view *view, const eg_learner_work *work)
{
    bool scores = eg_view_name(view, "on") == SCORE_BY_VALIDATION;
    double scored = scores ? work->phases * work->epochs * work->phase_held_out : 0;
    return scored * work->forward * work->grown + eg_learner_extra_flops_inside(view, work);
}

const eg_learner_kind eg_learner_early_stopping = {
    .component = {.name = "early_stopping",
                  .doc = "any learner; a phase ends when held-out accuracy no longer improves, and "
                         "leaves its best parameters behind",
                  .source = "Prechelt 1998, Early stopping - but when?",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .records_inside = true,
    .check = check,
    .needs_held_out = needs_held_out,
    .extra_flops = work_of,
    .takes_positions = true,
    .create = early_create,
};
