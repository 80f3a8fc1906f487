/** Forward and backward through the experts of a Switch layer; see nn/layer_switch.c. */
#include "nn/layer_switch.h"

#include "engram/blas.h"
#include "math/shared/small_product.h"
#include "math/shared/vector.h"

#include <string.h>

/* Arrays of the cache. Rows are those of all experts, inputs sorted by them. */
typedef struct arrays {
    size_t tokens, width, hidden;
    eg_real *x;                /* [rows][width] */
    eg_real *before, *after;   /* [rows][hidden] the activation */
    eg_real *z;                /* [rows][width] F(x), and in backward its gradient */
    eg_real *dx;               /* [rows][width] */
    eg_real *dafter, *dbefore; /* [rows of one expert][hidden] */
    eg_real *dp;               /* [tokens] */
    eg_real *dlogit;           /* [tokens][pitch] */
    eg_real *scratch;          /* of products */
    eg_switch_routes routes;
} arrays;

/* The order is that of open_arrays. */
size_t eg_switch_cache_per_token(const eg_switching *s)
{
    return 3 + 2 * s->pitch + 3 * s->up.channels + 4 * s->up.filters;
}

size_t eg_switch_cache_beside(const eg_switching *s)
{
    const size_t up = eg_convolve_scratch(&s->up);
    const size_t down = eg_convolve_scratch(&s->down);
    const size_t rows = s->experts * EG_SWITCH_ROWS;
    return rows * (3 * s->up.channels + 4 * s->up.filters) + (up > down ? up : down);
}

static eg_real *take(eg_real **from, size_t count)
{
    eg_real *out = *from;
    *from += count;
    return out;
}

static arrays open_arrays(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_switching *s = eg_switching_of(layer);
    eg_real *next = context->cache;
    arrays r = {.tokens = context->batch * eg_shape_positions(layer->in),
                .width = s->up.channels,
                .hidden = s->up.filters};
    const size_t rows = r.tokens + s->experts * EG_SWITCH_ROWS;
    r.routes = (eg_switch_routes){.tokens = r.tokens,
                                  .experts = s->experts,
                                  .pitch = s->pitch,
                                  .p = take(&next, r.tokens * s->pitch),
                                  .row = take(&next, r.tokens),
                                  .expert = take(&next, r.tokens)};
    r.x = take(&next, rows * r.width);
    r.before = take(&next, rows * r.hidden);
    r.after = take(&next, rows * r.hidden);
    r.z = take(&next, rows * r.width);
    r.dx = take(&next, rows * r.width);
    r.dafter = take(&next, rows * r.hidden);
    r.dbefore = take(&next, rows * r.hidden);
    r.dp = take(&next, r.tokens);
    r.dlogit = take(&next, r.tokens * s->pitch);
    r.scratch = next;
    return r;
}

/* Of expert e: its first row, and how many times EG_SWITCH_ROWS it has. */
typedef struct expert {
    size_t first, images, rows;
} expert;

static expert expert_of(const arrays *r, size_t e)
{
    const size_t images = (r->routes.kept[e] + EG_SWITCH_ROWS - 1) / EG_SWITCH_ROWS;
    return (expert){r->routes.first[e], images, images * EG_SWITCH_ROWS};
}

void eg_switch_prepare(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_switching *s = eg_switching_of(layer);
    const size_t width = s->up.channels;
    for (size_t i = 0; i < width; i++) {
        for (size_t e = 0; e < s->pitch; e++) {
            context->derived[i * s->pitch + e] =
                e < s->experts ? context->params[EG_SWITCH_ROUTER][e * width + i] : 0;
        }
    }
}

static void count(const eg_layer_context *context, const eg_switch_routes *routes)
{
    for (size_t e = 0; e < routes->experts; e++) {
        context->buffers[EG_SWITCH_LOAD][e] += (double)routes->count[e];
        context->buffers[EG_SWITCH_DROPPED][e] += (double)(routes->count[e] - routes->kept[e]);
    }
}

/* Rows of tokens; those that fill up become 0. */
static void gather(const arrays *r, const eg_real *x, eg_real *to)
{
    for (size_t e = 0; e < r->routes.experts; e++) {
        const expert one = expert_of(r, e);
        const size_t end = r->routes.first[e] + r->routes.kept[e];
        memset(to + end * r->width, 0, (one.first + one.rows - end) * r->width * sizeof *to);
    }
    for (size_t t = 0; t < r->tokens; t++) {
        if (r->routes.row[t] >= 0) {
            memcpy(to + (size_t)r->routes.row[t] * r->width, x + t * r->width,
                   r->width * sizeof *to);
        }
    }
}

static void run_expert(const eg_layer *layer, const eg_layer_context *context, const arrays *r,
                       size_t e)
{
    const eg_switching *s = eg_switching_of(layer);
    const expert one = expert_of(r, e);
    eg_real *before = r->before + one.first * r->hidden;
    eg_real *after = r->after + one.first * r->hidden;
    eg_convolve(&s->up, one.images, r->x + one.first * r->width,
                eg_switch_expert(layer, context->params, EG_SWITCH_UP, e),
                eg_switch_expert(layer, context->params, EG_SWITCH_UP_BIAS, e), r->scratch, before);
    s->activation->forward(s->p, one.rows * r->hidden, before, after, NULL);
    eg_convolve(&s->down, one.images, after,
                eg_switch_expert(layer, context->params, EG_SWITCH_DOWN, e),
                eg_switch_expert(layer, context->params, EG_SWITCH_DOWN_BIAS, e), r->scratch,
                r->z + one.first * r->width);
}

static eg_real chosen_p(const arrays *r, size_t t)
{
    return r->routes.p[t * r->routes.pitch + (size_t)r->routes.expert[t]];
}

void eg_switch_forward(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_switching *s = eg_switching_of(layer);
    arrays r = open_arrays(layer, context);
    const size_t capacity = eg_mode_draws(context->mode)
                                ? eg_switch_capacity(s->capacity, r.tokens, s->experts)
                                : r.tokens;
    eg_small_product(r.tokens, s->pitch, r.width, (eg_strided){context->x[0], r.width, 1},
                     context->derived, s->pitch, false, r.routes.p, s->pitch);
    eg_switch_route(&r.routes, capacity);
    if (context->mode == EG_MODE_TRAIN) {
        count(context, &r.routes);
    }
    gather(&r, context->x[0], r.x);
    for (size_t e = 0; e < s->experts; e++) {
        if (r.routes.kept[e] > 0) {
            run_expert(layer, context, &r, e);
        }
    }
    for (size_t t = 0; t < r.tokens; t++) {
        eg_real *restrict y = context->y + t * r.width;
        if (r.routes.row[t] < 0) {
            memset(y, 0, r.width * sizeof *y);
            continue;
        }
        const eg_real *restrict z = r.z + (size_t)r.routes.row[t] * r.width;
        const eg_real p = chosen_p(&r, t);
        for (size_t i = 0; i < r.width; i++) {
            y[i] = p * z[i];
        }
    }
}

/* dp of the experts that were chosen; z becomes its gradient. */
static void split_gradient(const arrays *r, const eg_real *dy)
{
    for (size_t e = 0; e < r->routes.experts; e++) {
        const expert one = expert_of(r, e);
        const size_t end = r->routes.first[e] + r->routes.kept[e];
        memset(r->z + end * r->width, 0, (one.first + one.rows - end) * r->width * sizeof *r->z);
    }
    for (size_t t = 0; t < r->tokens; t++, dy += r->width) {
        r->dp[t] = 0;
        if (r->routes.row[t] >= 0) {
            eg_real *restrict z = r->z + (size_t)r->routes.row[t] * r->width;
            const eg_real p = chosen_p(r, t);
            r->dp[t] = eg_dot(r->width, dy, z);
            for (size_t i = 0; i < r->width; i++) {
                z[i] = p * dy[i];
            }
        }
    }
}

static void expert_gradients(const eg_layer *layer, const eg_layer_context *context,
                             const arrays *r, size_t e)
{
    const eg_switching *s = eg_switching_of(layer);
    const expert one = expert_of(r, e);
    const eg_real *dz = r->z + one.first * r->width;
    eg_convolve_weights(&s->down, one.images, r->after + one.first * r->hidden, dz, r->scratch,
                        eg_switch_expert(layer, context->grads, EG_SWITCH_DOWN, e));
    eg_convolve_bias(&s->down, one.images, dz,
                     eg_switch_expert(layer, context->grads, EG_SWITCH_DOWN_BIAS, e));
    eg_convolve_weights(&s->up, one.images, r->x + one.first * r->width, r->dbefore, r->scratch,
                        eg_switch_expert(layer, context->grads, EG_SWITCH_UP, e));
    eg_convolve_bias(&s->up, one.images, r->dbefore,
                     eg_switch_expert(layer, context->grads, EG_SWITCH_UP_BIAS, e));
}

/* An expert without tokens learns nothing. */
static void no_gradients(const eg_layer *layer, const eg_layer_context *context, size_t e)
{
    for (size_t b = EG_SWITCH_UP; b < EG_SWITCH_BLOCKS; b++) {
        eg_real *g = eg_switch_expert(layer, context->grads, b, e);
        memset(g, 0, eg_switching_of(layer)->size[b] * sizeof *g);
    }
}

static void expert_backward(const eg_layer *layer, const eg_layer_context *context, const arrays *r,
                            size_t e)
{
    const eg_switching *s = eg_switching_of(layer);
    const expert one = expert_of(r, e);
    eg_convolve_input(&s->down, one.images, r->z + one.first * r->width,
                      eg_switch_expert(layer, context->params, EG_SWITCH_DOWN, e), r->scratch,
                      r->dafter);
    s->activation->backward(s->p, one.rows * r->hidden, r->before + one.first * r->hidden,
                            r->after + one.first * r->hidden, NULL, r->dafter, r->dbefore);
    if (context->grads != NULL) {
        expert_gradients(layer, context, r, e);
    }
    if (context->dx[0] != NULL) {
        eg_convolve_input(&s->up, one.images, r->dbefore,
                          eg_switch_expert(layer, context->params, EG_SWITCH_UP, e), r->scratch,
                          r->dx + one.first * r->width);
    }
}

static void router_backward(const eg_layer *layer, const eg_layer_context *context, const arrays *r)
{
    const eg_switching *s = eg_switching_of(layer);
    const double balance = eg_mode_draws(context->mode) ? s->balance : 0;
    const size_t pitch = s->pitch;
    eg_switch_differentiate(&r->routes, balance, r->dp, r->dlogit);
    if (context->grads != NULL) {
        eg_small_product(s->experts, r->width, r->tokens, (eg_strided){r->dlogit, 1, pitch},
                         context->x[0], r->width, false, context->grads[EG_SWITCH_ROUTER],
                         r->width);
    }
    if (context->dx[0] != NULL) {
        eg_small_product(r->tokens, r->width, s->experts, (eg_strided){r->dlogit, pitch, 1},
                         context->params[EG_SWITCH_ROUTER], r->width, false, context->dx[0],
                         r->width);
    }
}

void eg_switch_backward(const eg_layer *layer, const eg_layer_context *context)
{
    arrays r = open_arrays(layer, context);
    eg_switch_recall(&r.routes);
    split_gradient(&r, context->dy);
    router_backward(layer, context, &r);
    for (size_t e = 0; e < r.routes.experts; e++) {
        if (r.routes.kept[e] > 0) {
            expert_backward(layer, context, &r, e);
        } else if (context->grads != NULL) {
            no_gradients(layer, context, e);
        }
    }
    for (size_t t = 0; context->dx[0] != NULL && t < r.tokens; t++) {
        if (r.routes.row[t] >= 0) {
            eg_accumulate(r.width, r.dx + (size_t)r.routes.row[t] * r.width,
                          context->dx[0] + t * r.width);
        }
    }
}

void eg_switch_routes_of(const eg_layer *layer, const eg_layer_context *context,
                         eg_switch_routes *out)
{
    arrays r = open_arrays(layer, context);
    eg_switch_recall(&r.routes);
    *out = r.routes;
}
