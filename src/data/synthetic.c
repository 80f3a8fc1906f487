/** Made-up classes: the trivial dataset, the template of a new one, and the fast stand-in of tests.
 *
 *  Every class has a prototype image of uniformly random bytes; an example is its class's prototype
 *  plus uniform noise, clipped to bytes. The data are always the same, whatever the trial's seed.
 */
#include "data/common.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>

/* Index of the generators; part of the data's identity. */
enum { DRAW_PROTOTYPES = 0, DRAW_TRAIN = 1, DRAW_TEST = 2 };

/* Uniform bytes over 0 … 255, of which the prototypes are made, have these moments after b/255. */
static const double uniform_mean = 0.5;
static const double uniform_std = 0.28980;

enum { BYTE_MAX = 255, CHANNELS_MAX = 16 };

static uint8_t add_noise(uint8_t byte, uint32_t noise, eg_rng *rng)
{
    int64_t value = (int64_t)byte + eg_rng_below(rng, 2 * noise + 1) - noise;
    return (uint8_t)(value < 0 ? 0 : value > BYTE_MAX ? BYTE_MAX : value);
}

/* Labels go round: 0, 1, …, classes-1, 0, …, so that any first n examples are balanced. */
static eg_status draw_examples(const eg_dataset *data, const uint8_t *prototypes, uint32_t noise,
                               uint64_t draw, size_t count, void **x_block, void **label_block,
                               eg_examples *out)
{
    uint8_t *x = NULL;
    EG_TRY(eg_alloc(&x, count * data->features, 1));
    *x_block = x;
    uint16_t *label = NULL;
    EG_TRY(eg_alloc(&label, count, sizeof *label));
    *label_block = label;
    eg_rng rng = eg_rng_make(0, EG_PURPOSE_SYNTHETIC, draw);
    for (size_t i = 0; i < count; i++) {
        label[i] = (uint16_t)(i % data->classes);
        const uint8_t *prototype = prototypes + label[i] * data->features;
        for (size_t j = 0; j < data->features; j++) {
            x[i * data->features + j] = add_noise(prototype[j], noise, &rng);
        }
    }
    *out = (eg_examples){.count = count, .x = x, .label = label};
    return eg_ok();
}

static eg_shape shape_of(const eg_view *view)
{
    size_t side = eg_view_size(view, "side");
    return (eg_shape){side, side, eg_view_size(view, "channels")};
}

static eg_status synthetic_open(const eg_view *view, eg_dataset *out)
{
    double mean[CHANNELS_MAX];
    double std[CHANNELS_MAX];
    out->shape = shape_of(view);
    out->features = eg_shape_size(out->shape);
    out->classes = eg_view_size(view, "classes");
    for (size_t c = 0; c < out->shape.channels; c++) {
        mean[c] = uniform_mean;
        std[c] = uniform_std;
    }
    EG_TRY(eg_values_fill(out, view, mean, std));

    uint8_t *prototypes = NULL;
    EG_TRY(eg_alloc(&prototypes, out->classes * out->features, 1));
    eg_rng rng = eg_rng_make(0, EG_PURPOSE_SYNTHETIC, DRAW_PROTOTYPES);
    for (size_t i = 0; i < out->classes * out->features; i++) {
        prototypes[i] = (uint8_t)eg_rng_below(&rng, BYTE_MAX + 1);
    }
    uint32_t noise = (uint32_t)lround(eg_view_real(view, "noise") * BYTE_MAX);
    eg_status status;
    EG_TRY_DONE(status,
                draw_examples(out, prototypes, noise, DRAW_TRAIN, eg_view_size(view, "examples"),
                              &out->storage[EG_STORAGE_TRAIN_X],
                              &out->storage[EG_STORAGE_TRAIN_LABEL], &out->train));
    EG_TRY_DONE(status,
                draw_examples(out, prototypes, noise, DRAW_TEST,
                              eg_view_size(view, "test_examples"), &out->storage[EG_STORAGE_TEST_X],
                              &out->storage[EG_STORAGE_TEST_LABEL], &out->test));
done:
    eg_free(prototypes);
    return status;
}

static void synthetic_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                            size_t *classes)
{
    *train = eg_view_size(view, "examples");
    *test = eg_view_size(view, "test_examples");
    eg_limit_apply(view, train, test);
    *shape = shape_of(view);
    *classes = eg_view_size(view, "classes");
}

static const eg_param params[] = {
    {.name = "examples",
     .type = EG_TYPE_INT,
     .default_text = "600",
     .min = 1,
     .max = 1e7,
     .doc = "training examples, equally many of every class (within one)"},
    {.name = "test_examples",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = 1e7,
     .doc = "test examples, equally many of every class (within one)"},
    {.name = "classes",
     .type = EG_TYPE_INT,
     .default_text = "10",
     .min = 1,
     .max = 1000,
     .doc = "classes"},
    {.name = "side",
     .type = EG_TYPE_INT,
     .default_text = "8",
     .min = 1,
     .max = 256,
     .unit = "pixels",
     .doc = "images are side x side"},
    {.name = "channels",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = CHANNELS_MAX,
     .doc = "numbers per pixel, as 3 of a colour image",
     .added_later = true},
    {.name = "noise",
     .type = EG_TYPE_REAL,
     .default_text = "0.1",
     .min = 0,
     .max = 1,
     .doc = "largest distance of a pixel from its class's prototype, as a share of 255"},
};

const eg_dataset_kind eg_dataset_synthetic = {
    .component = {.name = "synthetic",
                  .doc = "small made-up separable classes: prototype images plus noise; needs no "
                         "files (path is not used)",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .open = synthetic_open,
    .sizes = synthetic_sizes,
};
