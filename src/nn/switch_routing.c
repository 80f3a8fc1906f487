/** Routing of tokens; see nn/switch_routing.h. */
#include "nn/switch_routing.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

size_t eg_switch_capacity(double factor, size_t tokens, size_t experts)
{
    return (size_t)ceil(factor * (double)tokens / (double)experts);
}

EG_CLONES static void exponentials(size_t n, eg_real *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = eg_exp(x[i]);
    }
}

/* The first of the largest; logits become those less it. A NaN is never larger, but stays. */
static size_t lower(size_t experts, eg_real *p)
{
    size_t best = 0;
    for (size_t e = 1; e < experts; e++) {
        best = p[e] > p[best] ? e : best;
    }
    const eg_real most = p[best];
    for (size_t e = 0; e < experts; e++) {
        p[e] -= most;
    }
    return best;
}

static void normalise(size_t experts, eg_real *p)
{
    eg_real sum = 0;
    for (size_t e = 0; e < experts; e++) {
        sum += p[e];
    }
    const eg_real inverse = 1 / sum;
    for (size_t e = 0; e < experts; e++) {
        p[e] *= inverse;
    }
}

static void choose(eg_switch_routes *routes)
{
    const size_t pitch = routes->pitch;
    for (size_t t = 0; t < routes->tokens; t++) {
        routes->expert[t] = (eg_real)lower(routes->experts, routes->p + t * pitch);
    }
    exponentials(routes->tokens * pitch, routes->p);
    for (size_t t = 0; t < routes->tokens; t++) {
        normalise(routes->experts, routes->p + t * pitch);
    }
}

/* Where the rows of every expert begin. */
static void lay_out(eg_switch_routes *routes)
{
    size_t first = 0;
    for (size_t e = 0; e < routes->experts; e++) {
        routes->first[e] = first;
        first += (routes->kept[e] + EG_SWITCH_ROWS - 1) / EG_SWITCH_ROWS * EG_SWITCH_ROWS;
    }
}

static void clear(eg_switch_routes *routes)
{
    memset(routes->count, 0, routes->experts * sizeof *routes->count);
    memset(routes->kept, 0, routes->experts * sizeof *routes->kept);
}

void eg_switch_route(eg_switch_routes *routes, size_t capacity)
{
    size_t taken[EG_SWITCH_EXPERTS_MAX] = {0};
    choose(routes);
    clear(routes);
    for (size_t t = 0; t < routes->tokens; t++) {
        routes->count[(size_t)routes->expert[t]]++;
    }
    for (size_t e = 0; e < routes->experts; e++) {
        routes->kept[e] = routes->count[e] < capacity ? routes->count[e] : capacity;
    }
    lay_out(routes);
    for (size_t t = 0; t < routes->tokens; t++) {
        const size_t e = (size_t)routes->expert[t];
        const bool fits = taken[e] < capacity;
        routes->row[t] = fits ? (eg_real)(routes->first[e] + taken[e]) : -1;
        taken[e] += fits ? 1 : 0;
    }
}

void eg_switch_recall(eg_switch_routes *routes)
{
    clear(routes);
    for (size_t t = 0; t < routes->tokens; t++) {
        const size_t e = (size_t)routes->expert[t];
        routes->count[e]++;
        routes->kept[e] += routes->row[t] >= 0 ? 1 : 0;
    }
    lay_out(routes);
}

double eg_switch_balance(const eg_switch_routes *routes, double alpha)
{
    const double n = (double)routes->tokens;
    double sum = 0;
    for (size_t e = 0; e < routes->experts; e++) {
        double p = 0;
        for (size_t t = 0; t < routes->tokens; t++) {
            p += (double)routes->p[t * routes->pitch + e];
        }
        sum += (double)routes->count[e] / n * (p / n);
    }
    return alpha * (double)routes->experts * sum;
}

/* dL/dr_k = p_k (dL/dp_k - sum_j p_j dL/dp_j). That of the balance loss with respect to p_k is
 * alpha E f_k / n, the same for all tokens. */
void eg_switch_differentiate(const eg_switch_routes *routes, double alpha, const eg_real *dp,
                             eg_real *dlogit)
{
    const size_t experts = routes->experts;
    const double n = (double)routes->tokens;
    eg_real even[EG_SWITCH_EXPERTS_MAX];
    for (size_t e = 0; e < experts; e++) {
        even[e] = (eg_real)(alpha * (double)experts * ((double)routes->count[e] / n) / n);
    }
    for (size_t t = 0; t < routes->tokens; t++) {
        const eg_real *p = routes->p + t * routes->pitch;
        eg_real *out = dlogit + t * routes->pitch;
        const size_t chosen = (size_t)routes->expert[t];
        eg_real mean = p[chosen] * dp[t];
        for (size_t e = 0; e < experts; e++) {
            mean += p[e] * even[e];
        }
        for (size_t e = 0; e < experts; e++) {
            out[e] = p[e] * (even[e] + (e == chosen ? dp[t] : 0) - mean);
        }
    }
}
