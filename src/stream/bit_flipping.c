/** Slowly-changing regression: one example after the other, no dataset, no tasks, nothing to
 *  evaluate on.
 *
 *      x       m bits; the first f are slow: the same for T examples, then one of them is inverted
 *              (flips = one), or all are drawn anew (all); the others are drawn for every example
 *      y       c + sum_i v_i [sum_j w_ij x_j + b_i > theta_i],   c, v_i, w_ij, b_i in {-1, +1}
 *      theta_i = beta (m + 1) - S_i
 *
 *  S_i is the number of negative w_ij (threshold = paper), or (m - sum_j w_ij + b_i)/2 as the
 *  authors' program has it (code), which alone gives the published errors. With M_i, the number of
 *  bits that agree with the sign of their weight, unit i fires if
 *
 *      paper   M_i +      b_i > beta (m + 1)    m = 20, beta = 0.7: from 14 on (b_i = 1), 16 (-1)
 *      code    M_i + 3/2  b_i > beta (m + 1)                             14              17
 *
 *  Source: Dohare et al. 2024, Nature 632, "Loss of plasticity in deep continual learning"; bits
 *  and target depend on the seed alone, so all learners see the same. */
#include "engram/stream.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>

typedef enum flips { FLIPS_ONE, FLIPS_ALL } flips;
typedef enum threshold { THRESHOLD_CODE, THRESHOLD_PAPER } threshold;

static const char *const flips_names[] = {[FLIPS_ONE] = "one", [FLIPS_ALL] = "all", NULL};
static const char *const threshold_names[] = {
    [THRESHOLD_CODE] = "code", [THRESHOLD_PAPER] = "paper", NULL};

/* With so many quick bits or less, targets are computed once per state of the slow ones. */
enum { BITS_MAX = 32, KNOWN_BITS_MAX = 10 };

static const eg_param params[] = {
    {.name = "examples",
     .type = EG_TYPE_INT,
     .default_text = "3000000",
     .min = 1,
     .max = 1e12,
     .doc = "length of the stream"},
    {.name = "bits",
     .type = EG_TYPE_INT,
     .default_text = "20",
     .min = 1,
     .max = BITS_MAX,
     .doc = "inputs of an example"},
    {.name = "slow",
     .type = EG_TYPE_INT,
     .default_text = "15",
     .min = 0,
     .max = BITS_MAX,
     .doc = "inputs that change slowly; at most all"},
    {.name = "flip_every",
     .type = EG_TYPE_INT,
     .default_text = "10000",
     .min = 1,
     .max = 1e12,
     .unit = "examples",
     .doc = "after so many examples slow inputs change"},
    {.name = "flips",
     .type = EG_TYPE_NAME,
     .default_text = "one",
     .names = flips_names,
     .doc = "one slow input is inverted, or all are drawn anew"},
    {.name = "units",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = 1e6,
     .doc = "linear threshold units of the target function"},
    {.name = "beta",
     .type = EG_TYPE_REAL,
     .default_text = "0.7",
     .min = 0,
     .max = 1,
     .doc = "share of agreeing inputs from which on a unit fires"},
    {.name = "threshold",
     .type = EG_TYPE_NAME,
     .default_text = "code",
     .names = threshold_names,
     .doc = "how thresholds are counted: as in the authors' program, or as the paper says"},
};

typedef struct unit {
    uint32_t positive; /* bit j: w_ij = +1 */
    int least_agree;   /* fires if so many bits agree */
    int value;         /* v_i */
} unit;

typedef struct bit_flipping {
    struct eg_stream base;
    uint64_t seed;
    size_t examples, flip_every;
    uint32_t bits, slow;
    flips flips;
    int constant; /* c */
    size_t unit_count;
    unit *units;
} bit_flipping;

typedef struct cursor {
    eg_cursor base;
    const bit_flipping *stream;
    eg_rng quick;    /* of the quick bits, for eg_rng_at */
    size_t change;   /* flips before `slow` */
    uint32_t slow;   /* the slow bits now */
    eg_real *x;      /* [batch, bits] */
    eg_real *target; /* [batch] */
    eg_real *known;  /* [2^quick bits] targets of the slow bits now, NaN: not yet; or NULL */
} cursor;

static uint32_t mask_of(uint32_t bits)
{
    return bits == BITS_MAX ? UINT32_MAX : (UINT32_C(1) << bits) - 1;
}

/* The slow bits after `change` changes, from those that the cursor has. */
static void advance(cursor *self, size_t change)
{
    const bit_flipping *s = self->stream;
    if (change < self->change || s->flips == FLIPS_ALL) {
        size_t first = s->flips == FLIPS_ALL ? change : 0;
        eg_rng rng = eg_rng_make(s->seed, EG_PURPOSE_FLIP, first);
        self->slow = eg_rng_u32(&rng) & mask_of(s->slow);
        self->change = first;
    }
    while (self->change < change) {
        self->change++;
        eg_rng rng = eg_rng_make(s->seed, EG_PURPOSE_FLIP, self->change);
        self->slow ^= s->slow > 0 ? UINT32_C(1) << eg_rng_below(&rng, s->slow) : 0;
    }
}

static int target_of(const bit_flipping *self, uint32_t x)
{
    int y = self->constant;
    for (size_t i = 0; i < self->unit_count; i++) {
        const unit *u = &self->units[i];
        uint32_t agree = ~(x ^ u->positive) & mask_of(self->bits);
        y += __builtin_popcount(agree) >= u->least_agree ? u->value : 0;
    }
    return y;
}

static void forget(cursor *self)
{
    size_t count = self->known != NULL ? (size_t)1 << (self->stream->bits - self->stream->slow) : 0;
    for (size_t i = 0; i < count; i++) {
        self->known[i] = (eg_real)NAN;
    }
}

static eg_real recall(const cursor *self, uint32_t x)
{
    if (self->known == NULL) {
        return (eg_real)target_of(self->stream, x);
    }
    eg_real *known = &self->known[(uint64_t)x >> self->stream->slow];
    if (isnan(*known)) {
        *known = (eg_real)target_of(self->stream, x);
    }
    return *known;
}

static void cursor_get(eg_cursor *base, size_t phase, size_t step, eg_batch *out)
{
    cursor *self = (cursor *)base;
    const bit_flipping *s = self->stream;
    size_t first = step * s->base.shape.batch;
    size_t left = s->examples - first;
    (void)phase;
    out->size = left < s->base.shape.batch ? left : s->base.shape.batch;
    for (size_t b = 0; b < out->size; b++) {
        size_t change = (first + b) / s->flip_every;
        if (change != self->change) {
            advance(self, change);
            forget(self);
        }
        eg_rng rng = eg_rng_at(&self->quick, first + b);
        uint32_t x = self->slow | (eg_rng_u32(&rng) & mask_of(s->bits) & ~mask_of(s->slow));
        for (uint32_t j = 0; j < s->bits; j++) {
            self->x[b * s->bits + j] = (eg_real)((x >> j) & 1);
        }
        self->target[b] = recall(self, x);
    }
    out->x = self->x;
    out->target = self->target;
}

static void cursor_free(eg_cursor *base)
{
    cursor *self = (cursor *)base;
    eg_free(self->x);
    eg_free(self->target);
    eg_free(self->known);
    eg_free(self);
}

static const eg_cursor_ops cursor_ops = {.free = cursor_free, .get = cursor_get};

static eg_status bit_flipping_open(eg_cursor **out, const eg_stream *stream,
                                   const eg_cursor_setup *setup)
{
    cursor *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    *self = (cursor){.base = {.ops = &cursor_ops, .stream = stream, .setup = *setup},
                     .stream = (const bit_flipping *)stream,
                     .change = SIZE_MAX};
    eg_status status = eg_ok();
    size_t batch = stream->shape.batch;
    EG_TRY_DONE(status, eg_alloc(&self->x, batch, stream->shape.features * sizeof *self->x));
    EG_TRY_DONE(status, eg_alloc(&self->target, batch, sizeof *self->target));
    uint32_t quick = self->stream->bits - self->stream->slow;
    if (quick <= KNOWN_BITS_MAX) {
        EG_TRY_DONE(status, eg_alloc(&self->known, (size_t)1 << quick, sizeof *self->known));
    }
    self->quick = eg_rng_make(self->stream->seed, EG_PURPOSE_INPUT, 0);
    advance(self, 0);
    forget(self);
    *out = &self->base;
    return status;
done:
    cursor_free(&self->base);
    return status;
}

static void bit_flipping_free(eg_stream *stream)
{
    bit_flipping *self = (bit_flipping *)stream;
    eg_free(self->units);
    eg_free(self);
}

static void bit_flipping_phase(const eg_stream *stream, size_t phase, eg_phase *out)
{
    const bit_flipping *self = (const bit_flipping *)stream;
    size_t batch = stream->shape.batch;
    (void)phase;
    out->examples = self->examples;
    out->steps = (self->examples + batch - 1) / batch;
    out->epochs = 1;
}

static const eg_stream_ops ops = {
    .free = bit_flipping_free, .phase = bit_flipping_phase, .open = bit_flipping_open};

static int sign(eg_rng *rng)
{
    return eg_rng_below(rng, 2) == 0 ? -1 : 1;
}

static void draw_target(bit_flipping *self, double beta, threshold rule)
{
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_TARGET, 0);
    double bias_share = rule == THRESHOLD_CODE ? 1.5 : 1.0;
    self->constant = sign(&rng);
    for (size_t i = 0; i < self->unit_count; i++) {
        unit *u = &self->units[i];
        u->positive = eg_rng_u32(&rng) & mask_of(self->bits);
        double above = beta * ((double)self->bits + 1) - bias_share * (double)sign(&rng);
        u->least_agree = (int)floor(above) + 1;
        u->value = sign(&rng);
    }
}

static eg_status bit_flipping_check(const eg_view *view, const eg_stream_sizes *data)
{
    (void)data;
    size_t bits = eg_view_size(view, "bits");
    size_t slow = eg_view_size(view, "slow");
    if (slow > bits) {
        return eg_fail_setting(view->prefix, "slow bits",
                               "%sslow = %zu; expected at most %sbits = %zu", view->prefix, slow,
                               view->prefix, bits);
    }
    if (eg_view_size(view, "epochs") != 1) {
        return eg_fail_setting(view->prefix, "epochs",
                               "%sepochs: every example comes once; expected 1", view->prefix);
    }
    return eg_view_text(view, "order_file")[0] == '\0'
               ? eg_ok()
               : eg_fail_setting(view->prefix, "order_file",
                                 "%sorder_file: this stream has no dataset", view->prefix);
}

static eg_status bit_flipping_create(eg_stream **out, const eg_view *view,
                                     const eg_dataset *dataset, uint64_t seed, double holdout)
{
    (void)dataset;
    (void)holdout;
    EG_TRY(bit_flipping_check(view, NULL));
    bit_flipping *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    size_t bits = eg_view_size(view, "bits");
    size_t examples = eg_view_size(view, "examples");
    size_t batch = eg_view_size(view, "batch");
    *self = (bit_flipping){
        .base = {.ops = &ops,
                 .shape = {.input = eg_shape_vector(bits),
                           .features = bits,
                           .outputs = 1,
                           .phases = 1,
                           .batch = batch < examples ? batch : examples,
                           .epochs = 1,
                           .regression = true}},
        .seed = seed,
        .examples = examples,
        .flip_every = eg_view_size(view, "flip_every"),
        .bits = (uint32_t)bits,
        .slow = (uint32_t)eg_view_size(view, "slow"),
        .flips = (flips)eg_view_name(view, "flips"),
        .unit_count = eg_view_size(view, "units"),
    };
    eg_status status = eg_alloc(&self->units, self->unit_count, sizeof *self->units);
    if (!eg_is_ok(&status)) {
        bit_flipping_free(&self->base);
        return status;
    }
    draw_target(self, eg_view_real(view, "beta"), (threshold)eg_view_name(view, "threshold"));
    *out = &self->base;
    return status;
}

static void bit_flipping_sizes(const eg_view *view, eg_stream_sizes *out)
{
    *out = (eg_stream_sizes){.input = eg_shape_vector(eg_view_size(view, "bits")),
                             .outputs = 1,
                             .phases = 1,
                             .train = eg_view_size(view, "examples"),
                             .regression = true};
}

const eg_stream_kind eg_stream_bit_flipping = {
    .component = {.name = "bit_flipping",
                  .doc =
                      "slowly-changing regression: bits of which some change slowly, and a fixed "
                      "function of them; no dataset, nothing to evaluate on",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .own_data = true,
    .create = bit_flipping_create,
    .check = bit_flipping_check,
    .sizes = bit_flipping_sizes,
};
