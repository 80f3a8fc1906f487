/** Sampled points: `count` draws of several settings together, at random or from a Halton or Sobol
 *  sequence.
 *
 *  Every draw is a vector of numbers in (0, 1), one per setting, and each distribution is the
 *  inverse of its cumulative distribution. A number depends on the sweep's sample seed, the draw's
 *  index and the setting's name only: raising `count` keeps the draws there were, and so does
 *  adding a setting to random draws; the sequences have a dimension per setting, in their
 *  alphabetical order. How the numbers come about is in sweep/sample_draws.c. */
#include "sweep/axis.h"

#include "base/shared/value.h"
#include "engram/pack.h"
#include "sweep/sample_draws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum shape { UNIFORM, LOGUNIFORM, INT, LOGINT, NORMAL, CHOICE } shape;

static const char *const shape_names[] = {
    [UNIFORM] = "uniform", [LOGUNIFORM] = "loguniform", [INT] = "int",
    [LOGINT] = "logint",   [NORMAL] = "normal",         [CHOICE] = "choice"};

typedef struct dimension {
    const char *name;
    eg_origin at;
    shape shape;
    double a, b;
    eg_type type; /* of the setting */
    eg_axis choices;
    eg_draw_dimension draw;
} dimension;

/** Draw k has numbers[k * number_count] and those that follow, in the order of the dimensions. */
typedef struct eg_sample {
    dimension *dimensions;
    size_t count;
    eg_sample_method method;
    const double *draws; /* [draws, count], in (0, 1) */
    const char **numbers;
    size_t number_count; /* dimensions that are no CHOICE */
    eg_axes parts;       /* by dimension */
    int64_t seed, batch;
} eg_sample;

/** The x with P(X <= x) = u for a standard normal X, by bisection of erfc: exact, and fast enough
 *  here. */
static double normal_quantile(double u)
{
    double low = -9;
    double high = 9;
    for (int i = 0; i < 64; i++) {
        double middle = 0.5 * (low + high);
        if (0.5 * erfc(-middle / sqrt(2.0)) < u) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return 0.5 * (low + high);
}

static double value_of(const dimension *d, double u)
{
    switch (d->shape) {
    case UNIFORM:
        return d->a + u * (d->b - d->a);
    case LOGUNIFORM:
        return exp(log(d->a) + u * (log(d->b) - log(d->a)));
    case INT:
        return fmin(d->b, d->a + floor(u * (d->b - d->a + 1)));
    case LOGINT:
        return fmin(d->b, floor(exp(log(d->a) + u * (log(d->b + 1) - log(d->a)))));
    default:
        return d->a + d->b * normal_quantile(u);
    }
}

/** A number as it stands in a sweep file. */
static void print_number(char text[EG_NUMBER_TEXT], const dimension *d, double u)
{
    bool whole = d->shape == INT || d->shape == LOGINT;
    (void)snprintf(text, EG_NUMBER_TEXT, whole ? "%.0f" : "%.12g", value_of(d, u));
}

static eg_status check_bounds(const dimension *d, const eg_node *node)
{
    const char *word = shape_names[d->shape];
    bool logarithmic = d->shape == LOGUNIFORM || d->shape == LOGINT;
    bool whole = d->shape == INT || d->shape == LOGINT;
    if (d->shape == NORMAL) {
        return d->b > 0 ? eg_ok()
                        : eg_fail_at(&node->at,
                                     "%s: normal [mean, deviation]: the deviation must be "
                                     "above 0",
                                     d->name);
    }
    if (!(d->a < d->b)) {
        return eg_fail_at(&node->at, "%s: %s [a, b]: a must be below b", d->name, word);
    }
    if (logarithmic && d->a <= 0) {
        return eg_fail_at(&node->at, "%s: %s [a, b]: a must be above 0", d->name, word);
    }
    if (whole && (d->a != floor(d->a) || d->b != floor(d->b) || fabs(d->a) > 1e15 || d->b > 1e15)) {
        return eg_fail_at(&node->at, "%s: %s [a, b]: a and b must be integers", d->name, word);
    }
    return eg_ok();
}

static eg_status read_shape(dimension *d, const eg_node *node)
{
    eg_nearest nearest = {0};
    if (node->kind == EG_NODE_MAP && node->count == 1) {
        for (size_t i = 0; i < EG_COUNT(shape_names); i++) {
            if (strcmp(node->entries[0].key, shape_names[i]) == 0) {
                d->shape = (shape)i;
                return eg_ok();
            }
            eg_nearest_offer(&nearest, node->entries[0].key, shape_names[i]);
        }
    }
    if (nearest.best != NULL) {
        return eg_fail_at(&node->at, "%s: no such distribution '%.60s'; did you mean %s?", d->name,
                          node->entries[0].key, nearest.best);
    }
    return eg_fail_at(&node->at,
                      "%s must be one of {uniform: [a, b]}, {loguniform: [a, b]}, {int: [a, b]}, "
                      "{logint: [a, b]}, {normal: [mean, deviation]}, {choice: [values]}",
                      d->name);
}

static eg_status read_dimension(eg_sweep *sweep, dimension *d, const eg_entry *entry, int64_t seed)
{
    const eg_param *param = NULL;
    *d = (dimension){.name = entry->key, .at = entry->at};
    EG_TRY(eg_sweep_param(sweep, entry->key, &entry->at, &param));
    d->type = param->type;
    EG_TRY(read_shape(d, entry->value));
    char text[EG_PREFIX_SIZE + 32];
    int length = snprintf(text, sizeof text, "%lld:%.119s", (long long)seed, entry->key);
    d->draw.key = eg_hash64(text, length > 0 ? (size_t)length : 0);
    const eg_node *list = entry->value->entries[0].value;
    if (d->shape == CHOICE) {
        return eg_axis_values(sweep, &d->choices, entry->key, param, list, &list->at);
    }
    const char *word = shape_names[d->shape];
    if (list->kind != EG_NODE_LIST || list->count != 2) {
        return eg_fail_at(&list->at, "%s: %s takes two numbers", d->name, word);
    }
    EG_TRY(eg_node_real(&d->a, list->items[0], word));
    EG_TRY(eg_node_real(&d->b, list->items[1], word));
    return check_bounds(d, list);
}

static eg_status read_dimensions(eg_sweep *sweep, dimension *d, size_t *count, const eg_node *map,
                                 int64_t seed)
{
    for (size_t i = 0; i < map->count; i++) {
        EG_TRY(read_dimension(sweep, &d[*count], &map->entries[i], seed));
        if (!eg_sweep_overridden(sweep, map->entries[i].key)) {
            (*count)++;
        }
    }
    for (size_t i = 0; i < *count; i++) {
        for (size_t k = 0; k < *count; k++) {
            d[i].draw.rank += strcmp(d[k].name, d[i].name) < 0;
        }
        for (size_t k = 0; k < map->count; k++) {
            d[i].draw.written += strcmp(map->entries[k].key, d[i].name) < 0;
        }
    }
    return eg_ok();
}

/** The numbers of all draws as texts: what is drawn from a list has its text there. */
static eg_status draw_numbers(eg_sweep *sweep, eg_sample *sample, size_t draws)
{
    size_t next = 0;
    double *table = NULL;
    eg_draw_dimension dimensions[EG_SAMPLE_DIMENSIONS_MAX];
    for (size_t i = 0; i < sample->count; i++) {
        dimensions[i] = sample->dimensions[i].draw;
    }
    EG_TRY(eg_sweep_draws(&table, sweep->arena, sample->method, dimensions, sample->count, draws));
    sample->draws = table;
    EG_TRY(eg_arena_alloc(sweep->arena, &sample->numbers, draws * sample->number_count,
                          sizeof(char *)));
    for (size_t k = 0; k < draws; k++) {
        for (size_t i = 0; i < sample->count; i++) {
            const dimension *d = &sample->dimensions[i];
            char text[EG_NUMBER_TEXT];
            if (d->shape != CHOICE) {
                print_number(text, d, table[k * sample->count + i]);
                EG_TRY(eg_arena_copy(sweep->arena, &sample->numbers[next++], text, strlen(text)));
            }
        }
    }
    return eg_ok();
}

/** A number may become anything: as an axis it is a single value without a text. */
static eg_status add_part(eg_sweep *sweep, eg_sample *sample, const dimension *d)
{
    if (d->shape == CHOICE) {
        return eg_axes_add(sweep, &sample->parts, &d->choices);
    }
    eg_axis part = {.label = "sample", .name = d->name, .at = d->at, .count = 1};
    eg_assignment *item = NULL;
    EG_TRY(eg_arena_alloc(sweep->arena, &part.choices, 1, sizeof *part.choices));
    EG_TRY(eg_arena_alloc(sweep->arena, &item, 1, sizeof *item));
    *item = (eg_assignment){.name = d->name, .value = "", .origin = d->at};
    part.choices[0] = (eg_choice){.items = item, .count = 1};
    sample->number_count++;
    return eg_axes_add(sweep, &sample->parts, &part);
}

static eg_status fill_sample(eg_sweep *sweep, eg_sample *sample, size_t draws)
{
    for (size_t i = 0; i < sample->count; i++) {
        EG_TRY(add_part(sweep, sample, &sample->dimensions[i]));
    }
    return draw_numbers(sweep, sample, draws);
}

const eg_axes *eg_sweep_sample_parts(const eg_sample *sample)
{
    return &sample->parts;
}

void eg_sweep_sample_pick(const eg_sample *sample, size_t k, eg_assignment *out, size_t *count)
{
    const char *const *number = sample->numbers + k * sample->number_count;
    for (size_t i = 0; i < sample->count; i++) {
        const dimension *d = &sample->dimensions[i];
        if (d->shape != CHOICE) {
            out[(*count)++] = (eg_assignment){.name = d->name, .value = *number++, .origin = d->at};
            continue;
        }
        size_t index = (size_t)(sample->draws[k * sample->count + i] * (double)d->choices.count);
        const eg_choice *choice = &d->choices.choices[index < d->choices.count ? index : 0];
        memcpy(out + *count, choice->items, choice->count * sizeof *out);
        *count += choice->count;
    }
}

eg_status eg_axes_sample(eg_sweep *sweep, eg_axes *axes, const eg_node *map)
{
    static const char *const keys[] = {"count", "method", "batch", "seed", "settings", NULL};
    EG_TRY(eg_node_expect(map, EG_NODE_MAP, "sample"));
    EG_TRY(eg_node_keys(map, keys, "sample"));
    const eg_node *count = eg_node_get(map, "count");
    const eg_node *method = eg_node_get(map, "method");
    const eg_node *batch = eg_node_get(map, "batch");
    const eg_node *seed = eg_node_get(map, "seed");
    const eg_node *settings = eg_node_get(map, "settings");
    if (count == NULL || settings == NULL) {
        return eg_fail_at(&map->at, "sample needs %s", count == NULL ? "a count" : "settings");
    }
    int64_t draws = 0;
    int64_t seed_value = 0;
    int64_t method_value = EG_SAMPLE_RANDOM;
    int64_t batch_value = 1;
    EG_TRY(eg_node_integer(&draws, count, "sample.count", 1, EG_PLAN_POINTS_MAX));
    if (batch != NULL) {
        EG_TRY(eg_node_integer(&batch_value, batch, "sample.batch", 1, EG_PLAN_POINTS_MAX));
    }
    if (seed != NULL) {
        EG_TRY(eg_node_integer(&seed_value, seed, "sample.seed", 0, (int64_t)1 << 53));
    }
    if (method != NULL) {
        static const char *const methods[] = {[EG_SAMPLE_RANDOM] = "random",
                                              [EG_SAMPLE_HALTON] = "halton",
                                              [EG_SAMPLE_SOBOL] = "sobol",
                                              NULL};
        EG_TRY(eg_node_expect(method, EG_NODE_SCALAR, "sample.method"));
        eg_param param = {.name = "sample.method", .type = EG_TYPE_NAME, .names = methods};
        eg_value value;
        eg_status status = eg_value_parse(&value, &param, NULL, method->text);
        method_value = value.integer;
        eg_value_clear(&value);
        EG_TRY(eg_origin_wrap(status, &method->at));
    }
    EG_TRY(eg_node_expect(settings, EG_NODE_MAP, "sample.settings"));
    if (settings->count == 0) {
        return eg_fail_at(&settings->at, "sample.settings is empty");
    }
    if (settings->count > EG_SAMPLE_DIMENSIONS_MAX) {
        return eg_fail_at(&settings->at, "sample.settings has more than %d settings",
                          (int)EG_SAMPLE_DIMENSIONS_MAX);
    }
    eg_sample *sample = NULL;
    EG_TRY(eg_arena_alloc(sweep->arena, &sample, 1, sizeof *sample));
    sample->method = (eg_sample_method)method_value;
    sample->seed = seed_value;
    sample->batch = batch_value;
    EG_TRY(eg_arena_alloc(sweep->arena, &sample->dimensions, settings->count,
                          sizeof *sample->dimensions));
    EG_TRY(read_dimensions(sweep, sample->dimensions, &sample->count, settings, seed_value));
    if (sample->count == 0) {
        return eg_ok(); /* all given on the command line: the draws would all be the same */
    }
    EG_TRY(fill_sample(sweep, sample, (size_t)draws));
    eg_axis axis = {.label = "sample",
                    .name = "sample",
                    .at = map->at,
                    .sample = sample,
                    .count = (size_t)draws};
    return eg_axes_add(sweep, axes, &axis);
}

/* The same settings, chosen by somebody else --------------------------------------------------- */

int64_t eg_sweep_sample_seed(const eg_sample *sample)
{
    return sample->seed;
}

size_t eg_sweep_sample_batch(const eg_sample *sample)
{
    return (size_t)sample->batch;
}

/** "NAME key=value …" of a choice that brings parameters, otherwise its value. */
static eg_status label_choice(eg_sweep *sweep, const eg_choice *choice, const char **out)
{
    size_t prefix = strlen(choice->items[0].name) + 1;
    *out = choice->items[0].value;
    for (size_t i = 1; i < choice->count; i++) {
        const char *pair = NULL;
        EG_TRY(eg_arena_join(sweep->arena, &pair, choice->items[i].name + prefix, "=",
                             choice->items[i].value));
        EG_TRY(eg_arena_join(sweep->arena, out, *out, " ", pair));
    }
    return eg_ok();
}

static eg_status label_choices(eg_space_variable *out, eg_sweep *sweep, const dimension *d)
{
    const char **labels = NULL;
    EG_TRY(eg_arena_alloc(sweep->arena, &labels, d->choices.count, sizeof *labels));
    out->kind = EG_VARIABLE_CHOICE;
    out->type = d->type;
    out->label_count = d->choices.count;
    out->labels = labels;
    for (size_t i = 0; i < d->choices.count; i++) {
        EG_TRY(label_choice(sweep, &d->choices.choices[i], &labels[i]));
    }
    return eg_ok();
}

eg_status eg_sweep_sample_variable(eg_space_variable *out, eg_sweep *sweep, const eg_sample *sample,
                                   size_t i)
{
    const dimension *d = &sample->dimensions[i];
    *out = (eg_space_variable){.name = d->name, .low = d->a, .high = d->b};
    if (d->shape == CHOICE) {
        return label_choices(out, sweep, d);
    }
    if (d->shape == NORMAL) {
        return eg_fail_at(&d->at, "%s: a tuner needs bounds, which normal has not; use uniform",
                          d->name);
    }
    out->kind = d->shape == INT || d->shape == LOGINT ? EG_VARIABLE_INTEGER : EG_VARIABLE_REAL;
    out->logarithmic = d->shape == LOGINT || d->shape == LOGUNIFORM;
    return eg_ok();
}

eg_status eg_sweep_sample_choose(eg_sweep *sweep, const eg_sample *sample, size_t i,
                                 eg_space_value value, eg_assignment *out, size_t *count)
{
    const dimension *d = &sample->dimensions[i];
    char text[EG_NUMBER_TEXT];
    if (d->shape == CHOICE) {
        const eg_choice *choice = &d->choices.choices[value.choice];
        memcpy(out + *count, choice->items, choice->count * sizeof *out);
        *count += choice->count;
        return eg_ok();
    }
    eg_real_text(text, value.number);
    if (!(value.number >= d->a && value.number <= d->b)) {
        char low[EG_NUMBER_TEXT];
        char high[EG_NUMBER_TEXT];
        eg_real_text(low, d->a);
        eg_real_text(high, d->b);
        return eg_fail(EG_INVALID, "%s = %s is not in %s … %s", d->name, text, low, high);
    }
    out[*count] = (eg_assignment){.name = d->name, .origin = d->at};
    EG_TRY(eg_arena_copy(sweep->arena, &out[*count].value, text, strlen(text)));
    (*count)++;
    return eg_ok();
}
