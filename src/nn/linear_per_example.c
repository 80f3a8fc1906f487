/** Squares and absolute values of per-example gradients; see nn/linear_per_example.h.
 *
 *  Without normalisation the gradient of example b at weight (i, j) is dy_bj x_bi, so the sum of
 *  squares is the product of the squared matrices and the sum of absolute values that of the
 *  absolute ones (Goodfellow 2015, arXiv 1510.01799). With normalised rows u_j = v_j/|v_j|,
 *  v = w - mean(w) or w, and s_bj = y_bj - bias_j = u_j.x_b, it is
 *      g_bij = r_j dy_bj (x_bi - m_b - s_bj u_ij),  r_j = 1/|v_j|,  m_b = mean(x_b) or 0,
 *  so with e = x - m
 *      sum_b g^2 = r^2 (sum_b dy^2 e^2 - 2 u sum_b dy^2 s e + u^2 sum_b dy^2 s^2):
 *  two products. Absolute values do not separate: they are added one by one.
 *
 *  Of an input in sparse form, x_bi = background + v_bi, most v are 0. With a_b = background - m_b
 *      e_bi = a_b + v_bi,   e_bi^2 = a_b^2 + v_bi (2 a_b + v_bi),
 *  both of them constant in i but for the listed entries, so the products are sparse ones and a
 *  number per unit. */
#include "nn/linear_per_example.h"

#include "engram/blas.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <assert.h>
#include <string.h>

enum { WIDTH = EG_PER_EXAMPLE_WIDTH };

/* The scratch, cut. Units are in lanes as in panels; lanes beyond the last unit hold zeros. */
typedef struct pieces {
    eg_real *e,
        *power; /* [batch][inputs] the inputs, centered; their squares or |values|. Sparse: only
                         * power, the entries' differences to the power of a */
    eg_real *a; /* [batch] sparse: the common value of an example's inputs, centered */
    eg_real *u, *sum, *cross; /* [inputs][WIDTH] */
    eg_real *d, *s, *weight;  /* [batch][WIDTH] powers of dy; outputs without bias; products */
} pieces;

size_t eg_linear_per_example_scratch(size_t batch, size_t inputs)
{
    return 2 * batch * inputs + 3 * (size_t)WIDTH * (inputs + batch) + batch;
}

static pieces cut(const eg_linear_per_example *layer)
{
    size_t rows = layer->batch * layer->inputs;
    size_t panel = layer->inputs * WIDTH;
    size_t lanes = layer->batch * WIDTH;
    pieces out;
    out.e = layer->scratch;
    out.power = out.e + rows;
    out.u = out.power + rows;
    out.sum = out.u + panel;
    out.cross = out.sum + panel;
    out.d = out.cross + panel;
    out.s = out.d + lanes;
    out.weight = out.s + lanes;
    out.a = out.weight + lanes;
    return out;
}

static eg_real power_of(eg_per_example what, eg_real x)
{
    return what == EG_PER_EXAMPLE_SQUARE ? x * x : eg_abs(x);
}

static void prepare_inputs(const eg_linear_per_example *layer, const pieces *c)
{
    size_t n = layer->inputs;
    for (size_t b = 0; b < layer->batch; b++) {
        const eg_real *x = layer->x + b * n;
        eg_real mean = layer->norm == EG_NORM_CENTERED ? eg_sum(n, x) / (eg_real)n : 0;
        for (size_t i = 0; i < n; i++) {
            c->e[b * n + i] = x[i] - mean;
            c->power[b * n + i] = power_of(layer->what, x[i] - mean);
        }
    }
}

/* The rows of the transpose are inputs, its columns examples. */
static void prepare_sparse(const eg_linear_per_example *layer, const pieces *c)
{
    const eg_sparse *t = layer->transposed;
    size_t entries = eg_sparse_entries(t);
    bool centered = layer->norm == EG_NORM_CENTERED;
    for (size_t b = 0; b < layer->batch; b++) {
        c->a[b] = centered ? 0 : t->background;
    }
    for (size_t k = 0; centered && k < entries; k++) {
        c->a[t->column[k]] -= t->value[k] / (eg_real)layer->inputs;
    }
    for (size_t k = 0; k < entries; k++) {
        eg_real a = c->a[t->column[k]];
        eg_real v = t->value[k];
        c->power[k] =
            layer->what == EG_PER_EXAMPLE_SQUARE ? v * (2 * a + v) : eg_abs(a + v) - eg_abs(a);
    }
}

/* u of a strip's units, and 1/|v|. */
static void normalise(const eg_linear_per_example *layer, const pieces *c, const eg_real *w,
                      size_t units, eg_real *inverse)
{
    size_t n = layer->inputs;
    memset(c->u, 0, n * WIDTH * sizeof *c->u);
    memset(inverse, 0, WIDTH * sizeof *inverse);
    for (size_t l = 0; l < units; l++) {
        eg_real mean = 0;
        eg_real square = 0;
        for (size_t i = 0; layer->norm == EG_NORM_CENTERED && i < n; i++) {
            mean += w[i * layer->input_stride + l * layer->unit_stride] / (eg_real)n;
        }
        for (size_t i = 0; i < n; i++) {
            eg_real v = w[i * layer->input_stride + l * layer->unit_stride] - mean;
            c->u[i * WIDTH + l] = v;
            square += v * v;
        }
        inverse[l] = eg_inverse_norm(square);
        for (size_t i = 0; i < n; i++) {
            c->u[i * WIDTH + l] *= inverse[l];
        }
    }
}

/* Powers of dy and s of a strip's units. */
static void collect(const eg_linear_per_example *layer, const pieces *c, size_t first, size_t units)
{
    memset(c->d, 0, layer->batch * WIDTH * sizeof *c->d);
    memset(c->s, 0, layer->batch * WIDTH * sizeof *c->s);
    for (size_t b = 0; b < layer->batch; b++) {
        for (size_t l = 0; l < units; l++) {
            size_t at = b * layer->outputs + first + l;
            eg_real bias = layer->bias != NULL ? layer->bias[first + l] : 0;
            c->d[b * WIDTH + l] = layer->power[at];
            c->s[b * WIDTH + l] = layer->y[at] - bias;
        }
    }
}

/* out [inputs][WIDTH] = sum over the examples of the inputs, or of their powers, times the
 * lanes. */
static void product(const eg_linear_per_example *layer, const pieces *c, bool powers,
                    const eg_real *lanes, eg_real *out)
{
    if (layer->transposed == NULL) {
        eg_gemm(true, false, layer->inputs, WIDTH, layer->batch, 1, powers ? c->power : c->e,
                layer->inputs, lanes, WIDTH, 0, out, WIDTH);
        return;
    }
    eg_real common[WIDTH] = {0};
    for (size_t k = 0; k < layer->batch * WIDTH; k++) {
        eg_real a = c->a[k / WIDTH];
        common[k % WIDTH] += lanes[k] * (powers ? power_of(layer->what, a) : a);
    }
    eg_sparse list = *layer->transposed;
    list.value = powers ? c->power : list.value;
    eg_sparse_product(&list, WIDTH, lanes, out);
    for (size_t k = 0; k < layer->inputs * WIDTH; k++) {
        out[k] += common[k % WIDTH];
    }
}

/* sum of the strip: squares of normalised rows. */
static void add_squares(const eg_linear_per_example *layer, const pieces *c, const eg_real *inverse)
{
    eg_real last[WIDTH] = {0};
    for (size_t k = 0; k < layer->batch * WIDTH; k++) {
        eg_real cross = c->weight[k] * c->s[k];
        last[k % WIDTH] += cross * c->s[k];
        c->weight[k] = cross;
    }
    product(layer, c, false, c->weight, c->cross);
    for (size_t k = 0; k < layer->inputs * WIDTH; k++) {
        size_t l = k % WIDTH;
        eg_real total = c->sum[k] + c->u[k] * (c->u[k] * last[l] - 2 * c->cross[k]);
        /* A sum of squares that rounding made negative is 0. */
        c->sum[k] = inverse[l] * inverse[l] * (total < 0 ? 0 : total);
    }
}

/* sum of the strip: absolute values of normalised rows. */
EG_CLONES static void add_absolutes(size_t batch, size_t n, const eg_real *restrict e,
                                    const eg_real *restrict d, const eg_real *restrict s,
                                    const eg_real *restrict u, const eg_real *restrict inverse,
                                    eg_real *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        eg_real total[WIDTH] = {0};
        for (size_t b = 0; b < batch; b++) {
            eg_real x = e[b * n + i];
            for (size_t l = 0; l < WIDTH; l++) {
                eg_real along = x - s[b * WIDTH + l] * u[i * WIDTH + l];
                total[l] += d[b * WIDTH + l] * eg_abs(along);
            }
        }
        for (size_t l = 0; l < WIDTH; l++) {
            sum[i * WIDTH + l] = inverse[l] * total[l];
        }
    }
}

static void sum_strip(const eg_linear_per_example *layer, const pieces *c, const eg_real *w,
                      size_t units)
{
    eg_real inverse[WIDTH];
    bool normalised = layer->norm != EG_NORM_NONE;
    if (normalised) {
        normalise(layer, c, w, units, inverse);
    }
    if (normalised && layer->what == EG_PER_EXAMPLE_ABSOLUTE) {
        add_absolutes(layer->batch, layer->inputs, c->e, c->d, c->s, c->u, inverse, c->sum);
        return;
    }
    product(layer, c, true, c->weight, c->sum);
    if (normalised) {
        add_squares(layer, c, inverse);
    }
}

void eg_linear_per_example_add(const eg_linear_per_example *layer, eg_real *weight_sums,
                               eg_real *bias_sums)
{
    pieces c = cut(layer);
    assert(layer->width > 0);
    (layer->transposed != NULL ? prepare_sparse : prepare_inputs)(layer, &c);
    for (size_t first = 0; first < layer->outputs; first += layer->width) {
        size_t left = layer->outputs - first;
        size_t units = left < layer->width ? left : layer->width;
        collect(layer, &c, first, units);
        for (size_t k = 0; k < layer->batch * WIDTH; k++) {
            c.weight[k] = c.d[k];
            if (layer->bias != NULL && k % WIDTH < units) {
                bias_sums[first + k % WIDTH] += c.weight[k];
            }
        }
        size_t begin = first / layer->width * layer->strip_stride;
        sum_strip(layer, &c, layer->weight + begin, units);
        for (size_t i = 0; i < layer->inputs; i++) {
            for (size_t l = 0; l < units; l++) {
                weight_sums[begin + i * layer->input_stride + l * layer->unit_stride] +=
                    c.sum[i * WIDTH + l];
            }
        }
    }
}
