/** A linear layer whose weights are put back into a set after every update, and that may scale its
 *  inputs to unit length: the weight layers of SDMLP.
 *
 *  After every update, and at the start: parameters below 0 become 0; then the weights of each unit
 *  are divided by their norm, floored at 1e-12. This is a projection: the gradient knows nothing of
 *  it.
 *  Inputs: u = relu(x)/|relu(x)| with the same floor, differentiated where a gradient is wanted:
 *      dL/dx_i = (dL/du_i - (dL/du . u) u_i)/|relu(x)| where x_i > 0, else 0.
 *  Weights and biases start uniform in +-1/sqrt(inputs).
 *
 *  It holds a linear layer that does the rest.
 *
 *      params, derived | the linear layer's |
 *      cache | u [B][inputs], or the values of a sparse input | the same, transposed |
 *            | 1/|relu(x)| [B] | the linear layer's |
 *
 *  Source: Bricken et al. 2023, arXiv 2303.11934, and the program of its authors. */
#include "nn/layers.h"

#include "engram/blas.h"
#include "engram/memory.h"
#include "math/shared/elementary.h"
#include "math/shared/panel.h"
#include "math/shared/vector.h"

#include <assert.h>

static const eg_real least_norm = (eg_real)1e-12;

typedef struct constrained {
    eg_constraint spec;
    size_t width; /* lanes of the linear layer's panels; 0: it has rows */
    eg_layer linear;
} constrained;

static const constrained *constrained_of(const eg_layer *layer)
{
    return layer->state;
}

static void project(const eg_layer *layer, const eg_layer_context *context)
{
    const constrained *self = constrained_of(layer);
    size_t n = eg_layer_inputs(layer);
    eg_real *weights = context->params[EG_LINEAR_WEIGHT];
    for (size_t b = 0; self->spec.nonnegative && b < layer->block_count; b++) {
        eg_raise(layer->blocks[b].count, 0, context->params[b]);
    }
    size_t first = 0;
    for (; self->spec.unit_rows && first < eg_layer_outputs(layer); first += self->width) {
        eg_panel_unit(n, self->width, least_norm, weights + first * n);
    }
}

static void init(const eg_layer *layer, const eg_layer_context *context, uint64_t index)
{
    const eg_layer *linear = &constrained_of(layer)->linear;
    linear->ops->init(linear, context, index);
    project(layer, context);
}

static void prepare(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_layer *linear = &constrained_of(layer)->linear;
    if (linear->ops->prepare != NULL) {
        linear->ops->prepare(linear, context);
    }
}

/* The input as the linear layer gets it. */
typedef struct input {
    eg_layer_context context;
    eg_sparse sparse, transposed; /* what context points to, if it came in sparse form */
    const eg_real *x;             /* the same */
    eg_real *value, *transposed_value, *inverse;
    uint32_t *list; /* columns, then where rows begin: of rows that did not follow each other */
} input;

/* A bright background would differ from example to example once scaled: such input is used as it
 * is, not in sparse form. */
static bool stays_sparse(const eg_layer_context *context)
{
    return context->sparse != NULL && context->sparse->background <= 0;
}

/* Numbers per example that a list takes; a last one is fixed. */
static size_t list_room(size_t inputs)
{
    return inputs + eg_sparse_block_count(inputs);
}

/* Rows that stand anywhere in a long list are listed anew by forward: scaled values have places for
 * those of the minibatch alone. */
static bool lists_anew(const eg_sparse *from)
{
    return from->stride != from->blocks;
}

/* Points to that list, which stays in the cache until backward. */
static void place_list(const eg_sparse *from, size_t size, input *in)
{
    in->sparse = *from;
    if (lists_anew(from)) {
        in->sparse.stride = from->blocks;
        in->sparse.column = in->list;
        in->sparse.start = in->list + size;
    }
    in->sparse.background = 0;
    in->sparse.value = in->value;
}

/* Values are scaled on the way, not copied. */
static void list_anew(const eg_sparse *from, const input *in)
{
    eg_sparse list = in->sparse;
    list.value = NULL;
    eg_sparse_copy(from, &list);
}

static void cut(const eg_layer *layer, const eg_layer_context *context, input *in)
{
    in->context = *context;
    if (!constrained_of(layer)->spec.unit_input) {
        return;
    }
    size_t size = context->batch * eg_layer_inputs(layer);
    in->value = context->cache;
    in->transposed_value = in->value + size;
    in->inverse = in->transposed_value + size;
    in->list = (uint32_t *)(void *)(in->inverse + context->batch);
    in->context.cache = in->inverse + context->batch * (1 + list_room(eg_layer_inputs(layer))) + 1;
    in->x = in->value;
    in->context.x = &in->x;
    in->context.sparse = NULL;
    in->context.transposed = NULL;
    if (stays_sparse(context)) {
        place_list(context->sparse, size, in);
        in->context.sparse = &in->sparse;
        if (context->transposed != NULL) {
            in->transposed = *context->transposed;
            in->transposed.background = 0;
            in->transposed.value = in->transposed_value;
            in->context.transposed = &in->transposed;
        }
    }
}

static eg_real inverse_length(size_t n, const eg_real *u)
{
    eg_real norm = eg_sqrt(eg_sum_squares(n, u, 0));
    return 1 / (norm < least_norm ? least_norm : norm);
}

static void rectify(size_t n, eg_real offset, const eg_real *from, eg_real *u)
{
    for (size_t i = 0; i < n; i++) {
        eg_real value = from[i] + offset;
        u[i] = value < 0 ? 0 : value;
    }
}

/* Row b of a sparse input, written out: x need not be there. */
static void write_out(const eg_sparse *from, size_t b, eg_real *u)
{
    for (size_t i = 0; i < from->columns; i++) {
        u[i] = from->background;
    }
    for (size_t k = eg_sparse_row(from, b); k < eg_sparse_row_end(from, b); k++) {
        eg_real value = from->value[k] + from->background;
        u[from->column[k]] = value < 0 ? 0 : value;
    }
}

/* Scales the inputs. */
static void scale_inputs(const eg_layer *layer, const eg_layer_context *context, input *in)
{
    const eg_sparse *sparse = context->sparse;
    size_t n = eg_layer_inputs(layer);
    if (in->context.sparse != NULL && lists_anew(sparse)) {
        list_anew(sparse, in);
    }
    for (size_t b = 0; b < context->batch; b++) {
        size_t first = b * n;
        size_t count = n;
        if (in->context.sparse != NULL) {
            first = eg_sparse_row(&in->sparse, b);
            count = eg_sparse_row_end(&in->sparse, b) - first;
            rectify(count, sparse->background, sparse->value + eg_sparse_row(sparse, b),
                    in->value + first);
        } else if (sparse != NULL) {
            write_out(sparse, b, in->value + first);
        } else {
            rectify(count, 0, context->x[0] + first, in->value + first);
        }
        in->inverse[b] = inverse_length(count, in->value + first);
        eg_scale(count, in->inverse[b], in->value + first);
    }
}

static void scale_transposed(const eg_layer_context *context, input *in)
{
    const eg_sparse *from = context->transposed;
    if (in->context.transposed == NULL) {
        return;
    }
    for (size_t k = 0; k < eg_sparse_entries(from); k++) {
        eg_real value = from->value[k] + context->sparse->background;
        in->transposed_value[k] = value < 0 ? 0 : value * in->inverse[from->column[k]];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const constrained *self = constrained_of(layer);
    input in;
    cut(layer, context, &in);
    if (self->spec.unit_input) {
        scale_inputs(layer, context, &in);
    }
    self->linear.ops->forward(&self->linear, &in.context);
}

/* Turns dL/du into dL/dx, in place. */
static void backward_scaled(const eg_layer *layer, const eg_layer_context *context, const input *in)
{
    size_t n = eg_layer_inputs(layer);
    const eg_real *x = context->x[0];
    assert(in->context.sparse == NULL); /* only the input of a network comes in sparse form */
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *u = in->value + b * n;
        eg_real *g = context->dx[0] + b * n;
        eg_real along = eg_dot(n, g, u);
        for (size_t i = 0; i < n; i++) {
            g[i] = x[b * n + i] > 0 ? (g[i] - along * u[i]) * in->inverse[b] : 0;
        }
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const constrained *self = constrained_of(layer);
    input in;
    cut(layer, context, &in);
    if (self->spec.unit_input) {
        scale_transposed(context, &in);
    }
    self->linear.ops->backward(&self->linear, &in.context);
    if (self->spec.unit_input && context->dx[0] != NULL) {
        backward_scaled(layer, context, &in);
    }
}

static void after_update(const eg_layer *layer, const eg_layer_context *context)
{
    project(layer, context);
    prepare(layer, context);
}

static bool unit_run(const eg_layer *layer, eg_unit_side side, size_t unit, size_t k,
                     eg_unit_run *run)
{
    const eg_layer *linear = &constrained_of(layer)->linear;
    return linear->ops->unit_run(linear, side, unit, k, run);
}

static double flops(const eg_layer *layer)
{
    const eg_layer *linear = &constrained_of(layer)->linear;
    return linear->ops->flops(linear);
}

static double macs(const eg_layer *layer)
{
    const eg_layer *linear = &constrained_of(layer)->linear;
    return linear->ops->macs(linear);
}

static void free_state(eg_layer *layer)
{
    constrained *self = layer->state;
    eg_layer_clear(&self->linear);
    eg_free(self);
}

static const eg_layer_ops rows_ops = {
    .name = "constrained",
    .init = init,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .after_update = after_update,
    .unit_run = unit_run,
    .flops = flops,
    .macs = macs,
    .free = free_state,
};

static const eg_layer_ops panels_ops = {
    .name = "constrained_panels",
    .init = init,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .after_update = after_update,
    .unit_run = unit_run,
    .flops = flops,
    .macs = macs,
    .free = free_state,
    .takes_sparse = true,
    .fuses_update = true,
};

eg_status eg_layer_constrained(eg_layer *out, eg_shape in, size_t outputs, bool panels,
                               const eg_constraint *spec)
{
    assert(panels || !spec->unit_rows);
    constrained *self = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->spec = *spec;
    self->width = panels ? eg_linear_panels_width(outputs) : 0;
    eg_status status = (panels ? eg_layer_linear_panels : eg_layer_linear)(
        &self->linear, in, outputs, EG_NORM_NONE, spec->bias, EG_INITIALIZER_UNIFORM);
    if (!eg_is_ok(&status)) {
        eg_free(self);
        return status;
    }
    *out = self->linear;
    out->ops = panels ? &panels_ops : &rows_ops;
    out->state = self;
    if (spec->unit_input) {
        out->cache_per_example += 2 * eg_shape_size(in) + 1 + list_room(eg_shape_size(in));
        out->cache_fixed++;
    }
    return status;
}
