/** Generated values: range, linspace, logspace. Both ends are the VALUES written and are met
 *  exactly; what lies between is rounded to 12 significant digits, so that 0.1 + 2*0.1 is 0.3 and a
 *  trial's identity does not hang on the last bit of somebody's logarithm. */
#include "sweep/axis.h"

#include "base/shared/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct generator {
    const char *word;  /* "range" */
    const char *third; /* what the third number is */
} generator;

static const generator generators[] = {
    {"range", "step"}, {"linspace", "count"}, {"logspace", "count"}};

static double rounded(double value)
{
    char text[EG_NUMBER_TEXT];
    (void)snprintf(text, sizeof text, "%.12g", value);
    return strtod(text, NULL);
}

/** Number of values of a range a, a+step, … b; b itself counts if it is met within rounding. */
static double range_count(const double p[3])
{
    return floor((p[1] - p[0]) / p[2] + 1e-9) + 1;
}

static double value_at(const generator *g, const double p[3], double count, double i)
{
    bool range = strcmp(g->word, "range") == 0;
    if (i == 0) {
        return p[0];
    }
    if (range) {
        double value = p[0] + i * p[2];
        return fabs(value - p[1]) <= 1e-9 * fabs(p[2]) ? p[1] : rounded(value);
    }
    if (i == count - 1) {
        return p[1];
    }
    double share = i / (count - 1);
    if (strcmp(g->word, "logspace") == 0) {
        return rounded(exp(log(p[0]) + share * (log(p[1]) - log(p[0]))));
    }
    return rounded(p[0] * (1 - share) + p[1] * share);
}

static eg_status check_numbers(const generator *g, const double p[3], const char *name,
                               const eg_node *node, double *count)
{
    if (strcmp(g->word, "range") == 0) {
        if (p[2] == 0 || (p[1] - p[0]) / p[2] < 0) {
            return eg_fail_at(&node->at,
                              "%s: range [%g, %g, %g]: the step does not lead from %g to %g", name,
                              p[0], p[1], p[2], p[0], p[1]);
        }
        *count = range_count(p);
    } else {
        *count = p[2];
        if (p[2] != floor(p[2]) || p[2] < 2) {
            return eg_fail_at(&node->at,
                              "%s: %s [a, b, count]: count must be an integer of at least 2", name,
                              g->word);
        }
        if (strcmp(g->word, "logspace") == 0 && (p[0] <= 0 || p[1] <= 0)) {
            return eg_fail_at(&node->at,
                              "%s: logspace [a, b, count]: a and b are the values at the ends (not "
                              "exponents) and must be above 0",
                              name);
        }
    }
    if (*count > EG_PLAN_POINTS_MAX) {
        return eg_fail_at(&node->at, "%s: %s gives %.15g values; a plan holds at most %d points",
                          name, g->word, *count, (int)EG_PLAN_POINTS_MAX);
    }
    return eg_ok();
}

static const generator *find_generator(const eg_node *node)
{
    for (size_t i = 0; node->kind == EG_NODE_MAP && i < EG_COUNT(generators); i++) {
        if (node->count == 1 && strcmp(node->entries[0].key, generators[i].word) == 0) {
            return &generators[i];
        }
    }
    return NULL;
}

eg_status eg_generator_values(eg_sweep *sweep, const char ***out, size_t *count,
                              const eg_param *param, const char *name, const eg_node *node,
                              bool *is_generator)
{
    const generator *g = find_generator(node);
    *is_generator = g != NULL;
    if (g == NULL) {
        return eg_ok();
    }
    const eg_node *list = node->entries[0].value;
    if (list->kind != EG_NODE_LIST || list->count != 3) {
        return eg_fail_at(&list->at, "%s: %s takes three numbers [a, b, %s]", name, g->word,
                          g->third);
    }
    double p[3];
    for (size_t i = 0; i < 3; i++) {
        EG_TRY(eg_node_real(&p[i], list->items[i], g->word));
    }
    double wanted = 0;
    EG_TRY(check_numbers(g, p, name, list, &wanted));
    *count = (size_t)wanted;
    EG_TRY(eg_arena_alloc(sweep->arena, out, *count, sizeof **out));
    /* Spaced values of an integer setting are the nearest integers; a range says its step, so there
     * a fraction is a mistake, which the setting itself will refuse. */
    bool whole = (param->type == EG_TYPE_INT || param->type == EG_TYPE_INTS) &&
                 strcmp(g->word, "range") != 0;
    for (size_t i = 0; i < *count; i++) {
        double value = value_at(g, p, wanted, (double)i);
        char text[EG_NUMBER_TEXT];
        if (whole) {
            (void)snprintf(text, sizeof text, "%.0f", nearbyint(value));
        } else {
            eg_real_text(text, value);
        }
        EG_TRY(eg_arena_copy(sweep->arena, &(*out)[i], text, strlen(text)));
    }
    return eg_ok();
}
