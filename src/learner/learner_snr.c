/** Self-normalised resets around any learner: a hidden unit is reset when it has been silent for
 *  longer than it usually is, by its own distribution of silences.
 *
 *      of every unit: age, examples since it last fired; threshold tau; counts H[0 … T] of ages
 *      an update with B examples:   fires:    H[min(age, T)] += 1, age <- 0   any h > 0
 *                                   silent:   age <- age + B
 *      after it:                    age >= tau:   H[min(age, T)] += 1, age <- 0, the unit is reset
 *      after every `tasks` tasks:   F(a) = sum of H[1 … a] / sum of H[1 … T]
 *                                   q = the smallest a with F(a) >= percentile; 1 if all are 0
 *                                   tau <- q if q < tau, else 2 tau
 *                                   tau <- min(max(tau, floor), T);  H <- 0
 *
 *  Firing is what enters the ReLU being positive, so it is the output being positive, as with every
 *  activation that has the sign of its input. H[0] enters nowhere. Counts take 4 T bytes per unit
 *  where the system gives memory as it is used: little, for a unit has few different ages.
 *
 *  Sources: Farias and Jozefiak 2024, arXiv 2410.20098; program ajozefiak/SelfNormalizedResets. */
#include "engram/memory.h"
#include "engram/units.h"
#include "learner/resetting.h"
#include "math/shared/clones.h"

#include <stdio.h>
#include <string.h>

/* Of one network; units are those of all hidden layers, one layer after the other. */
typedef struct snr_part {
    eg_unit_reset reset;
    uint32_t *age, *tau; /* [units] */
    uint32_t *count;     /* [units][T + 1] */
    uint64_t examples;   /* since the last change of thresholds */
    eg_real *most;       /* [units] scratch, of one layer at a time */
} snr_part;

typedef struct snr {
    eg_around around;
    uint32_t horizon, floor, start; /* T, the least threshold, the first one */
    double percentile;
    uint64_t tasks, examples; /* between changes of thresholds; examples 0: by tasks */
} snr;

static uint32_t *counts_of(const snr *self, const snr_part *part, size_t unit)
{
    return part->count + unit * ((size_t)self->horizon + 1);
}

/* A silence ends. */
static void note(const snr *self, snr_part *part, size_t unit)
{
    uint32_t age = part->age[unit];
    counts_of(self, part, unit)[age < self->horizon ? age : self->horizon]++;
    part->age[unit] = 0;
}

/* The largest values of units in rows of them, if above `most`. */
EG_CLONES static void raise_to(size_t rows, size_t n, const eg_real *restrict h,
                               eg_real *restrict most)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < n; i++) {
            most[i] = h[row * n + i] > most[i] ? h[row * n + i] : most[i];
        }
    }
}

static bool all_positive(size_t n, const eg_real *x)
{
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        all = all && x[i] > 0;
    }
    return all;
}

/* most [units]: above 0 where a unit is positive anywhere in the minibatch, h [B, positions,
 * parts*units]. */
static void find_firing(const eg_hidden_layer *layer, size_t batch, const eg_real *h, eg_real *most)
{
    enum { ROWS = 64 }; /* enough for most units */
    size_t n = layer->units;
    size_t rows = batch * layer->positions * layer->parts;
    memset(most, 0, n * sizeof *most);
    for (size_t row = 0; row < rows && !all_positive(n, most); row += ROWS) {
        raise_to(rows - row < ROWS ? rows - row : ROWS, n, h + row * n, most);
    }
}

static void follow_layer(const snr *self, snr_part *part, size_t hidden)
{
    const eg_learner_network *at = &part->reset.at;
    const eg_hidden_layer *layer = &at->net->hidden[hidden];
    size_t batch = eg_workspace_batch(at->training);
    find_firing(layer, batch, eg_workspace_hidden(at->training, at->net, hidden), part->most);
    for (size_t i = 0; i < layer->units; i++) {
        size_t unit = part->reset.first[hidden] + i;
        if (part->most[i] > 0) {
            note(self, part, unit);
            continue;
        }
        part->age[unit] += (uint32_t)batch;
        if (part->age[unit] >= part->tau[unit]) {
            note(self, part, unit);
            eg_unit_reset_choose(&part->reset, hidden, i);
        }
    }
}

/* The smallest age within which a share `percentile` of all silences ended. */
static uint32_t usual_silence(const snr *self, const uint32_t *count)
{
    double all = 0;
    double some = 0;
    for (uint32_t a = 1; a <= self->horizon; a++) {
        all += count[a];
    }
    for (uint32_t a = 1; a <= self->horizon; a++) {
        some += count[a];
        if (all > 0 && some >= self->percentile * all) {
            return a;
        }
    }
    return 1;
}

/* Memory that was never used stays so. */
static void forget_counts(const snr *self, uint32_t *count)
{
    for (uint32_t a = 0; a <= self->horizon; a++) {
        if (count[a] != 0) {
            count[a] = 0;
        }
    }
}

static void change_thresholds(const snr *self, snr_part *part)
{
    for (size_t unit = 0; unit < part->reset.units; unit++) {
        uint32_t *count = counts_of(self, part, unit);
        uint32_t usual = usual_silence(self, count);
        uint32_t tau = part->tau[unit];
        tau = usual < tau ? usual : 2 * tau;
        tau = tau < self->floor ? self->floor : tau;
        part->tau[unit] = tau < self->horizon ? tau : self->horizon;
        forget_counts(self, count);
    }
    part->examples = 0;
}

static void follow(eg_around *around, size_t n)
{
    const snr *self = (const snr *)around;
    const eg_around_net *network = &around->network[n];
    snr_part *part = eg_around_part(around, n);
    for (size_t h = 0; h < network->at.net->hidden_count; h++) {
        if (eg_unit_reset_takes(&part->reset, h)) {
            follow_layer(self, part, h);
        }
    }
    (void)eg_unit_reset_apply(&part->reset, network->updates);
    part->examples += eg_workspace_batch(network->at.training);
    if (self->examples > 0 && part->examples >= self->examples) {
        change_thresholds(self, part);
    }
}

static eg_status end_phase(eg_learner *learner, size_t phase)
{
    const snr *self = (const snr *)learner;
    EG_TRY(eg_around_end_phase(learner, phase));
    bool due = self->examples == 0 && (phase + 1) % self->tasks == 0;
    for (size_t n = 0; due && n < self->around.network_count; n++) {
        change_thresholds(self, eg_around_part(&self->around, n));
    }
    return eg_ok();
}

/* Ages of a unit that have a count, and how many. */
static void write_counts(const snr *self, const uint32_t *count, eg_writer *writer)
{
    uint32_t used = 0;
    for (uint32_t a = 0; a <= self->horizon; a++) {
        used += count[a] > 0 ? 1 : 0;
    }
    eg_write_u32(writer, used);
    for (uint32_t a = 0; a <= self->horizon; a++) {
        if (count[a] > 0) {
            eg_write_u32(writer, a);
            eg_write_u32(writer, count[a]);
        }
    }
}

static eg_status read_counts(const snr *self, uint32_t *count, eg_reader *reader)
{
    uint32_t used = eg_read_u32(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (used > self->horizon + 1) {
        return eg_fail(EG_INVALID, "saved learner: %u different ages of a unit, expected up to %u",
                       (unsigned)used, (unsigned)self->horizon + 1);
    }
    for (uint32_t k = 0; k < used; k++) {
        uint32_t age = eg_read_u32(reader);
        uint32_t times = eg_read_u32(reader);
        if (age > self->horizon) {
            return eg_fail(EG_INVALID, "saved learner: an age of %u examples, expected up to %u",
                           (unsigned)age, (unsigned)self->horizon);
        }
        count[age] = times;
    }
    return eg_ok();
}

static void write_part(const eg_around *around, size_t n, eg_writer *writer)
{
    const snr *self = (const snr *)around;
    const snr_part *part = eg_around_part(around, n);
    eg_write_u64(writer, part->examples);
    for (size_t unit = 0; unit < part->reset.units; unit++) {
        eg_write_u32(writer, part->age[unit]);
        eg_write_u32(writer, part->tau[unit]);
        write_counts(self, counts_of(self, part, unit), writer);
    }
}

static eg_status read_part(eg_around *around, size_t n, eg_reader *reader)
{
    const snr *self = (const snr *)around;
    snr_part *part = eg_around_part(around, n);
    part->examples = eg_read_u64(reader);
    for (size_t unit = 0; unit < part->reset.units; unit++) {
        part->age[unit] = eg_read_u32(reader);
        part->tau[unit] = eg_read_u32(reader);
        if (part->tau[unit] < 1 || part->tau[unit] > self->horizon) {
            return eg_fail(EG_INVALID, "saved learner: a threshold of %u, expected 1 … %u",
                           (unsigned)part->tau[unit], (unsigned)self->horizon);
        }
        EG_TRY(read_counts(self, counts_of(self, part, unit), reader));
    }
    return eg_ok();
}

/* Nothing is known of any unit. */
static void begin(eg_around *around, size_t n)
{
    const snr *self = (const snr *)around;
    snr_part *part = eg_around_part(around, n);
    for (size_t unit = 0; unit < part->reset.units; unit++) {
        part->age[unit] = 0;
        part->tau[unit] = self->start;
        forget_counts(self, counts_of(self, part, unit));
    }
    part->examples = 0;
}

static eg_status open_part(eg_around *around, size_t n, const eg_view *view)
{
    static const eg_reset_published published = {.momentum = EG_RESET_STATE_UNIT,
                                                 .means = EG_RESET_STATE_UNIT};
    const snr *self = (const snr *)around;
    snr_part *part = eg_around_part(around, n);
    EG_TRY(eg_resetting_open_part(around, n, view, published));
    size_t units = part->reset.units;
    size_t counts = units * ((size_t)self->horizon + 1);
    EG_TRY(eg_alloc(&part->age, units, sizeof *part->age));
    EG_TRY(eg_alloc(&part->tau, units, sizeof *part->tau));
    EG_TRY(eg_alloc(&part->count, counts, sizeof *part->count));
    EG_TRY(eg_alloc(&part->most, units, sizeof *part->most));
    for (size_t unit = 0; unit < units; unit++) {
        part->tau[unit] = self->start;
    }
    return eg_ok();
}

static void close_part(eg_around *around, size_t n)
{
    snr_part *part = eg_around_part(around, n);
    eg_unit_reset_clear(&part->reset);
    eg_free(part->age);
    eg_free(part->tau);
    eg_free(part->count);
    eg_free(part->most);
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    snr *self = (snr *)around;
    (void)setup;
    self->horizon = (uint32_t)eg_view_size(view, "horizon");
    self->floor = (uint32_t)eg_view_size(view, "floor");
    self->start = (uint32_t)eg_view_size(view, "threshold");
    self->percentile = eg_view_real(view, "percentile");
    self->tasks = eg_view_size(view, "update_tasks");
    self->examples = eg_view_size(view, "update_every");
    return eg_ok();
}

static eg_status snr_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "snr",
        .size = sizeof(snr),
        .part_size = sizeof(snr_part),
        .ops = {.end_phase = end_phase,
                .replaced = eg_resetting_replaced,
                .write = eg_resetting_write,
                .read = eg_resetting_read},
        .open = read_settings,
        .open_part = open_part,
        .close_part = close_part,
        .after_update = follow,
        .renewed = begin,
        .given = eg_resetting_given,
        .write_part = write_part,
        .read_part = read_part,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "percentile",
     .type = EG_TYPE_REAL,
     .default_text = "0.99",
     .min = 0,
     .max = 1,
     .above_min = true,
     .doc = "share of a unit's silences that are to end below its threshold; 1 minus this is the "
            "rejection level of the paper"},
    {.name = "threshold",
     .type = EG_TYPE_INT,
     .default_text = "10000",
     .min = 1,
     .max = 1e9,
     .unit = "examples",
     .doc = "the first threshold of every unit: no unit is reset before it was silent for as long"},
    {.name = "horizon",
     .type = EG_TYPE_INT,
     .default_text = "20000",
     .min = 1,
     .max = 1e9,
     .unit = "examples",
     .doc = "T, the largest threshold, and the age that older units are counted as"},
    {.name = "floor",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = 1e9,
     .unit = "examples",
     .doc = "the least threshold"},
    {.name = "update_tasks",
     .type = EG_TYPE_INT,
     .default_text = "16",
     .min = 1,
     .max = 1e9,
     .unit = "tasks",
     .doc = "how often thresholds follow the counts"},
    {.name = "update_every",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e15,
     .unit = "examples",
     .doc = "how often they do so where tasks are not told; 0: after every update_tasks tasks"},
    EG_UNIT_RESET_PARAMS(
        "draw", "draw", "fresh",
        "what the optimizer forgets of a unit that is reset: nothing, its incoming "
        "and outgoing weights, its bias too, or the count of their updates too; "
        "published: weights and bias"),
};

static eg_status check(const eg_view *view)
{
    static const char *const within[] = {"threshold", "floor"};
    for (size_t i = 0; i < EG_COUNT(within); i++) {
        if (eg_view_size(view, within[i]) > eg_view_size(view, "horizon")) {
            char names[64];
            (void)snprintf(names, sizeof names, "%s horizon", within[i]);
            return eg_fail_setting(view->prefix, names, "%s%s = %zu is more than %shorizon = %zu",
                                   view->prefix, within[i], eg_view_size(view, within[i]),
                                   view->prefix, eg_view_size(view, "horizon"));
        }
    }
    return eg_resetting_check(view);
}

const eg_learner_kind eg_learner_snr = {
    .component = {.name = "snr",
                  .doc = "any learner; a hidden unit is reset when it is silent for longer than "
                         "almost all of its silences before",
                  .source = "Farias and Jozefiak 2024, arXiv 2410.20098, and the authors' program",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .records_inside = true,
    .check = check,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .takes_positions = true,
    .create = snr_create,
};
