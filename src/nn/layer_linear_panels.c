/** The fully connected layer made for speed: the same function as layer_linear.c, which is its
 *  reference, with the weights in panels and an input that may come in sparse form.
 *
 *  A panel is the weights of up to 64 neighbouring units, input by input. Every loop runs over
 * units and a unit's sums stay in its lane. Learning goes through a panel a few rows at a time:
 * gradient, projection and update while they are in cache, then the panel's new norms; neither the
 * gradient matrix nor the normalised weights are ever stored.
 *
 *      params  | weight W [panels][inputs][width] | bias b [panels*width], if any |
 *      derived | sums of the units' weights [panels*width] | 1/|v| [panels*width] |
 *      cache   | of a narrow layer: the sums S, as math/shared/sparse_scatter.h has them |
 *              | gradient: rows of a panel [rows][width], biases [panels*width] |
 *              | a panel's lanes of y or dy [B][width] | a [B] |
 *
 *  Write the input as x = background + d, d sparse (background 0 and d = x if it comes dense). For
 *  a unit with weights w [n], t = sum_i w_i, r = 1/|v|:
 *      y_b = r (sum_i d_bi w_i + a_b t) + bias,   a_b = -(sum_i d_bi)/n if centered, because the
 *             normalised row then has mean 0 and sees no constant; otherwise a_b = background.
 *  With S_i = sum_b dy_b d_bi, A = sum_b dy_b a_b, and the gradient G of the normalised row u,
 * G.u = sum_b dy_b (y_b - bias):
 *      dL/dw_i = r (S_i + A) - r^2 (G.u) (w_i - m),   m = t/n if centered, else 0;
 *  without normalisation r = 1 and the last term is absent. */
#include "nn/layers.h"

#include "engram/blas.h"
#include "engram/sparse.h"
#include "math/shared/panel.h"
#include "math/shared/prefetch.h"
#include "math/shared/sparse_scatter.h"
#include "math/shared/vector.h"
#include "nn/linear_layout.h"

#include <string.h>

/* PIECE numbers of a panel's gradient are made, used and forgotten in the first-level cache, with
 * all that is read to use them; of a dense input DENSE_ROWS rows, because BLAS likes larger pieces.
 */
enum {
    WIDTH_MAX = EG_PANEL_WIDTH_MAX,
    PIECE = 1024,
    DENSE_ROWS = 64,
    STEP = EG_SPARSE_STEP,
    NARROW = EG_SPARSE_NARROW
};

enum { WEIGHT = EG_LINEAR_WEIGHT, BIAS = EG_LINEAR_BIAS };

static size_t units_in(const eg_layer *layer, size_t panel)
{
    size_t width = eg_linear_of(layer)->width;
    size_t left = eg_layer_outputs(layer) - panel * width;
    return left < width ? left : width;
}

/* What a call works on: the layer's slices cut into pieces. */
typedef struct pieces {
    size_t batch, n, width, all; /* examples, inputs, lanes of a panel and of all panels */
    const eg_sparse *sparse;     /* the input if it came in sparse form, else NULL */
    const eg_real *x;
    const eg_real *weights, *bias; /* bias NULL: none */
    const eg_real *sum, *inverse;
    eg_real *gradient, *bias_gradient, *lanes, *a, *scatter;
} pieces;

/* Of one narrow panel all sums S stay in the cache at once, so they need no transpose. */
static bool is_narrow(const eg_layer *layer)
{
    return eg_linear_of(layer)->width <= EG_SCATTER_WIDTH && eg_sparse_scatters();
}

static size_t scatter_room(const eg_layer *layer)
{
    size_t width = eg_linear_of(layer)->width;
    return is_narrow(layer) ? eg_sparse_scatter_room(eg_layer_inputs(layer), width) : 0;
}

static size_t gradient_room(size_t width)
{
    size_t dense = DENSE_ROWS * width;
    return dense > PIECE ? dense : PIECE;
}

static pieces cut(const eg_layer *layer, const eg_layer_context *context)
{
    const eg_linear *p = eg_linear_of(layer);
    pieces out = {.batch = context->batch,
                  .n = eg_layer_inputs(layer),
                  .width = p->width,
                  .all = p->count * p->width};
    out.sparse = context->sparse;
    out.x = context->x[0];
    out.weights = context->params[WEIGHT];
    out.bias = p->bias ? context->params[BIAS] : NULL;
    out.sum = context->derived;
    out.inverse = context->derived + out.all;
    out.scatter = context->cache;
    out.gradient = out.scatter + scatter_room(layer);
    out.bias_gradient = out.gradient + gradient_room(out.width);
    out.lanes = out.bias_gradient + out.all;
    out.a = out.lanes + out.batch * out.width;
    return out;
}

static const eg_real *biases_of(const pieces *c, size_t first)
{
    static const eg_real none[WIDTH_MAX];
    return c->bias != NULL ? c->bias + first : none;
}

static void prepare_panel(const eg_layer *layer, size_t panel, const eg_layer_context *context)
{
    const eg_linear *p = eg_linear_of(layer);
    size_t n = eg_layer_inputs(layer);
    const eg_real *w = context->params[WEIGHT] + panel * n * p->width;
    eg_real *sum = context->derived + panel * p->width;
    eg_real *inverse = sum + p->count * p->width;
    eg_real mean[WIDTH_MAX] = {0};
    eg_real squares[WIDTH_MAX];
    eg_panel_sums(n, p->width, w, sum);
    if (p->norm == EG_NORM_NONE) {
        for (size_t l = 0; l < p->width; l++) {
            inverse[l] = 1;
        }
        return;
    }
    for (size_t l = 0; p->norm == EG_NORM_CENTERED && l < p->width; l++) {
        mean[l] = sum[l] / (eg_real)n;
    }
    eg_panel_squares(n, p->width, w, mean, squares);
    for (size_t l = 0; l < p->width; l++) {
        inverse[l] = eg_inverse_norm(squares[l]);
    }
}

static void prepare(const eg_layer *layer, const eg_layer_context *context)
{
    for (size_t panel = 0; panel < eg_linear_of(layer)->count; panel++) {
        prepare_panel(layer, panel, context);
    }
}

/* a [B]; see the head of the file. */
static void input_offsets(const eg_layer *layer, const pieces *c)
{
    bool centered = eg_linear_of(layer)->norm == EG_NORM_CENTERED;
    for (size_t b = 0; b < c->batch; b++) {
        eg_real sum = 0;
        if (centered && c->sparse != NULL) {
            size_t start = eg_sparse_row(c->sparse, b);
            sum = eg_sum(eg_sparse_row_end(c->sparse, b) - start, c->sparse->value + start);
        } else if (centered) {
            sum = eg_sum(c->n, c->x + b * c->n);
        }
        eg_real background = c->sparse != NULL ? c->sparse->background : 0;
        c->a[b] = centered ? -sum / (eg_real)c->n : background;
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces c = cut(layer, context);
    input_offsets(layer, &c);
    for (size_t panel = 0; panel < eg_linear_of(layer)->count; panel++) {
        size_t first = panel * c.width;
        const eg_real *w = c.weights + first * c.n;
        if (c.sparse != NULL) {
            eg_sparse_product(c.sparse, c.width, w, c.lanes);
        } else {
            eg_gemm(false, false, c.batch, c.width, c.n, 1, c.x, c.n, w, c.width, 0, c.lanes,
                    c.width);
        }
        eg_panel_finish(c.batch, c.width, units_in(layer, panel), eg_layer_outputs(layer), c.a,
                        c.sum + first, c.inverse + first, biases_of(&c, first), c.lanes,
                        context->y + first);
    }
}

/* What the gradient of a panel's weights consists of besides the sums S; see the head of the
 * file. */
typedef struct projection {
    eg_real offset[WIDTH_MAX];
    eg_real slope[WIDTH_MAX];
} projection;

/* Puts the panel's dy into lanes, the gradient of its biases into bias_gradient, and works out the
 * projection. */
static void begin_panel(const eg_layer *layer, const eg_layer_context *context, const pieces *c,
                        size_t panel, projection *out)
{
    size_t first = panel * c->width;
    eg_norm norm = eg_linear_of(layer)->norm;
    const eg_real *bias = biases_of(c, first);
    eg_real *total = c->bias_gradient + first;
    eg_real dots[WIDTH_MAX];
    eg_panel_collect(c->batch, c->width, units_in(layer, panel), eg_layer_outputs(layer),
                     context->dy + first, context->y + first, c->lanes, dots, total);
    eg_panel_weighted(c->batch, c->width, c->a, c->lanes, out->offset);
    for (size_t l = 0; l < c->width; l++) {
        eg_real r = c->inverse[first + l];
        eg_real along = dots[l] - bias[l] * total[l];
        eg_real mean = norm == EG_NORM_CENTERED ? c->sum[first + l] / (eg_real)c->n : 0;
        out->slope[l] = norm == EG_NORM_NONE ? 0 : -along * r * r;
        out->offset[l] = out->offset[l] * r - out->slope[l] * mean;
    }
}

/* After begin_panel, before the first panel_gradient of a panel. */
static void begin_sums(const eg_layer_context *context, const pieces *c)
{
    if (c->sparse != NULL && context->transposed == NULL) {
        eg_sparse_scatter(c->sparse, c->width, c->lanes, c->scatter);
    }
}

/* The gradient of a panel's weights of `rows` inputs from `row` on, into g [rows][width]. */
static void panel_gradient(const eg_layer_context *context, const pieces *c, size_t panel,
                           const projection *project, size_t row, size_t rows, eg_real *g)
{
    size_t first = panel * c->width;
    if (c->sparse != NULL && context->transposed == NULL) {
        eg_sparse_scattered(c->n, c->width, row, rows, c->scatter, g);
    } else if (c->sparse != NULL) {
        eg_sparse part = eg_sparse_rows(context->transposed, row, rows);
        eg_sparse_product(&part, c->width, c->lanes, g);
    } else {
        eg_gemm(true, false, rows, c->width, c->batch, 1, c->x + row, c->n, c->lanes, c->width, 0,
                g, c->width);
    }
    const eg_real *w = c->weights + first * c->n + row * c->width;
    eg_panel_combine(rows, c->width, c->inverse + first, project->offset, project->slope, w, g);
}

/* Adds what a panel contributes to dx: the lanes' dy through the normalised weights. */
static void add_panel_dx(const eg_layer *layer, const pieces *c, size_t panel, eg_real *dx)
{
    size_t first = panel * c->width;
    for (size_t b = 0; b < c->batch; b++) {
        for (size_t l = 0; l < c->width; l++) {
            c->lanes[b * c->width + l] *= c->inverse[first + l];
        }
    }
    eg_gemm(false, true, c->batch, c->n, c->width, 1, c->lanes, c->width, c->weights + first * c->n,
            c->width, panel == 0 ? 0 : 1, dx, c->n);
    bool last = panel + 1 == eg_linear_of(layer)->count;
    if (!last || eg_linear_of(layer)->norm != EG_NORM_CENTERED) {
        return;
    }
    /* Centered rows have mean 0, so their combinations have. */
    for (size_t b = 0; b < c->batch; b++) {
        eg_real *row = dx + b * c->n;
        eg_real mean = eg_sum(c->n, row) / (eg_real)c->n;
        for (size_t i = 0; i < c->n; i++) {
            row[i] -= mean;
        }
    }
}

static void give_piece(const eg_layer_context *context, size_t block, size_t first, size_t count)
{
    if (context->consumer != NULL) {
        eg_gradient_emit(context, block, first, count, context->grads[block] + first);
    }
}

/* dx alone. */
static void backward_input(const eg_layer *layer, const eg_layer_context *context)
{
    pieces c = cut(layer, context);
    projection project;
    for (size_t panel = 0; context->dx[0] != NULL && panel < eg_linear_of(layer)->count; panel++) {
        begin_panel(layer, context, &c, panel, &project);
        add_panel_dx(layer, &c, panel, context->dx[0]);
    }
}

/* Into grads, and on from there. */
static void backward_store(const eg_layer *layer, const eg_layer_context *context)
{
    pieces c = cut(layer, context);
    projection project;
    eg_real *grads = context->grads[WEIGHT];
    for (size_t panel = 0; panel < eg_linear_of(layer)->count; panel++) {
        begin_panel(layer, context, &c, panel, &project);
        begin_sums(context, &c);
        size_t part = c.sparse != NULL ? PIECE / c.width : c.n;
        for (size_t row = 0; row < c.n; row += part) {
            size_t rows = c.n - row < part ? c.n - row : part;
            size_t at = (panel * c.n + row) * c.width;
            size_t next = c.n - row - rows < part ? c.n - row - rows : part;
            /* To be written next; who takes it reads it at once. */
            eg_prefetch(grads + at + rows * c.width, next * c.width * sizeof *grads);
            panel_gradient(context, &c, panel, &project, row, rows, grads + at);
            give_piece(context, WEIGHT, at, rows * c.width);
        }
        if (context->dx[0] != NULL) {
            add_panel_dx(layer, &c, panel, context->dx[0]);
        }
    }
    if (c.bias != NULL) {
        memcpy(context->grads[BIAS], c.bias_gradient, c.all * sizeof *grads);
        give_piece(context, BIAS, 0, c.all);
    }
}

/* With a consumer that updates: gradient and update, a few rows of a panel at a time. */
static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    pieces c = cut(layer, context);
    projection project;
    const size_t part = c.sparse != NULL ? PIECE / c.width : DENSE_ROWS;
    bool updates = context->consumer != NULL && context->consumer->updates;
    if (context->grads != NULL && !updates) {
        backward_store(layer, context);
        return;
    }
    backward_input(layer, context); /* before any weight changes */
    for (size_t panel = 0; updates && panel < eg_linear_of(layer)->count; panel++) {
        begin_panel(layer, context, &c, panel, &project);
        begin_sums(context, &c);
        for (size_t row = 0; row < c.n; row += part) {
            size_t rows = c.n - row < part ? c.n - row : part;
            size_t next = c.n - row - rows < part ? c.n - row - rows : part;
            eg_prefetch(c.weights + (panel * c.n + row + rows) * c.width,
                        next * c.width * sizeof *c.weights);
            panel_gradient(context, &c, panel, &project, row, rows, c.gradient);
            eg_gradient_emit(context, WEIGHT, (panel * c.n + row) * c.width, rows * c.width,
                             c.gradient);
        }
        prepare_panel(layer, panel, context);
    }
    if (updates && c.bias != NULL) {
        eg_gradient_emit(context, BIAS, 0, c.all, c.bias_gradient);
    }
}

/* One transpose for several layers is faster than sums without it. */
static bool transposes(const eg_layer *layer, size_t batch, size_t readers)
{
    (void)batch;
    return readers > 2 || !is_narrow(layer);
}

static const eg_layer_ops ops = {
    EG_LINEAR_OPS,        .name = "linear_panels",   .prepare = prepare,
    .forward = forward,   .backward = backward,      .transposes = transposes,
    .takes_sparse = true, .streams_gradients = true, .fuses_update = true,
};

size_t eg_linear_panels_width(size_t outputs)
{
    size_t rounded = outputs <= NARROW ? NARROW : (outputs + STEP - 1) / STEP * STEP;
    return rounded < WIDTH_MAX ? rounded : WIDTH_MAX;
}

eg_status eg_layer_linear_panels(eg_layer *out, eg_shape in, size_t outputs, eg_norm norm,
                                 bool bias, eg_initializer initializer)
{
    size_t width = eg_linear_panels_width(outputs);
    const eg_linear form = {.norm = norm, .bias = bias, .width = width};
    EG_TRY(eg_linear_layer(out, &ops, in, &form, outputs, initializer));
    size_t all = eg_linear_of(out)->count * width;
    out->derived_count = 2 * all;
    out->cache_per_example = width + 1;
    out->cache_fixed = gradient_room(width) + all + scatter_room(out);
    return eg_ok();
}
