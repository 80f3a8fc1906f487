/** Perplexity of a model that learns mega-batches, at each of them.
 *
 *      PPL(t)    = exp(nll of the test set, by the model deployed after mega-batch t)
 *      avgPPL(t) = 1/t sum_{u=1..t} PPL(u)
 *
 *  Before the first update it guesses: PPL = classes. So it does from where it diverged.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563: the average instead of a cumulative one. */
#include "metric/measure_scopes.h"

#include <math.h>
#include <string.h>

enum { PERPLEXITY, AVERAGE, CURVES, FINAL = CURVES, FINAL_AVERAGE, COUNT };

static const eg_variable variables[COUNT] = {
    [PERPLEXITY] = {.name = "perplexity",
                    .dims = {"mega_batch"},
                    .wide = true,
                    .unit = "1",
                    .doc = "PPL(t) = exp(mean negative log-likelihood of all test labels) of the "
                           "model deployed after mega-batch t; classes until the first update"},
    [AVERAGE] = {.name = "average_perplexity",
                 .dims = {"mega_batch"},
                 .wide = true,
                 .unit = "1",
                 .doc = "avgPPL(t): mean of perplexity over mega-batches 1 to t"},
    [FINAL] = {.name = "final_perplexity",
               .wide = true,
               .unit = "1",
               .doc = "perplexity after the last mega-batch; classes if the trial diverged",
               .data = "test",
               .less_is_better = true,
               .chance_if_diverged = true},
    [FINAL_AVERAGE] = {.name = "avg_ppl",
                       .wide = true,
                       .unit = "1",
                       .doc = "average_perplexity after the last mega-batch",
                       .data = "test",
                       .less_is_better = true,
                       .chance_if_diverged = true},
};

static const eg_variable *const list[] = {&variables[PERPLEXITY], &variables[AVERAGE],
                                          &variables[FINAL], &variables[FINAL_AVERAGE], NULL};

/* On one subset: test examples, or held-out ones. */
typedef struct tally {
    double now;  /* of the evaluation at the end of the phase under way */
    double last; /* of the model that is deployed */
    double sum;  /* of mega-batches 1 … arrived */
} tally;

typedef struct perplexity {
    eg_measure base;
    eg_array *array[CURVES];
    size_t arrived; /* mega-batches up to the end of the last phase */
    tally on[2];
} perplexity;

static size_t chunks_of(const perplexity *self)
{
    return self->base.setup->stream->shape.chunks;
}

static bool by_default(const eg_measure_scope *scope)
{
    return scope->positions > 1;
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    perplexity *self = (perplexity *)measure;
    (void)view;
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        self->on[s].last = (double)measure->setup->stream->shape.outputs;
    }
    for (size_t i = 0; i < CURVES; i++) {
        EG_TRY(eg_measure_declare(measure, &variables[i], 0, &self->array[i]));
    }
    return eg_ok();
}

static eg_status begin_trial(eg_measure *measure)
{
    perplexity *self = (perplexity *)measure;
    self->array[PERPLEXITY]->data[0] = self->on[0].last;
    return eg_ok();
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    perplexity *self = (perplexity *)measure;
    (void)now;
    if (evaluation->phase_end && evaluation->subset <= EG_SUBSET_VALIDATION) {
        self->on[evaluation->subset].now = exp(evaluation->nll);
    }
    return eg_ok();
}

/* The next mega-batches, up to `end`, find the models that are deployed now. */
static void arrive(perplexity *self, size_t end)
{
    for (; self->arrived < end; self->arrived++) {
        const size_t t = self->arrived + 1;
        for (size_t s = 0; s < EG_COUNT(self->on); s++) {
            self->on[s].sum += self->on[s].last;
        }
        self->array[PERPLEXITY]->data[t] = self->on[0].last;
        self->array[AVERAGE]->data[t] = self->on[0].sum / (double)t;
    }
}

static eg_status end_phase(eg_measure *measure, const eg_moment *now)
{
    perplexity *self = (perplexity *)measure;
    const size_t end = eg_stream_phase(measure->setup->stream, now->phase).arrived;
    arrive(self, end - 1);
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        self->on[s].last = self->on[s].now;
    }
    arrive(self, end);
    return eg_ok();
}

/* The value of a scalar on a subset; NaN if the trial did not get to the end. */
static double value_of(const perplexity *self, size_t variable, const tally *on)
{
    const double chunks = (double)chunks_of(self);
    const double whole = self->arrived == chunks_of(self) ? 1 : (double)NAN;
    return whole * (variable == FINAL ? on->last : on->sum / chunks);
}

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    perplexity *self = (perplexity *)measure;
    if (now->diverged) {
        for (size_t s = 0; s < EG_COUNT(self->on); s++) {
            self->on[s].last = (double)measure->setup->stream->shape.outputs;
        }
        arrive(self, chunks_of(self));
    }
    for (size_t i = FINAL; i < COUNT; i++) {
        EG_TRY(eg_record_scalar(measure->setup->record, &variables[i],
                                value_of(self, i, &self->on[0])));
    }
    return eg_ok();
}

static bool selecting(const eg_measure *measure, const char *name, double *out)
{
    const perplexity *self = (const perplexity *)measure;
    for (size_t i = FINAL; i < COUNT; i++) {
        if (strcmp(variables[i].name, name) == 0) {
            *out = value_of(self, i, &self->on[measure->setup->selection.subset]);
            return true;
        }
    }
    return false;
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    const perplexity *self = (const perplexity *)measure;
    eg_write_u64(writer, self->arrived);
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        eg_write_f64(writer, self->on[s].last);
        eg_write_f64(writer, self->on[s].sum);
    }
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    perplexity *self = (perplexity *)measure;
    const uint64_t arrived = eg_read_u64(reader);
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        self->on[s].last = eg_read_f64(reader);
        self->on[s].sum = eg_read_f64(reader);
    }
    EG_TRY(eg_reader_status(reader, false));
    if (arrived > chunks_of(self)) {
        return eg_fail(EG_INVALID, "saved measure: %llu of %zu mega-batches",
                       (unsigned long long)arrived, chunks_of(self));
    }
    self->arrived = (size_t)arrived;
    return eg_ok();
}

static const char *lacks(const eg_measure_scope *scope)
{
    return scope->chunks > 0 ? eg_lacks_accuracy(scope) : "a stream of mega-batches";
}

static const eg_measure_ops ops = {.begin_trial = begin_trial,
                                   .evaluation = evaluation,
                                   .end_phase = end_phase,
                                   .end_trial = end_trial,
                                   .selecting = selecting,
                                   .write = write,
                                   .read = read};

const eg_measure_kind eg_measure_perplexity = {
    .component = {.name = "perplexity",
                  .doc = "perplexity of the deployed model at every mega-batch",
                  .source = "Caccia et al. 2022, arXiv 2106.09563"},
    .order = 19,
    .variables = list,
    .size = sizeof(perplexity),
    .ops = &ops,
    .wants_nll = true,
    .lacks = lacks,
    .by_default = by_default,
    .open = open,
};
