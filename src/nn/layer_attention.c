/** Multi-head causal self-attention, between the projections that come before and after it.
 *
 *      x  [B][T][3][H][c]     queries q, keys k and values v of H heads, c numbers each
 *      y  [B][T][H][c]
 *
 *      s_ij = q_i.k_j / sqrt(c)      p_ij = exp(s_ij) / sum_{j' <= i} exp(s_ij')      j <= i
 *      y_i = sum_{j <= i} p_ij v_j
 *
 *      D_i = dy_i.y_i      ds_ij = p_ij (dy_i.v_j - D_i) / sqrt(c)
 *      dq_i = sum_j ds_ij k_j      dk_j = sum_i ds_ij q_i      dv_j = sum_i p_ij dy_i
 *
 *  A block of BLOCK queries of one head meets the keys up to its last one, so above the diagonal
 *  only what shares a block with it is computed, and taken as 0. Probabilities are not kept but
 *  made again in backward from the largest s of a row and the inverse of its sum:
 *
 *      cache | [B][H][T][largest, inverse] |
 *            | keys and values [c][W], transposed | s, ds [BLOCK][W] |      W: T in whole registers
 *
 *  Sources: Vaswani et al. 2017, arXiv 1706.03762; making them again: Dao et al. 2022, arXiv
 *  2205.14135. */
#include "nn/layers.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/small_product.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 32, LANES = 16, KEPT = 2 };

typedef struct attention {
    size_t heads, size; /* numbers of a head */
    size_t positions, pitch;
    eg_real scale;
} attention;

static const attention *attention_of(const eg_layer *layer)
{
    return layer->state;
}

static size_t whole(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* One head of one example. */
typedef struct head {
    const eg_real *q, *k, *v; /* of position 0 */
    size_t row, out_row;      /* from a position to the next */
    eg_real *kept;            /* [T][KEPT] */
    eg_real *keys, *values;   /* [size][pitch] */
    eg_real *scores, *slopes; /* [BLOCK][pitch] */
    eg_real *y;               /* forward */
    const eg_real *made, *dy; /* backward */
    eg_real *dq, *dk, *dv;
} head;

static head head_of(const eg_layer *layer, const eg_layer_context *context, size_t b, size_t h)
{
    const attention *a = attention_of(layer);
    const size_t width = a->heads * a->size;
    const size_t in = b * eg_layer_inputs(layer) + h * a->size;
    const size_t out = b * eg_layer_outputs(layer) + h * a->size;
    eg_real *scratch = context->cache + context->batch * layer->cache_per_example;
    head one = {.q = context->x[0] + in,
                .k = context->x[0] + in + width,
                .v = context->x[0] + in + 2 * width,
                .row = 3 * width,
                .out_row = width,
                .kept = context->cache + (b * a->heads + h) * a->positions * KEPT,
                .keys = scratch,
                .values = scratch + a->size * a->pitch,
                .scores = scratch + 2 * a->size * a->pitch,
                .y = context->y + out};
    one.slopes = one.scores + BLOCK * a->pitch;
    return one;
}

/* to [size][pitch] = factor times the transpose of rows [positions][size], and 0 behind it. */
static void turn(const attention *a, const eg_real *from, size_t row, eg_real factor, eg_real *to)
{
    for (size_t j = 0; j < a->positions; j++) {
        for (size_t c = 0; c < a->size; c++) {
            to[c * a->pitch + j] = factor * from[j * row + c];
        }
    }
    for (size_t c = 0; c < a->size; c++) {
        memset(to + c * a->pitch + a->positions, 0, (a->pitch - a->positions) * sizeof *to);
    }
}

/* Queries first … first+rows-1, the keys they meet, and these in whole registers. */
typedef struct block {
    size_t first, rows, keys, padded;
} block;

static block block_at(const attention *a, size_t first)
{
    const size_t left = a->positions - first;
    block out = {.first = first, .rows = left < BLOCK ? left : BLOCK};
    out.keys = first + out.rows;
    out.padded = whole(out.keys);
    return out;
}

static void score(const attention *a, const head *h, const block *b)
{
    const eg_strided q = {h->q + b->first * h->row, h->row, 1};
    eg_small_product(b->rows, b->padded, a->size, q, h->keys, a->pitch, false, h->scores, a->pitch);
}

__attribute__((always_inline)) static inline eg_real largest(size_t n, const eg_real *x)
{
    eg_real lane[LANES];
    eg_real most = x[0];
    if (n >= LANES) {
        memcpy(lane, x, sizeof lane);
        for (size_t i = LANES; i + LANES <= n; i += LANES) {
            for (size_t l = 0; l < LANES; l++) {
                lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
            }
        }
        for (size_t l = 0; l < LANES; l++) {
            most = lane[l] > most ? lane[l] : most;
        }
    }
    for (size_t i = n / LANES * LANES; i < n; i++) {
        most = x[i] > most ? x[i] : most;
    }
    return most;
}

__attribute__((always_inline)) static inline eg_real sum_of(size_t n, const eg_real *x)
{
    eg_real lane[LANES] = {0};
    eg_real sum = 0;
    for (size_t i = 0; i < n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lane[l] += x[i + l];
        }
    }
    for (size_t l = 0; l < LANES; l++) {
        sum += lane[l];
    }
    return sum;
}

/* Scores of a block become exp(s - largest), 0 above the diagonal; kept: how to make p again. */
EG_CLONES static void exponentials(const block *b, size_t pitch, eg_real *scores, eg_real *kept)
{
    for (size_t r = 0; r < b->rows; r++) {
        eg_real *s = scores + r * pitch;
        const size_t seen = b->first + r + 1;
        const eg_real most = largest(seen, s);
        for (size_t j = 0; j < b->padded; j++) {
            s[j] = eg_exp(s[j] - most); /* above the diagonal it may be anything, but is not used */
        }
        memset(s + seen, 0, (b->padded - seen) * sizeof *s);
        kept[r * KEPT] = most;
        kept[r * KEPT + 1] = 1 / sum_of(b->padded, s);
    }
}

/* y of a block is the sum with weights exp(s - largest), times the inverse of theirs. */
static void normalise(const attention *a, const head *h, const block *b)
{
    for (size_t r = 0; r < b->rows; r++) {
        const eg_real inverse = h->kept[(b->first + r) * KEPT + 1];
        eg_real *y = h->y + (b->first + r) * h->out_row;
        for (size_t c = 0; c < a->size; c++) {
            y[c] *= inverse;
        }
    }
}

static void forward_head(const attention *a, const head *h)
{
    turn(a, h->k, h->row, a->scale, h->keys);
    for (size_t first = 0; first < a->positions; first += BLOCK) {
        const block b = block_at(a, first);
        const eg_strided p = {h->scores, a->pitch, 1};
        score(a, h, &b);
        exponentials(&b, a->pitch, h->scores, h->kept + first * KEPT);
        eg_small_product(b.rows, a->size, b.keys, p, h->v, h->row, false, h->y + first * h->out_row,
                         h->out_row);
        normalise(a, h, &b);
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context)
{
    const attention *a = attention_of(layer);
    for (size_t b = 0; b < context->batch; b++) {
        for (size_t h = 0; h < a->heads; h++) {
            const head one = head_of(layer, context, b, h);
            forward_head(a, &one);
        }
    }
}

/* Scores become probabilities, and slopes dy_i.v_j become ds. */
EG_CLONES static void differentiate(const block *b, const attention *a, const head *h)
{
    for (size_t r = 0; r < b->rows; r++) {
        const size_t i = b->first + r;
        const eg_real most = h->kept[i * KEPT];
        const eg_real inverse = h->kept[i * KEPT + 1];
        const eg_real *dy = h->dy + i * h->out_row;
        const eg_real *y = h->made + i * h->out_row;
        eg_real *restrict p = h->scores + r * a->pitch;
        eg_real *restrict ds = h->slopes + r * a->pitch;
        eg_real along = 0;
        for (size_t c = 0; c < a->size; c++) {
            along += dy[c] * y[c];
        }
        for (size_t j = 0; j < b->padded; j++) {
            p[j] = eg_exp(p[j] - most) * inverse;
        }
        memset(p + i + 1, 0, (b->padded - i - 1) * sizeof *p);
        for (size_t j = 0; j < b->padded; j++) {
            ds[j] = a->scale * p[j] * (ds[j] - along);
        }
    }
}

/* `add`: a later block has met these keys. */
static void backward_block(const attention *a, const head *h, const block *b, bool add)
{
    const eg_real *q = h->q + b->first * h->row;
    const eg_real *dy = h->dy + b->first * h->out_row;
    const size_t size = a->size;
    score(a, h, b);
    eg_small_product(b->rows, b->padded, size, (eg_strided){dy, h->out_row, 1}, h->values, a->pitch,
                     false, h->slopes, a->pitch);
    differentiate(b, a, h);
    eg_small_product(b->rows, size, b->keys, (eg_strided){h->slopes, a->pitch, 1}, h->k, h->row,
                     false, h->dq + b->first * h->row, h->row);
    eg_small_product(b->keys, size, b->rows, (eg_strided){h->slopes, 1, a->pitch}, q, h->row, add,
                     h->dk, h->row);
    eg_small_product(b->keys, size, b->rows, (eg_strided){h->scores, 1, a->pitch}, dy, h->out_row,
                     add, h->dv, h->row);
}

/* From the last block on, which meets all keys. */
static void backward_head(const attention *a, const head *h)
{
    const size_t blocks = (a->positions + BLOCK - 1) / BLOCK;
    turn(a, h->k, h->row, a->scale, h->keys);
    turn(a, h->v, h->row, 1, h->values);
    for (size_t n = blocks; n-- > 0;) {
        const block b = block_at(a, n * BLOCK);
        backward_block(a, h, &b, n + 1 < blocks);
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context)
{
    const attention *a = attention_of(layer);
    const size_t width = a->heads * a->size;
    for (size_t b = 0; context->dx[0] != NULL && b < context->batch; b++) {
        for (size_t h = 0; h < a->heads; h++) {
            head one = head_of(layer, context, b, h);
            one.made = one.y;
            one.dy = context->dy + (one.y - context->y);
            one.dq = context->dx[0] + (one.q - context->x[0]);
            one.dk = one.dq + width;
            one.dv = one.dk + width;
            backward_head(a, &one);
        }
    }
}

/* Whatever is above the diagonal, as papers count. */
static double macs(const eg_layer *layer)
{
    const double positions = (double)attention_of(layer)->positions;
    return 2.0 * positions * (double)eg_layer_outputs(layer);
}

/* Two products over half of the pairs, and some operations on each of these. */
double eg_attention_flops(size_t positions, size_t heads, size_t size)
{
    const double pairs = 0.5 * (double)positions * (double)(positions + 1);
    return pairs * (double)heads * (4.0 * (double)size + 20.0);
}

static double flops(const eg_layer *layer)
{
    const attention *a = attention_of(layer);
    return eg_attention_flops(a->positions, a->heads, a->size);
}

static const eg_layer_ops ops = {
    .name = "attention",
    .forward = forward,
    .backward = backward,
    .flops = flops,
    .macs = macs,
};

eg_status eg_layer_attention(eg_layer *out, size_t positions, size_t heads, size_t size)
{
    attention *state = NULL;
    *out = (eg_layer){0};
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = (attention){.heads = heads,
                         .size = size,
                         .positions = positions,
                         .pitch = whole(positions),
                         .scale = (eg_real)(1.0 / sqrt((double)size))};
    *out = (eg_layer){.ops = &ops,
                      .in = {positions, 1, 3 * heads * size},
                      .out = {positions, 1, heads * size},
                      .input_count = 1,
                      .cache_per_example = positions * heads * KEPT,
                      .cache_fixed = 2 * (size + BLOCK) * state->pitch,
                      .state = state};
    return eg_ok();
}
