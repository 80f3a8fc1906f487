/** Ranks of the hidden representation before a task begins.
 *
 *  Of the matrix Phi [n, outputs of a hidden layer] of the outputs on the n examples of a look, not
 *  centred: effective, stable and approximate rank, see math/shared/spectrum.h. `…_percent` is the
 *  sum over the hidden layers looked at of a network in per cent of their outputs, as the paper
 *  draws it: with `layers: last` 100 times the rank of the last one over its units. Of a learner of
 *  several networks they are means over these. */
#include "engram/memory.h"
#include "math/shared/spectrum.h"
#include "metric/hidden_looks.h"

#include <math.h>
#include <string.h>

enum {
    EFFECTIVE,
    STABLE,
    APPROXIMATE,
    EFFECTIVE_PERCENT,
    STABLE_PERCENT,
    APPROXIMATE_PERCENT,
    COUNT,
    RANKS = EFFECTIVE_PERCENT - EFFECTIVE
};

/* Of one view of hidden_looks.h. */
#define VARIABLES(view, suffix, words)                                                             \
    [view] = {                                                                                     \
        [EFFECTIVE] = {.name = "effective_rank" suffix,                                            \
                       .dims = {"look", "layer"},                                                  \
                       .unit = "1",                                                                \
                       .doc = "exp of the entropy of a hidden layer's singular values, which sum " \
                              "to 1" words},                                                       \
        [STABLE] = {.name = "stable_rank" suffix,                                                  \
                    .dims = {"look", "layer"},                                                     \
                    .unit = "1",                                                                   \
                    .doc = "least number of a hidden layer's singular values that make up 99 % "   \
                           "of their sum" words},                                                  \
        [APPROXIMATE] = {.name = "approximate_rank" suffix,                                        \
                         .dims = {"look", "layer"},                                                \
                         .unit = "1",                                                              \
                         .doc = "least number of a hidden layer's squared singular values that "   \
                                "make up 99 % of their sum" words},                                \
        [EFFECTIVE_PERCENT] = {.name = "effective_rank_percent" suffix,                            \
                               .dims = {"look"},                                                   \
                               .unit = "percent",                                                  \
                               .doc = "effective ranks of the hidden layers looked at, of their "  \
                                      "units" words},                                              \
        [STABLE_PERCENT] = {.name = "stable_rank_percent" suffix,                                  \
                            .dims = {"look"},                                                      \
                            .unit = "percent",                                                     \
                            .doc = "stable ranks of the hidden layers looked at, of their "        \
                                   "units" words},                                                 \
        [APPROXIMATE_PERCENT] = {.name = "approximate_rank_percent" suffix,                        \
                                 .dims = {"look"},                                                 \
                                 .unit = "percent",                                                \
                                 .doc = "approximate ranks of the hidden layers looked at, of "    \
                                        "their units" words},                                      \
    },
static const eg_variable variables[EG_LOOK_VIEWS][COUNT] = {EG_LOOK_EACH_VIEW(VARIABLES)};

static const eg_variable examples_variable = {
    .name = "rank_examples",
    .dims = {"look"},
    .wide = true,
    .unit = "1",
    .doc = "training examples learned before each look at the ranks"};

#define LISTED(view, suffix, words)                                                                \
    &variables[view][EFFECTIVE], &variables[view][STABLE], &variables[view][APPROXIMATE],          \
        &variables[view][EFFECTIVE_PERCENT], &variables[view][STABLE_PERCENT],                     \
        &variables[view][APPROXIMATE_PERCENT],
static const eg_variable *const list[] = {&examples_variable, EG_LOOK_EACH_VIEW(LISTED) NULL};

static double (*const rank_of[RANKS])(const double *sigma, size_t n) = {
    eg_spectrum_effective_rank, eg_spectrum_stable_rank, eg_spectrum_approximate_rank};

/* Which hidden layers; the order is that of the names. */
typedef enum looked_at { LOOKED_AT_ALL, LOOKED_AT_LAST } looked_at;

static const char *const layers_names[] = {
    [LOOKED_AT_ALL] = "all", [LOOKED_AT_LAST] = "last", [LOOKED_AT_LAST + 1] = NULL};

typedef struct rank {
    eg_measure base;
    eg_hidden_looks looks;
    looked_at layers;
    eg_array *examples;
    eg_array *array[EG_LOOK_VIEWS][COUNT]; /* NULL: there is no such view */
    unsigned view;                         /* looked through now */
    eg_spectrum spectrum;                  /* of the widest layer */
    size_t most;                           /* hidden layers of the network with most */
    eg_real **phi;     /* [most] of [examples, widest layer]; NULL: not looked at */
    size_t *rows;      /* [most] rows of phi that are filled */
    size_t widest;     /* of the layers looked at */
    const eg_net *net; /* looked at now */
} rank;

static size_t width_of(const eg_hidden_layer *layer)
{
    return layer->units * layer->parts;
}

static bool is_looked_at(const rank *self, const eg_net *net, size_t hidden)
{
    return self->layers == LOOKED_AT_ALL || hidden + 1 == net->hidden_count;
}

static void clear(eg_measure *measure)
{
    rank *self = (rank *)measure;
    eg_hidden_looks_clear(&self->looks);
    eg_spectrum_clear(&self->spectrum);
    for (size_t h = 0; self->phi != NULL && h < self->most; h++) {
        eg_free(self->phi[h]);
    }
    eg_free(self->phi);
    eg_free(self->rows);
}

/** A unit with a number per place has no column of Phi: what its rank would be is not defined, and
 *  with a column per number Phi would not fit into memory. */
static eg_status check_places(const eg_net *net, size_t hidden, const eg_view *view)
{
    size_t places = net->hidden[hidden].positions;
    return places <= 1
               ? eg_ok()
               : eg_fail_setting(view->prefix, "layers",
                                 "%slayers = %s: units of hidden layer %zu have %zu places each, "
                                 "ranks are of layers without; expected last, or measures without "
                                 "rank if that is a layer of places",
                                 view->prefix, layers_names[eg_view_name(view, "layers")],
                                 hidden + 1, places);
}

static eg_status find_sizes(rank *self, const eg_view *view)
{
    for (size_t i = 0; i < self->looks.networks; i++) {
        const eg_net *net = eg_hidden_looks_net(&self->looks, i);
        self->most = net->hidden_count > self->most ? net->hidden_count : self->most;
        for (size_t h = 0; h < net->hidden_count; h++) {
            if (is_looked_at(self, net, h)) {
                EG_TRY(check_places(net, h, view));
                size_t width = width_of(&net->hidden[h]);
                self->widest = width > self->widest ? width : self->widest;
            }
        }
    }
    return eg_ok();
}

static eg_status allocate(rank *self)
{
    size_t examples = self->looks.examples;
    EG_TRY(eg_alloc(&self->phi, self->most, sizeof(eg_real *)));
    EG_TRY(eg_alloc(&self->rows, self->most, sizeof *self->rows));
    for (size_t i = 0; i < self->looks.networks; i++) {
        const eg_net *net = eg_hidden_looks_net(&self->looks, i);
        for (size_t h = 0; h < net->hidden_count; h++) {
            if (is_looked_at(self, net, h) && self->phi[h] == NULL) {
                EG_TRY(eg_alloc(&self->phi[h], examples * self->widest, sizeof(eg_real)));
            }
        }
    }
    return self->widest > 0 ? eg_spectrum_init(&self->spectrum, examples, self->widest) : eg_ok();
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    rank *self = (rank *)measure;
    self->layers = (looked_at)eg_view_name(view, "layers");
    EG_TRY(eg_hidden_looks_init(&self->looks, measure, view));
    EG_TRY(find_sizes(self, view));
    EG_TRY(allocate(self));
    size_t looks = self->looks.count;
    EG_TRY(eg_measure_declare(measure, &examples_variable, looks, &self->examples));
    for (unsigned v = 0; v < EG_LOOK_VIEWS; v++) {
        for (size_t i = 0; eg_hidden_looks_has(&self->looks, v) && i < COUNT; i++) {
            EG_TRY(eg_measure_declare(measure, &variables[v][i], looks, &self->array[v][i]));
        }
    }
    return eg_ok();
}

static void keep(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    rank *self = user;
    if (is_looked_at(self, self->net, hidden)) {
        size_t width = width_of(&self->net->hidden[hidden]);
        memcpy(self->phi[hidden] + self->rows[hidden] * width, y, batch * width * sizeof *y);
        self->rows[hidden] += batch;
    }
}

/** Adds to what is recorded, which is NaN before. */
static void put(const rank *self, int variable, size_t at, double value)
{
    double *data = &self->array[self->view][variable]->data[at];
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
    memset(self->rows, 0, self->most * sizeof *self->rows);
    size_t examples =
        eg_hidden_looks_show(&self->looks, index, self->view, phase, first, &observer);
    for (size_t h = 0; examples > 0 && h < self->net->hidden_count && h < layers; h++) {
        if (!is_looked_at(self, self->net, h)) {
            continue;
        }
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

/** All networks through every view there is. */
static eg_status look_now(rank *self, const eg_moment *now, bool begins_phase)
{
    size_t look = 0;
    size_t first = 0;
    if (!eg_hidden_looks_due(&self->looks, now, begins_phase, &look, &first)) {
        return eg_ok();
    }
    self->examples->data[look] = (double)now->examples_seen;
    for (self->view = 0; self->view < EG_LOOK_VIEWS; self->view++) {
        size_t networks = eg_hidden_looks_has(&self->looks, self->view) ? self->looks.networks : 0;
        for (size_t i = 0; i < networks; i++) {
            EG_TRY(look_at(self, i, look, now->phase, first));
        }
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

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return eg_hidden_looks_records(scope, "rank", &variables[0][0], COUNT, variable);
}

static const eg_measure_ops ops = {
    .clear = clear, .begin_phase = begin_phase, .step = step, .write = write, .read = read};

static const eg_param params[] = {
    EG_HIDDEN_LOOKS_PARAMS,
    {.name = "layers",
     .type = EG_TYPE_NAME,
     .default_text = "all",
     .names = layers_names,
     .doc = "hidden layers looked at: all, or the last; layers whose units have a number per place "
            "are refused",
     .added_later = true},
};

const eg_measure_kind eg_measure_rank = {
    .component = {.name = "rank",
                  .doc = "effective, stable and approximate rank of each hidden layer before each "
                         "task",
                  .source =
                      "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7; Roy and "
                      "Vetterli 2007",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .variables = list,
    .size = sizeof(rank),
    .ops = &ops,
    .records = records,
    .lacks = eg_hidden_looks_lack,
    .open = open,
    .flops = eg_hidden_looks_flops,
};
