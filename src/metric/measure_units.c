/** Hidden units that do not work, before a task begins: dead, dormant, saturated.
 *
 *  Of the outputs y of a unit on the n examples of a look (and all its positions):
 *
 *      dead        y = 0 on all of them
 *      dormant     y != 0 on less than a share of them
 *      saturated   y within a margin of one of its activation's bounds on all of them; of
 *                  activations that have bounds (tanh, sigmoid), NaN of others
 *
 *  Units of all networks of a learner count together. */
#include "engram/memory.h"
#include "metric/hidden_looks.h"

#include <math.h>
#include <string.h>

enum {
    DEAD,
    DORMANT,
    SATURATED,
    SATURATED_OUTPUTS,
    DEAD_PERCENT,
    DORMANT_PERCENT,
    SATURATED_PERCENT,
    COUNT
};

/* Of one view of hidden_looks.h. */
#define VARIABLES(view, suffix, words)                                                             \
    [view] = {                                                                                     \
        [DEAD] = {.name = "dead_units" suffix,                                                     \
                  .dims = {"look", "layer"},                                                       \
                  .unit = "1",                                                                     \
                  .doc = "units of a hidden layer whose output is 0 on all examples of a "         \
                         "look" words},                                                            \
        [DORMANT] = {.name = "dormant_units" suffix,                                               \
                     .dims = {"look", "layer"},                                                    \
                     .unit = "1",                                                                  \
                     .doc = "units of a hidden layer whose output is not 0 on less than a small "  \
                            "share of a look's examples" words},                                   \
        [SATURATED] = {.name = "saturated_units" suffix,                                           \
                       .dims = {"look", "layer"},                                                  \
                       .unit = "1",                                                                \
                       .doc = "units of a hidden layer whose output is near a bound of its "       \
                              "activation on all examples of a look" words},                       \
        [SATURATED_OUTPUTS] = {.name = "saturated_outputs" suffix,                                 \
                               .dims = {"look", "layer"},                                          \
                               .unit = "1",                                                        \
                               .doc = "share of a hidden layer's outputs that are near a bound "   \
                                      "of its activation" words},                                  \
        [DEAD_PERCENT] = {.name = "dead_percent" suffix,                                           \
                          .dims = {"look"},                                                        \
                          .unit = "percent",                                                       \
                          .doc = "dead units, of all hidden units" words},                         \
        [DORMANT_PERCENT] = {.name = "dormant_percent" suffix,                                     \
                             .dims = {"look"},                                                     \
                             .unit = "percent",                                                    \
                             .doc = "dormant units, of all hidden units" words},                   \
        [SATURATED_PERCENT] = {.name = "saturated_percent" suffix,                                 \
                               .dims = {"look"},                                                   \
                               .unit = "percent",                                                  \
                               .doc = "saturated units, of all hidden units" words},               \
    },
static const eg_variable variables[EG_LOOK_VIEWS][COUNT] = {EG_LOOK_EACH_VIEW(VARIABLES)};

static const eg_variable examples_variable = {
    .name = "units_examples",
    .dims = {"look"},
    .wide = true,
    .unit = "1",
    .doc = "training examples learned before each look at the hidden units"};

#define LISTED(view, suffix, words)                                                                \
    &variables[view][DEAD], &variables[view][DORMANT], &variables[view][SATURATED],                \
        &variables[view][SATURATED_OUTPUTS], &variables[view][DEAD_PERCENT],                       \
        &variables[view][DORMANT_PERCENT], &variables[view][SATURATED_PERCENT],
static const eg_variable *const list[] = {&examples_variable, EG_LOOK_EACH_VIEW(LISTED) NULL};

/* Outputs of one unit that are what the name says. */
typedef struct outputs {
    size_t active, near_bound;
} outputs;

typedef struct units {
    eg_measure base;
    eg_hidden_looks looks;
    double dormant, margin;
    eg_array *examples;
    eg_array *array[EG_LOOK_VIEWS][COUNT]; /* NULL: there is no such view */
    unsigned view;                         /* looked through now */
    outputs *unit;                         /* [all hidden units of the network looked at] */
    const eg_net *net;                     /* that network */
} units;

/** What one look finds in one hidden layer, or in several. */
typedef struct findings {
    double units, dead, dormant, saturated;
    double outputs, near_bound; /* numbers that the units gave */
    bool bounded;
} findings;

/** Hidden units before those of layer `hidden`. */
static size_t units_before(const eg_net *net, size_t hidden)
{
    size_t count = 0;
    for (size_t h = 0; h < hidden; h++) {
        count += net->hidden[h].units;
    }
    return count;
}

static size_t most_units(const eg_hidden_looks *looks)
{
    size_t most = 0;
    for (size_t i = 0; i < looks->networks; i++) {
        const eg_net *net = eg_hidden_looks_net(looks, i);
        size_t here = units_before(net, net->hidden_count);
        most = here > most ? here : most;
    }
    return most;
}

static void clear(eg_measure *measure)
{
    units *self = (units *)measure;
    eg_hidden_looks_clear(&self->looks);
    eg_free(self->unit);
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    units *self = (units *)measure;
    EG_TRY(eg_hidden_looks_init(&self->looks, measure, view));
    self->dormant = eg_view_real(view, "dormant");
    self->margin = eg_view_real(view, "margin");
    EG_TRY(eg_alloc(&self->unit, most_units(&self->looks), sizeof *self->unit));
    size_t looks = self->looks.count;
    EG_TRY(eg_measure_declare(measure, &examples_variable, looks, &self->examples));
    for (unsigned v = 0; v < EG_LOOK_VIEWS; v++) {
        for (size_t i = 0; eg_hidden_looks_has(&self->looks, v) && i < COUNT; i++) {
            EG_TRY(eg_measure_declare(measure, &variables[v][i], looks, &self->array[v][i]));
        }
    }
    return eg_ok();
}

static void count(void *user, size_t hidden, size_t batch, const eg_real *y)
{
    units *self = user;
    const eg_hidden_layer *layer = &self->net->hidden[hidden];
    outputs *unit = self->unit + units_before(self->net, hidden);
    double margin = self->margin * (layer->high - layer->low);
    double low = layer->low + margin;
    double high = layer->high - margin;
    bool bounded = layer->high > layer->low;
    for (size_t row = 0; row < batch * layer->positions; row++) {
        for (size_t u = 0; u < layer->units; u++) {
            bool active = false;
            bool near_bound = bounded;
            for (size_t part = 0; part < layer->parts; part++) {
                double value = (double)y[(row * layer->parts + part) * layer->units + u];
                active = active || value != 0;
                near_bound = near_bound && (value <= low || value >= high);
            }
            unit[u].active += active;
            unit[u].near_bound += near_bound;
        }
    }
}

static findings judge(const units *self, size_t hidden, size_t examples)
{
    const eg_hidden_layer *layer = &self->net->hidden[hidden];
    const outputs *unit = self->unit + units_before(self->net, hidden);
    size_t each = examples * layer->positions;
    findings out = {.units = (double)layer->units,
                    .outputs = (double)each * (double)layer->units,
                    .bounded = layer->high > layer->low};
    for (size_t u = 0; u < layer->units; u++) {
        out.dead += unit[u].active == 0;
        out.dormant += (double)unit[u].active < self->dormant * (double)each;
        out.saturated += unit[u].near_bound == each;
        out.near_bound += (double)unit[u].near_bound;
    }
    return out;
}

static void add(findings *to, const findings *from)
{
    to->units += from->units;
    to->dead += from->dead;
    to->dormant += from->dormant;
    to->saturated += from->saturated;
    to->outputs += from->outputs;
    to->near_bound += from->near_bound;
    to->bounded = to->bounded || from->bounded;
}

/** Adds to what is recorded of a layer, which is NaN before. */
static void put(const units *self, int variable, size_t at, double value)
{
    double *data = &self->array[self->view][variable]->data[at];
    *data = isnan(*data) ? value : *data + value;
}

static void look_at(units *self, size_t index, size_t look, size_t phase, size_t first,
                    findings *all)
{
    size_t layers = self->base.setup->learner->hidden_layers;
    const eg_unit_observer observer = {.observe = count, .user = self};
    self->net = eg_hidden_looks_net(&self->looks, index);
    memset(self->unit, 0, units_before(self->net, self->net->hidden_count) * sizeof *self->unit);
    size_t examples =
        eg_hidden_looks_show(&self->looks, index, self->view, phase, first, &observer);
    if (examples == 0) {
        return;
    }
    for (size_t h = 0; h < self->net->hidden_count && h < layers; h++) {
        const findings found = judge(self, h, examples);
        size_t at = look * layers + h;
        add(all, &found);
        put(self, DEAD, at, found.dead);
        put(self, DORMANT, at, found.dormant);
        if (found.bounded) {
            put(self, SATURATED, at, found.saturated);
            put(self, SATURATED_OUTPUTS, at,
                found.near_bound / found.outputs / (double)self->looks.networks);
        }
    }
}

/** All networks through the view. */
static void look_through(units *self, size_t look, size_t phase, size_t first)
{
    findings all = {.units = 0};
    eg_array *const *array = self->array[self->view];
    for (size_t i = 0; i < self->looks.networks; i++) {
        look_at(self, i, look, phase, first, &all);
    }
    if (all.units > 0) {
        array[DEAD_PERCENT]->data[look] = 100 * all.dead / all.units;
        array[DORMANT_PERCENT]->data[look] = 100 * all.dormant / all.units;
        array[SATURATED_PERCENT]->data[look] =
            all.bounded ? 100 * all.saturated / all.units : (double)NAN;
    }
}

static void look_now(units *self, const eg_moment *now, bool begins_phase)
{
    size_t look = 0;
    size_t first = 0;
    if (!eg_hidden_looks_due(&self->looks, now, begins_phase, &look, &first)) {
        return;
    }
    self->examples->data[look] = (double)now->examples_seen;
    for (self->view = 0; self->view < EG_LOOK_VIEWS; self->view++) {
        if (eg_hidden_looks_has(&self->looks, self->view)) {
            look_through(self, look, now->phase, first);
        }
    }
}

static eg_status begin_phase(eg_measure *measure, const eg_moment *now)
{
    look_now((units *)measure, now, true);
    return eg_ok();
}

static eg_status step(eg_measure *measure, const eg_moment *now, const eg_batch *batch,
                      const eg_step_outcome *outcome)
{
    (void)batch;
    (void)outcome;
    look_now((units *)measure, now, false);
    return eg_ok();
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    eg_hidden_looks_write(&((const units *)measure)->looks, writer);
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    return eg_hidden_looks_read(&((units *)measure)->looks, reader);
}

static const eg_measure_ops ops = {
    .clear = clear, .begin_phase = begin_phase, .step = step, .write = write, .read = read};

static const eg_param params[] = {
    EG_HIDDEN_LOOKS_PARAMS,
    {.name = "dormant",
     .type = EG_TYPE_REAL,
     .default_text = "0.01",
     .min = 0,
     .max = 1,
     .doc = "a unit is dormant if it is not 0 on less than this share of the examples",
     .added_later = true},
    {.name = "margin",
     .type = EG_TYPE_REAL,
     .default_text = "0.05",
     .min = 0,
     .max = 0.5,
     .doc = "near a bound: within this share of the range between the bounds (0.05 of tanh: |y| >= "
            "0.9)",
     .added_later = true},
};

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return eg_hidden_looks_records(scope, "units", &variables[0][0], COUNT, variable);
}

const eg_measure_kind eg_measure_units = {
    .component = {.name = "units",
                  .doc = "dead, dormant and saturated hidden units before each task",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .variables = list,
    .size = sizeof(units),
    .ops = &ops,
    .records = records,
    .lacks = eg_hidden_looks_lack,
    .open = open,
    .flops = eg_hidden_looks_flops,
};
