/** The fully connected layer of networks that learn example by example: the same function as
 *  layer_linear.c without normalisation, with the weights input by input.
 *
 *      params | weight W [inputs][lanes] | bias b [lanes], if any |   lanes: the units, rounded up;
 *                                                                     those without a unit stay 0
 *      cache  | the active inputs: places, count [inputs + 1] | values [inputs] |
 *             | x from sparse form [inputs] | rows of a gradient | sums [lanes] |
 *             | lanes of y or dy [B][lanes]
 *
 *  A minibatch of one is a matrix times a vector, then a matrix of rank one:
 *
 *      y = b + sum_i x_i W_i      dx_i = W_i . dy      dL/dW_i = x_i dy
 *
 *  Where x_i is 0, row i is not read for y, and gradient descent does not change it. Where x_i is a
 *  unit that is off and learns nothing then (context->flat_input), nobody asks for dx_i: the row is
 *  not touched at all. Rows go through in pieces that stay in the first-level cache, dx first, then
 *  the update.
 *
 *  Larger minibatches, of evaluations and replayed examples, go through BLAS. */
#include "nn/layers.h"

#include "engram/blas.h"
#include "math/shared/panel.h"
#include "math/shared/rows.h"
#include "math/shared/vector.h"
#include "nn/linear_layout.h"

#include <assert.h>
#include <string.h>

enum { WEIGHT = EG_LINEAR_WEIGHT, BIAS = EG_LINEAR_BIAS, STEP = EG_ROWS_STEP };

/* Numbers of a gradient that stay in the first-level cache with the weights and whatever an
 * optimizer remembers of them. */
enum { PIECE = 2048 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* At least one row. */
static size_t rows_of_piece(size_t lanes)
{
    return lanes < PIECE ? PIECE / lanes : 1;
}

/* Numbers of cache that hold n uint32_t. */
static size_t room_for_places(size_t n)
{
    return (n * sizeof(uint32_t) + sizeof(eg_real) - 1) / sizeof(eg_real);
}

/* What a call works on. */
typedef struct pieces {
    size_t batch, n, m, lanes;
    const eg_real *x;        /* [B, n]; NULL: there is the sparse form alone */
    const eg_sparse *sparse; /* or NULL */
    eg_real *weights;
    uint32_t *place;           /* [n + 1] */
    eg_real *value, *unfolded; /* [n] */
    eg_real *piece;            /* [rows_of_piece][lanes] */
    eg_real *sum, *rows;       /* [lanes], [B][lanes] */
} pieces;

static pieces cut(const eg_layer *layer, const eg_layer_context *context)
{
    pieces out = {.batch = context->batch,
                  .n = eg_layer_inputs(layer),
                  .m = eg_layer_outputs(layer),
                  .lanes = eg_linear_of(layer)->width,
                  .x = context->x[0],
                  .sparse = context->sparse,
                  .weights = context->params[WEIGHT]};
    out.place = (uint32_t *)(void *)context->cache;
    out.value = context->cache + room_for_places(out.n + 1);
    out.unfolded = out.value + out.n;
    out.piece = out.unfolded + out.n;
    out.sum = out.piece + rows_of_piece(out.lanes) * out.lanes;
    out.rows = out.sum + out.lanes;
    return out;
}

/* x [n] of an example that came in sparse form. */
static const eg_real *unfold(const pieces *c)
{
    const eg_sparse *sparse = c->sparse;
    for (size_t i = 0; i < c->n; i++) {
        c->unfolded[i] = sparse->background;
    }
    for (size_t k = eg_sparse_row(sparse, 0); k < eg_sparse_row_end(sparse, 0); k++) {
        c->unfolded[sparse->column[k]] += sparse->value[k];
    }
    return c->unfolded;
}

/* All inputs of the one example, in an array. */
static const eg_real *all_inputs(const pieces *c)
{
    return c->sparse != NULL ? unfold(c) : c->x;
}

/* Those of the one example that are not 0. */
typedef struct active {
    size_t count;
    const uint32_t *place;
    const eg_real *value;
} active;

static bool comes_as_list(const pieces *c)
{
    return c->sparse != NULL && c->sparse->background == 0;
}

/* Forward: leaves the list in the cache, unless the input is one. */
static void list_active(const pieces *c)
{
    if (!comes_as_list(c)) {
        c->place[c->n] = (uint32_t)eg_rows_active(c->n, all_inputs(c), c->place, c->value);
    }
}

static active active_of(const pieces *c)
{
    if (!comes_as_list(c)) {
        return (active){.count = c->place[c->n], .place = c->place, .value = c->value};
    }
    size_t first = eg_sparse_row(c->sparse, 0);
    return (active){.count = eg_sparse_row_end(c->sparse, 0) - first,
                    .place = c->sparse->column + first,
                    .value = c->sparse->value + first};
}

/* y of the lanes without bias, of more than one example. */
static void product_many(const pieces *c)
{
    if (c->sparse == NULL) {
        eg_gemm(false, false, c->batch, c->lanes, c->n, 1, c->x, c->n, c->weights, c->lanes, 0,
                c->rows, c->lanes);
        return;
    }
    eg_sparse_product(c->sparse, c->lanes, c->weights, c->rows);
    if (c->sparse->background != 0) {
        eg_panel_sums(c->n, c->lanes, c->weights, c->sum);
        eg_scale(c->lanes, c->sparse->background, c->sum);
        for (size_t b = 0; b < c->batch; b++) {
            eg_accumulate(c->lanes, c->sum, c->rows + b * c->lanes);
        }
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces c = cut(layer, context);
    if (c.batch == 1) {
        list_active(&c);
        active on = active_of(&c);
        eg_rows_product(on.count, on.place, on.value, c.lanes, c.weights, c.rows);
    } else {
        product_many(&c);
    }
    for (size_t b = 0; b < c.batch; b++) {
        memcpy(context->y + b * c.m, c.rows + b * c.lanes, c.m * sizeof *c.rows);
        if (eg_linear_of(layer)->bias) {
            eg_accumulate(c.m, context->params[BIAS], context->y + b * c.m);
        }
    }
}

/* dy in lanes, those without a unit 0. */
static void spread(const pieces *c, const eg_real *dy)
{
    for (size_t b = 0; b < c->batch; b++) {
        eg_real *row = c->rows + b * c->lanes;
        memcpy(row, dy + b * c->m, c->m * sizeof *row);
        memset(row + c->m, 0, (c->lanes - c->m) * sizeof *row);
    }
}

static void give(const eg_layer_context *context, size_t block, size_t count, eg_real *g)
{
    if (context->consumer != NULL) {
        eg_gradient_emit(context, block, 0, count, g);
    }
}

/* The gradient of the biases is the sum of dy; it may be changed by who takes it. */
static void give_bias(const eg_layer *layer, const eg_layer_context *context, const pieces *c)
{
    bool stores = context->consumer == NULL || !context->consumer->updates;
    if (!eg_linear_of(layer)->bias) {
        return;
    }
    eg_real *sum = stores ? context->grads[BIAS] : c->sum;
    memset(sum, 0, c->lanes * sizeof *sum);
    for (size_t b = 0; b < c->batch; b++) {
        eg_accumulate(c->lanes, c->rows + b * c->lanes, sum);
    }
    give(context, BIAS, c->lanes, sum);
}

/* dx of several examples, and of the weights the gradient stored as a whole. */
static void backward_many(const eg_layer *layer, const eg_layer_context *context)
{
    pieces c = cut(layer, context);
    spread(&c, context->dy);
    if (context->dx[0] != NULL) {
        eg_gemm(false, true, c.batch, c.n, c.lanes, 1, c.rows, c.lanes, c.weights, c.lanes, 0,
                context->dx[0], c.n);
    }
    if (context->grads == NULL) {
        return;
    }
    eg_real *g = context->grads[WEIGHT];
    if (c.sparse == NULL) {
        eg_gemm(true, false, c.n, c.lanes, c.batch, 1, c.x, c.n, c.rows, c.lanes, 0, g, c.lanes);
    } else {
        eg_sparse_product(context->transposed, c.lanes, c.rows, g);
        eg_panel_sums(c.batch, c.lanes, c.rows, c.sum);
        eg_scale(c.lanes, c.sparse->background, c.sum);
        for (size_t i = 0; c.sparse->background != 0 && i < c.n; i++) {
            eg_accumulate(c.lanes, c.sum, g + i * c.lanes);
        }
    }
    give(context, WEIGHT, c.n * c.lanes, g);
    give_bias(layer, context, &c);
}

static void update_rows(const eg_layer_context *context, const pieces *c, size_t count,
                        const uint32_t *place, const eg_real *value)
{
    const eg_outer_gradient g = {.first = context->offset[WEIGHT],
                                 .count = count,
                                 .row = place,
                                 .a = value,
                                 .width = c->lanes,
                                 .d = c->rows};
    context->consumer->consume_outer(context->consumer->user, &g);
}

/* dx of the active inputs and the update of their rows, while these are in cache. */
static void backward_fused(const eg_layer_context *context, const pieces *c, const active *on)
{
    size_t rows = rows_of_piece(c->lanes);
    memset(context->dx[0], 0, c->n * sizeof *context->dx[0]);
    for (size_t k = 0; k < on->count; k += rows) {
        size_t count = least(rows, on->count - k);
        eg_rows_dots(count, on->place + k, c->lanes, c->weights, c->rows, context->dx[0]);
        update_rows(context, c, count, on->place + k, on->value + k);
    }
}

static void backward_input(const eg_layer_context *context, const pieces *c, const active *on)
{
    if (context->dx[0] == NULL) {
        return;
    }
    if (context->flat_input) {
        memset(context->dx[0], 0, c->n * sizeof *context->dx[0]);
        eg_rows_dots(on->count, on->place, c->lanes, c->weights, c->rows, context->dx[0]);
    } else {
        eg_rows_dots(c->n, NULL, c->lanes, c->weights, c->rows, context->dx[0]);
    }
}

/* By the factors of the gradient if the consumer takes them, otherwise by a piece of it at a
 * time. */
static void update(const eg_layer_context *context, const pieces *c, const active *on)
{
    const eg_gradient_consumer *consumer = context->consumer;
    if (consumer->consume_outer != NULL && consumer->skips_zero) {
        update_rows(context, c, on->count, on->place, on->value);
        return;
    }
    const eg_real *x = all_inputs(c);
    if (consumer->consume_outer != NULL) {
        update_rows(context, c, c->n, NULL, x);
        return;
    }
    size_t rows = rows_of_piece(c->lanes);
    for (size_t i = 0; i < c->n; i += rows) {
        size_t count = least(rows, c->n - i);
        eg_rows_outer(count, x + i, c->lanes, c->rows, c->piece);
        eg_gradient_emit(context, WEIGHT, i * c->lanes, count * c->lanes, c->piece);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    if (context->batch > 1) {
        backward_many(layer, context);
        return;
    }
    const eg_gradient_consumer *consumer = context->consumer;
    bool updates = consumer != NULL && consumer->updates;
    bool skips = updates && consumer->consume_outer != NULL && consumer->skips_zero;
    pieces c = cut(layer, context);
    active on = active_of(&c);
    spread(&c, context->dy);
    if (skips && context->dx[0] != NULL && context->flat_input) {
        backward_fused(context, &c, &on);
    } else {
        backward_input(context, &c, &on);
        if (updates) {
            update(context, &c, &on);
        } else if (context->grads != NULL) {
            eg_rows_outer(c.n, all_inputs(&c), c.lanes, c.rows, context->grads[WEIGHT]);
            give(context, WEIGHT, c.n * c.lanes, context->grads[WEIGHT]);
        }
    }
    if (updates || context->grads != NULL) {
        give_bias(layer, context, &c);
    }
}

static bool transposes(const eg_layer *layer, size_t batch, size_t readers)
{
    (void)layer, (void)readers;
    return batch > 1;
}

static const eg_layer_ops ops = {
    EG_LINEAR_OPS,
    .name = "linear_online",
    .forward = forward,
    .backward = backward,
    .transposes = transposes,
    .takes_sparse = true,
    .streams_gradients = true,
    .fuses_update = true,
};

eg_status eg_layer_linear_online(eg_layer *out, eg_shape in, size_t outputs, bool bias,
                                 eg_initializer initializer)
{
    size_t lanes = (outputs + STEP - 1) / STEP * STEP;
    size_t inputs = eg_shape_size(in);
    const eg_linear form = {.norm = EG_NORM_NONE, .bias = bias, .width = lanes};
    EG_TRY(eg_linear_layer(out, &ops, in, &form, outputs, initializer));
    out->cache_per_example = lanes;
    out->cache_fixed =
        room_for_places(inputs + 1) + 2 * inputs + (rows_of_piece(lanes) + 1) * lanes;
    return eg_ok();
}
