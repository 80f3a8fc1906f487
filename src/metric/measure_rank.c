/** Ranks of the hidden representation before a task begins.
 *
 *  Of the matrix Phi [n, outputs of a hidden layer] of the outputs on the n examples of a look, not
 *  centred: effective, stable and approximate rank, see math/shared/spectrum.h. `…_percent` is the
 *  sum over the hidden layers of a network in per cent of their outputs, as the paper draws it. Of
 *  a learner of several networks they are means over these. */
#include "engram/memory.h"
#include "math/shared/spectrum.h"
#include "metric/hidden_looks.h"

#include <math.h>
#include <string.h>

enum {
    EXAMPLES,
    EFFECTIVE,
    STABLE,
    APPROXIMATE,
    EFFECTIVE_PERCENT,
    STABLE_PERCENT,
    APPROXIMATE_PERCENT,
    COUNT,
    RANKS = EFFECTIVE_PERCENT - EFFECTIVE
};

static const eg_variable variables[COUNT] = {
    [EXAMPLES] = {.name = "rank_examples",
                  .dims = {"look"},
                  .wide = true,
                  .unit = "1",
                  .doc = "training examples learned before each look at the ranks"},
    [EFFECTIVE] = {.name = "effective_rank",
                   .dims = {"look", "layer"},
                   .unit = "1",
                   .doc = "exp of the entropy of a hidden layer's singular values, which sum to 1"},
    [STABLE] = {.name = "stable_rank",
                .dims = {"look", "layer"},
                .unit = "1",
                .doc = "least number of a hidden layer's singular values that make up 99 % of "
                       "their sum"},
    [APPROXIMATE] = {.name = "approximate_rank",
                     .dims = {"look", "layer"},
                     .unit = "1",
                     .doc = "least number of a hidden layer's squared singular values that make up "
                            "99 % of their sum"},
    [EFFECTIVE_PERCENT] = {.name = "effective_rank_percent",
                           .dims = {"look"},
                           .unit = "percent",
                           .doc = "effective ranks of all hidden layers, of their units"},
    [STABLE_PERCENT] = {.name = "stable_rank_percent",
                        .dims = {"look"},
                        .unit = "percent",
                        .doc = "stable ranks of all hidden layers, of their units"},
    [APPROXIMATE_PERCENT] = {.name = "approximate_rank_percent",
                             .dims = {"look"},
                             .unit = "percent",
                             .doc = "approximate ranks of all hidden layers, of their units"},
};

static const eg_variable *const list[] = {&variables[EXAMPLES],
                                          &variables[EFFECTIVE],
                                          &variables[STABLE],
                                          &variables[APPROXIMATE],
                                          &variables[EFFECTIVE_PERCENT],
                                          &variables[STABLE_PERCENT],
                                          &variables[APPROXIMATE_PERCENT],
                                          NULL};

static double (*const rank_of[RANKS])(const double *sigma, size_t n) = {
    eg_spectrum_effective_rank, eg_spectrum_stable_rank, eg_spectrum_approximate_rank};

typedef struct rank {
    eg_measure base;
    eg_hidden_looks looks;
    eg_array *array[COUNT];
    eg_spectrum spectrum; /* of the widest layer */
    size_t layers;        /* hidden layers of the network with most */
    eg_real **phi;        /* [layers] of [examples, widest layer] */
    size_t *rows;         /* [layers] rows of phi that are filled */
    size_t widest;
    const eg_net *net; /* looked at now */
} rank;

static size_t width_of(const eg_hidden_layer *layer)
{
    return layer->units * layer->parts * layer->positions;
}

static void clear(eg_measure *measure)
{
    rank *self = (rank *)measure;
    eg_hidden_looks_clear(&self->looks);
    eg_spectrum_clear(&self->spectrum);
    for (size_t h = 0; self->phi != NULL && h < self->layers; h++) {
        eg_free(self->phi[h]);
    }
    eg_free(self->phi);
    eg_free(self->rows);
}

static void find_sizes(rank *self)
{
    for (size_t i = 0; i < self->looks.networks; i++) {
        const eg_net *net = eg_hidden_looks_net(&self->looks, i);
        self->layers = net->hidden_count > self->layers ? net->hidden_count : self->layers;
        for (size_t h = 0; h < net->hidden_count; h++) {
            size_t width = width_of(&net->hidden[h]);
            self->widest = width > self->widest ? width : self->widest;
        }
    }
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    rank *self = (rank *)measure;
    EG_TRY(eg_hidden_looks_init(&self->looks, measure, view));
    find_sizes(self);
    size_t examples = self->looks.examples;
    EG_TRY(eg_alloc(&self->phi, self->layers, sizeof(eg_real *)));
    EG_TRY(eg_alloc(&self->rows, self->layers, sizeof *self->rows));
    for (size_t h = 0; h < self->layers; h++) {
        EG_TRY(eg_alloc(&self->phi[h], examples * self->widest, sizeof(eg_real)));
    }
    if (self->widest > 0) {
        EG_TRY(eg_spectrum_init(&self->spectrum, examples, self->widest));
    }
    for (size_t i = 0; i < COUNT; i++) {
        EG_TRY(eg_measure_declare(measure, &variables[i], self->looks.count, &self->array[i]));
    }
    return eg_ok();
}

static void keep(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    rank *self = user;
    size_t width = width_of(&self->net->hidden[hidden]);
    memcpy(self->phi[hidden] + self->rows[hidden] * width, y, batch * width * sizeof *y);
    self->rows[hidden] += batch;
}

/** Adds to what is recorded, which is NaN before. */
static void put(const rank *self, int variable, size_t at, double value)
{
    double *data = &self->array[variable]->data[at];
    *data = isnan(*data) ? value : *data + value;
}

static eg_status look_at(rank *self, size_t index, size_t look, size_t phase, size_t first)
{
    size_t layers = self->base.setup->learner->hidden_layers;
    const eg_unit_observer observer = {.observe = keep, .user = self};
    double share = 1 / (double)self->looks.networks;
    double total[RANKS] = {0};
    double units = 0;
    self->net = eg_hidden_looks_net(&self->looks, index);
    memset(self->rows, 0, self->layers * sizeof *self->rows);
    size_t examples = eg_hidden_looks_show(&self->looks, index, phase, first, &observer);
    for (size_t h = 0; h < self->net->hidden_count && h < layers; h++) {
        size_t width = width_of(&self->net->hidden[h]);
        for (size_t i = 0; i < examples * width; i++) {
            self->spectrum.a[i] = (double)self->phi[h][i];
        }
        EG_TRY(eg_spectrum_of(&self->spectrum, examples, width));
        units += (double)width;
        for (int r = 0; r < RANKS; r++) {
            double value = rank_of[r](self->spectrum.sigma, self->spectrum.count);
            total[r] += value;
            put(self, EFFECTIVE + r, look * layers + h, value * share);
        }
    }
    for (int r = 0; r < RANKS && units > 0; r++) {
        put(self, EFFECTIVE_PERCENT + r, look, 100 * total[r] / units * share);
    }
    return eg_ok();
}

static eg_status look_now(rank *self, const eg_moment *now, bool begins_phase)
{
    size_t look = 0;
    size_t first = 0;
    if (!eg_hidden_looks_due(&self->looks, now, begins_phase, &look, &first)) {
        return eg_ok();
    }
    self->array[EXAMPLES]->data[look] = (double)now->examples_seen;
    for (size_t i = 0; i < self->looks.networks; i++) {
        EG_TRY(look_at(self, i, look, now->phase, first));
    }
    return eg_ok();
}

static eg_status begin_phase(eg_measure *measure, const eg_moment *now)
{
    return look_now((rank *)measure, now, true);
}

static eg_status step(eg_measure *measure, const eg_moment *now, const eg_batch *batch,
                      const eg_step_outcome *outcome)
{
    (void)batch;
    (void)outcome;
    return look_now((rank *)measure, now, false);
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    eg_hidden_looks_write(&((const rank *)measure)->looks, writer);
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    return eg_hidden_looks_read(&((rank *)measure)->looks, reader);
}

static const eg_measure_ops ops = {
    .clear = clear, .begin_phase = begin_phase, .step = step, .write = write, .read = read};

static const eg_param params[] = {EG_HIDDEN_LOOKS_PARAMS};

const eg_measure_kind eg_measure_rank = {
    .component = {.name = "rank",
                  .doc = "effective, stable and approximate rank of each hidden layer before each "
                         "task, on its first examples",
                  .source =
                      "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7; Roy and "
                      "Vetterli 2007",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .variables = list,
    .size = sizeof(rank),
    .ops = &ops,
    .open = open,
};
