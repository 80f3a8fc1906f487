/** Made-up classes that a linear classifier does not tell apart: the stand-in for natural images
 *  where none are at hand.
 *
 *  The prototype of a class is, in every channel, the sum of six cosines over the plane with
 *  integer frequencies 1 … 6 in each direction, amplitude N(0, 1)/sqrt(6) and any phase. An example
 *  is
 *
 *      v = a shift(prototype) + clutter shift(prototype of another class) + 0.5 N(0, 1)
 *
 *  with a uniform in [0.7, 1.3), and both shifts circular by -4 … 4 rows and columns. As a byte it
 *  is round(127.5 + 31.875 v), cut at 0 and 255: v from -4 to 4 in steps of 1/32, far below the
 *  noise. An example follows from (seed, class, its number in the class, part) alone.
 *
 *  The full size is 2.1 GB: the bytes are made once on a node, see eg_mapping_make. */
#include "data/circle.h"
#include "data/common.h"
#include "data/mapping.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/random.h"
#include "math/shared/normals.h"

#include <math.h>
#include <string.h>

enum {
    SIDE = 32,
    CHANNELS = 3,
    PIXELS = SIDE * SIDE,
    FEATURES = CHANNELS * PIXELS,
    COSINES = 6,
    FREQUENCIES = 6,
    SHIFT = 4,
};

static const double noise = 0.5;
static const double least_strength = 0.7;
static const double strengths = 0.6; /* from there on */
static const double bytes_per_unit = 31.875;
static const double middle_byte = 127.5;

/* What a generator is for: the upper bits of its index; part of the data's identity. */
enum { DRAW_AMPLITUDES, DRAW_PROTOTYPE, DRAW_EXAMPLE, DRAW_NOISE };
enum { PART_TRAIN, PART_TEST };

typedef struct recipe {
    uint64_t seed;
    size_t classes;
    double clutter;
    size_t part;
    size_t per_class;  /* examples of this part */
    double *prototype; /* [classes, CHANNELS, SIDE, SIDE] */
} recipe;

static uint64_t index_of(uint64_t what, size_t part, size_t kind, size_t number)
{
    return what << 62 | (uint64_t)part << 56 | (uint64_t)kind << 32 | number;
}

/* cos and sin of 2 pi k/SIDE. */
typedef struct circle {
    double cosine[SIDE], sine[SIDE];
} circle;

/* Adds amplitude cos(2 pi (row y + column x)/SIDE + phase) to out [SIDE, SIDE]. */
static void add_cosine(const circle *table, double amplitude, size_t row, size_t column,
                       double phase, double *out)
{
    /* cos(k + p) = cos k cos p - sin k sin p; the series are for the half circle. */
    const double cosine = -eg_circle_cosine(phase - eg_pi) * amplitude;
    const double sine = -eg_circle_sine(phase - eg_pi) * amplitude;
    for (size_t i = 0; i < PIXELS; i++) {
        size_t k = (row * (i / SIDE) + column * (i % SIDE)) % SIDE;
        out[i] += table->cosine[k] * cosine - table->sine[k] * sine;
    }
}

static void draw_prototype(const recipe *self, const circle *table, size_t kind)
{
    eg_real amplitude[CHANNELS * COSINES];
    eg_normals(self->seed, EG_PURPOSE_SYNTHETIC, index_of(DRAW_AMPLITUDES, 0, kind, 0),
               EG_COUNT(amplitude), amplitude);
    eg_rng rng =
        eg_rng_make(self->seed, EG_PURPOSE_SYNTHETIC, index_of(DRAW_PROTOTYPE, 0, kind, 0));
    for (size_t i = 0; i < EG_COUNT(amplitude); i++) {
        size_t row = 1 + eg_rng_below(&rng, FREQUENCIES);
        size_t column = 1 + eg_rng_below(&rng, FREQUENCIES);
        double phase = 2 * eg_pi * eg_rng_uniform(&rng);
        add_cosine(table, (double)amplitude[i] / sqrt(COSINES), row, column, phase,
                   self->prototype + kind * FEATURES + i / COSINES * PIXELS);
    }
}

static void draw_prototypes(const recipe *self)
{
    circle table;
    for (size_t k = 0; k < SIDE; k++) {
        double angle = 2 * eg_pi * (double)k / SIDE - eg_pi; /* shifted by half a circle */
        table.cosine[k] = -eg_circle_cosine(angle);
        table.sine[k] = -eg_circle_sine(angle);
    }
    for (size_t c = 0; c < self->classes; c++) {
        draw_prototype(self, &table, c);
    }
}

/* out [FEATURES] += weight times a prototype, shifted by what `rng` draws. */
static void add_shifted(const recipe *self, size_t kind, double weight, eg_rng *rng, double *out)
{
    const double *prototype = self->prototype + kind * FEATURES;
    size_t down = SIDE - SHIFT + eg_rng_below(rng, 2 * SHIFT + 1);
    size_t right = SIDE - SHIFT + eg_rng_below(rng, 2 * SHIFT + 1);
    for (size_t r = 0; r < (size_t)CHANNELS * SIDE; r++) {
        const double *from =
            prototype + r / SIDE * PIXELS + (r % SIDE + SIDE - down % SIDE) % SIDE * SIDE;
        for (size_t j = 0; j < SIDE; j++) {
            out[r * SIDE + j] += weight * from[(j + SIDE - right % SIDE) % SIDE];
        }
    }
}

static void draw_example(const recipe *self, size_t kind, size_t number, uint8_t *out)
{
    double value[FEATURES] = {0};
    eg_real normal[FEATURES];
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_SYNTHETIC,
                             index_of(DRAW_EXAMPLE, self->part, kind, number));
    double strength = least_strength + strengths * eg_rng_uniform(&rng);
    size_t other = eg_rng_below(&rng, (uint32_t)(self->classes - 1));
    other += other >= kind ? 1 : 0;
    add_shifted(self, kind, strength, &rng, value);
    add_shifted(self, other, self->clutter, &rng, value);
    eg_normals(self->seed, EG_PURPOSE_SYNTHETIC, index_of(DRAW_NOISE, self->part, kind, number),
               FEATURES, normal);
    for (size_t i = 0; i < FEATURES; i++) {
        double v = value[i] + noise * (double)normal[i];
        double byte = middle_byte + bytes_per_unit * v + 0.5;
        out[i] = (uint8_t)(byte < 0 ? 0 : byte > 255 ? 255 : byte);
    }
}

/* Classes take turns, so that any first examples are balanced. */
static eg_status draw_examples(void *user, uint8_t *out)
{
    recipe *self = user;
    EG_TRY(eg_alloc(&self->prototype, self->classes * FEATURES, sizeof *self->prototype));
    draw_prototypes(self);
    for (size_t i = 0; i < self->classes * self->per_class; i++) {
        draw_example(self, i % self->classes, i / self->classes, out + i * FEATURES);
    }
    eg_free(self->prototype);
    self->prototype = NULL;
    return eg_ok();
}

static eg_status open_part(recipe *self, eg_mapping *mapping, void **label_block, eg_examples *out)
{
    size_t count = self->classes * self->per_class;
    if (count > UINT32_MAX) {
        return eg_fail(EG_INVALID,
                       "dataset synthetic_classes: %zu classes of %zu examples; expected at most "
                       "2^32 in all",
                       self->classes, self->per_class);
    }
    const uint8_t *x = NULL;
    uint16_t *label = NULL;
    EG_TRY(eg_alloc(&label, count, sizeof *label));
    *label_block = label;
    for (size_t i = 0; i < count; i++) {
        label[i] = (uint16_t)(i % self->classes);
    }
    uint64_t identity[] = {
        2,       /* how they are made */ self->seed, self->classes, 0, self->part, self->per_class,
        FEATURES};
    memcpy(&identity[3], &self->clutter, sizeof identity[3]);
    EG_TRY(eg_mapping_make(mapping, &x, eg_hash64(identity, sizeof identity), count * FEATURES,
                           draw_examples, self));
    *out = (eg_examples){.count = count, .x = x, .label = label};
    return eg_ok();
}

static eg_status synthetic_classes_open(const eg_view *view, eg_dataset *out)
{
    out->shape = (eg_shape){SIDE, SIDE, CHANNELS};
    out->features = FEATURES;
    out->classes = eg_view_size(view, "classes");
    recipe self = {.seed = (uint64_t)eg_view_int(view, "seed"),
                   .classes = out->classes,
                   .clutter = eg_view_real(view, "clutter"),
                   .part = PART_TRAIN,
                   .per_class = eg_view_size(view, "train")};
    /* Of v: half of the squared amplitudes of a prototype, E a^2 = 1 + 0.6^2/12, and the noise. */
    double variance =
        0.5 * (1 + strengths * strengths / 12) + 0.5 * self.clutter * self.clutter + noise * noise;
    double mean[CHANNELS];
    double std[CHANNELS];
    for (size_t c = 0; c < CHANNELS; c++) {
        mean[c] = middle_byte / 255;
        std[c] = sqrt(variance) * bytes_per_unit / 255;
    }
    EG_TRY(eg_values_fill(out, view, mean, std));
    EG_TRY(open_part(&self, &out->mapping[0], &out->storage[EG_STORAGE_TRAIN_LABEL], &out->train));
    self.part = PART_TEST;
    self.per_class = eg_view_size(view, "test");
    return open_part(&self, &out->mapping[1], &out->storage[EG_STORAGE_TEST_LABEL], &out->test);
}

static void synthetic_classes_sizes(const eg_view *view, size_t *train, size_t *test,
                                    eg_shape *shape, size_t *classes)
{
    *classes = eg_view_size(view, "classes");
    *train = *classes * eg_view_size(view, "train");
    *test = *classes * eg_view_size(view, "test");
    eg_limit_apply(view, train, test);
    *shape = (eg_shape){SIDE, SIDE, CHANNELS};
}

static const eg_param params[] = {
    {.name = "classes",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 2,
     .max = 65536,
     .doc = "classes"},
    {.name = "train",
     .type = EG_TYPE_INT,
     .default_text = "600",
     .min = 1,
     .max = 1e6,
     .doc = "training examples of every class"},
    {.name = "test",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = 1e6,
     .doc = "test examples of every class"},
    {.name = "clutter",
     .type = EG_TYPE_REAL,
     .default_text = "0.5",
     .min = 0,
     .max = 4,
     .doc = "weight of another class's prototype in an example"},
    {.name = "seed",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 9007199254740992.0,
     .doc = "of the data, which are the same in all trials"},
};

const eg_dataset_kind eg_dataset_synthetic_classes = {
    .component = {.name = "synthetic_classes",
                  .doc =
                      "made-up colour images of 32 x 32 of many classes: shifted sums of cosines "
                      "with clutter and noise; needs no files (path is not used)",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .open = synthetic_classes_open,
    .sizes = synthetic_classes_sizes,
};
