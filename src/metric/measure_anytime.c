/** What a learner that waits for mega-batches is worth at any time: error, size and cost at each of
 *  them, t = 0 … B, of the model that is deployed then.
 *
 *      error(t)   share of wrong test predictions of the model that was trained last, on phases
 *                 whose mega-batches had all arrived at t; 1 - 1/C of C classes before the first
 *      cer        sum of error(t) for t = 1 … B
 *
 *  Sizes and what a prediction costs are those of the same model, and of the initial one before the
 *  first update. What was spent is written where the phase ended, and 0 elsewhere. Evaluations are
 *  no cost. A trial that diverged guesses from then on.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563, equations 1 and 2. */
#include "metric/measure_scopes.h"

#include <math.h>
#include <string.h>

enum { ERROR, PARAMETERS, FORWARD, TRAINING, VALIDATION, INFERENCE, ARRAYS };

static const eg_variable curves[ARRAYS] = {
    [ERROR] = {.name = "anytime_error",
               .dims = {"mega_batch"},
               .wide = true,
               .unit = "1",
               .doc =
                   "test error of the model deployed after mega-batch t; 1 - 1/classes until the "
                   "first update"},
    [PARAMETERS] = {.name = "anytime_parameters",
                    .dims = {"mega_batch"},
                    .wide = true,
                    .unit = "1",
                    .doc = "parameters of the model deployed after mega-batch t, frozen ones too"},
    [FORWARD] = {.name = "comp_fwd_mac",
                 .dims = {"mega_batch"},
                 .wide = true,
                 .unit = "1",
                 .doc = "multiply-adds of forwards of training examples, spent at mega-batch t"},
    [TRAINING] = {.name = "comp_train_flop",
                  .dims = {"mega_batch"},
                  .wide = true,
                  .unit = "1",
                  .doc = "operations of forwards and backwards of training examples, two per "
                         "multiply-add, and of growth, spent at mega-batch t"},
    [VALIDATION] = {.name = "comp_val_flop",
                    .dims = {"mega_batch"},
                    .wide = true,
                    .unit = "1",
                    .doc = "operations of forwards of held-out examples, spent at mega-batch t"},
    [INFERENCE] = {.name = "inf_mac",
                   .dims = {"mega_batch"},
                   .wide = true,
                   .unit = "1",
                   .doc =
                       "multiply-adds of one prediction of the model deployed after mega-batch t"},
};

enum { CER, AVERAGE, FINAL, MEMORY, COMPUTE, SCALARS };

static const eg_variable scalars[SCALARS] = {
    [CER] = {.name = "cer",
             .wide = true,
             .unit = "1",
             .doc = "cumulative error rate: sum of anytime_error over mega-batches 1 to B",
             .data = "test",
             .less_is_better = true,
             .chance_if_diverged = true},
    [AVERAGE] = {.name = "avg_err",
                 .wide = true,
                 .unit = "1",
                 .doc = "cer / B",
                 .data = "test",
                 .less_is_better = true,
                 .chance_if_diverged = true},
    [FINAL] = {.name = "final_err",
               .wide = true,
               .unit = "1",
               .doc = "anytime_error at mega-batch B",
               .data = "test",
               .less_is_better = true,
               .chance_if_diverged = true},
    [MEMORY] = {.name = "mem_sum",
                .wide = true,
                .unit = "1",
                .doc = "sum of anytime_parameters over mega-batches 0 to B",
                .less_is_better = true},
    [COMPUTE] = {.name = "comp_sum",
                 .wide = true,
                 .unit = "1",
                 .doc = "sum of comp_train_flop over mega-batches 0 to B",
                 .less_is_better = true},
};

static const eg_variable *const list[] = {
    &curves[ERROR],      &curves[PARAMETERS], &curves[FORWARD],  &curves[TRAINING],
    &curves[VALIDATION], &curves[INFERENCE],  &scalars[CER],     &scalars[AVERAGE],
    &scalars[FINAL],     &scalars[MEMORY],    &scalars[COMPUTE], NULL};

/* Errors on one subset up to now. */
typedef struct tally {
    double sum;  /* of mega-batches 1 … `arrived` */
    double last; /* of the model that is deployed */
} tally;

typedef struct anytime {
    eg_measure base;
    eg_array *array[ARRAYS];
    double chance;
    size_t arrived;         /* mega-batches up to the end of the last phase */
    eg_learner_costs costs; /* then */
    bool counts;            /* the learner knows its costs */
    tally on[2];            /* test examples, held-out ones */
    double now[2];          /* of the evaluation at the end of the phase under way */
} anytime;

static size_t chunks_of(const anytime *self)
{
    return self->base.setup->stream->shape.chunks;
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    anytime *self = (anytime *)measure;
    (void)view;
    self->chance = 1.0 - 1.0 / (double)measure->setup->stream->shape.outputs;
    for (size_t i = 0; i < ARRAYS; i++) {
        EG_TRY(eg_measure_declare(measure, &curves[i], 0, &self->array[i]));
    }
    return eg_ok();
}

static double known(const anytime *self, double value)
{
    return self->counts ? value : (double)NAN;
}

/* What the deployed model is at mega-batch t. */
static void fill(anytime *self, size_t t, const eg_learner_costs *spent)
{
    self->array[ERROR]->data[t] = self->on[0].last;
    self->array[PARAMETERS]->data[t] = known(self, self->costs.parameters);
    self->array[INFERENCE]->data[t] = known(self, self->costs.predict_macs);
    self->array[FORWARD]->data[t] = known(self, spent->train_macs);
    self->array[TRAINING]->data[t] = known(self, spent->train_flops);
    self->array[VALIDATION]->data[t] = known(self, spent->validation_flops);
}

static eg_status begin_trial(eg_measure *measure)
{
    anytime *self = (anytime *)measure;
    const eg_learner_costs nothing = {.parameters = 0};
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        self->on[s].last = self->chance;
    }
    self->counts = eg_learner_add_costs(measure->setup->learner, &self->costs);
    fill(self, 0, &nothing);
    return eg_ok();
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    anytime *self = (anytime *)measure;
    (void)now;
    if (evaluation->phase_end && evaluation->subset <= EG_SUBSET_VALIDATION) {
        self->now[evaluation->subset] = 1.0 - evaluation->overall;
    }
    return eg_ok();
}

/* Mega-batches that only arrived, up to `end`, change nothing. */
static void wait_until(anytime *self, size_t end)
{
    const eg_learner_costs nothing = {.parameters = 0};
    for (size_t t = self->arrived + 1; t <= end; t++) {
        for (size_t s = 0; s < EG_COUNT(self->on); s++) {
            self->on[s].sum += self->on[s].last;
        }
        fill(self, t, &nothing);
    }
    self->arrived = end;
}

static eg_status end_phase(eg_measure *measure, const eg_moment *now)
{
    anytime *self = (anytime *)measure;
    size_t end = eg_stream_phase(measure->setup->stream, now->phase).arrived;
    eg_learner_costs costs = {.parameters = 0};
    wait_until(self, end - 1);
    self->counts = eg_learner_add_costs(measure->setup->learner, &costs);
    const eg_learner_costs spent = {.train_macs = costs.train_macs - self->costs.train_macs,
                                    .train_flops = costs.train_flops - self->costs.train_flops,
                                    .validation_flops =
                                        costs.validation_flops - self->costs.validation_flops};
    self->costs = costs;
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        self->on[s].last = self->now[s];
        self->on[s].sum += self->now[s];
    }
    fill(self, end, &spent);
    self->arrived = end;
    return eg_ok();
}

static double sum_of(const eg_array *array)
{
    double sum = 0;
    for (size_t t = 0; t < array->count; t++) {
        sum += array->data[t];
    }
    return sum;
}

/* The value of an error on a subset; NaN if the trial did not get to the end. */
static double error_of(const anytime *self, size_t which, const tally *on)
{
    double chunks = (double)chunks_of(self);
    double whole = self->arrived == chunks_of(self) ? 1 : (double)NAN;
    const double values[] = {[CER] = on->sum, [AVERAGE] = on->sum / chunks, [FINAL] = on->last};
    return whole * values[which];
}

/* Guesses from the phase on in which it diverged. */
static void guess(anytime *self)
{
    for (size_t s = 0; s < EG_COUNT(self->on); s++) {
        self->on[s].sum += self->chance * (double)(chunks_of(self) - self->arrived);
        self->on[s].last = self->chance;
    }
    for (size_t t = self->arrived + 1; t <= chunks_of(self); t++) {
        self->array[ERROR]->data[t] = self->chance;
    }
    self->arrived = chunks_of(self);
}

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    anytime *self = (anytime *)measure;
    eg_record *record = measure->setup->record;
    if (now->diverged) {
        guess(self);
    }
    for (size_t i = CER; i <= FINAL; i++) {
        EG_TRY(eg_record_scalar(record, &scalars[i], error_of(self, i, &self->on[0])));
    }
    EG_TRY(eg_record_scalar(record, &scalars[MEMORY], sum_of(self->array[PARAMETERS])));
    return eg_record_scalar(record, &scalars[COMPUTE], sum_of(self->array[TRAINING]));
}

static bool selecting(const eg_measure *measure, const char *name, double *out)
{
    const anytime *self = (const anytime *)measure;
    for (size_t i = CER; i <= FINAL; i++) {
        if (strcmp(scalars[i].name, name) == 0) {
            *out = error_of(self, i, &self->on[measure->setup->selection.subset]);
            return true;
        }
    }
    return false;
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    const anytime *self = (const anytime *)measure;
    eg_write_u64(writer, self->arrived);
    eg_write_u8(writer, self->counts ? 1 : 0);
    const double numbers[] = {self->costs.parameters,
                              self->costs.predict_macs,
                              self->costs.train_macs,
                              self->costs.train_flops,
                              self->costs.validation_flops,
                              self->on[0].sum,
                              self->on[0].last,
                              self->on[1].sum,
                              self->on[1].last};
    for (size_t i = 0; i < EG_COUNT(numbers); i++) {
        eg_write_f64(writer, numbers[i]);
    }
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    anytime *self = (anytime *)measure;
    uint64_t arrived = eg_read_u64(reader);
    self->counts = eg_read_u8(reader) != 0;
    double *const numbers[] = {&self->costs.parameters,
                               &self->costs.predict_macs,
                               &self->costs.train_macs,
                               &self->costs.train_flops,
                               &self->costs.validation_flops,
                               &self->on[0].sum,
                               &self->on[0].last,
                               &self->on[1].sum,
                               &self->on[1].last};
    for (size_t i = 0; i < EG_COUNT(numbers); i++) {
        *numbers[i] = eg_read_f64(reader);
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

const eg_measure_kind eg_measure_anytime = {
    .component = {.name = "anytime",
                  .doc = "error, size and cost of the deployed model at every mega-batch",
                  .source = "Caccia et al. 2022, arXiv 2106.09563"},
    .order = 15,
    .variables = list,
    .size = sizeof(anytime),
    .ops = &ops,
    .lacks = lacks,
    .open = open,
};
