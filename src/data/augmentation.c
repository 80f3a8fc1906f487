/** Augmentation of images; see data/shared/augmentation.h.
 *
 *  All three operations move whole pixels, so together they are one map from output to input
 *  pixels, which is made once for all channels. */
#include "data/shared/augmentation.h"

#include "data/circle.h"
#include "engram/random.h"
#include "math/shared/clones.h"

#include <assert.h>

enum { CHUNK = 64 }; /* pixels of a row at a time */

/* Places of the map that are no pixel of the image. */
enum { UNCOVERED = -1, PADDED = -2 };

const char *const eg_padding_names[] = {
    [EG_PADDING_REFLECT] = "reflect",
    [EG_PADDING_CONSTANT] = "constant",
    NULL,
};

eg_augmentation eg_augmentation_make(const eg_view *view)
{
    return (eg_augmentation){
        .flip = eg_view_bool(view, "augment_flip"),
        .crop = eg_view_size(view, "augment_crop"),
        .padding = (eg_padding)eg_view_name(view, "augment_padding"),
        .padding_value = (eg_real)eg_view_real(view, "augment_padding_value"),
        .rotation = eg_view_real(view, "augment_rotation"),
    };
}

bool eg_augmentation_active(const eg_augmentation *spec)
{
    return spec->flip || spec->crop > 0 || spec->rotation > 0;
}

eg_status eg_augmentation_check(const eg_view *view, eg_shape shape)
{
    const eg_augmentation spec = eg_augmentation_make(view);
    size_t side = shape.height < shape.width ? shape.height : shape.width;
    if (spec.crop > 0 && spec.padding == EG_PADDING_REFLECT && spec.crop >= side) {
        return eg_fail_setting(view->prefix, "augment_crop augment_padding",
                               "%saugment_crop = %zu: images of %zu x %zu cannot be mirrored so "
                               "far; expected less than %zu, or augment_padding: constant",
                               view->prefix, spec.crop, shape.height, shape.width, side);
    }
    return eg_ok();
}

eg_augment_draw eg_augment_draw_for(const eg_augmentation *spec, uint64_t seed, uint64_t member,
                                    uint64_t presentation)
{
    eg_rng rng =
        eg_rng_make(eg_member_seed(seed, (size_t)member), EG_PURPOSE_AUGMENT, presentation);
    /* The number that is drawn last may need more than one: the others always stand in the same
     * places. */
    bool flipped = (eg_rng_u32(&rng) & 1) != 0;
    double share = eg_rng_uniform(&rng);
    size_t row = eg_rng_below(&rng, (uint32_t)(2 * spec->crop + 1));
    size_t column = eg_rng_below(&rng, (uint32_t)(2 * spec->crop + 1));
    return (eg_augment_draw){.flipped = spec->flip && flipped,
                             .row = row,
                             .column = column,
                             .angle = spec->rotation * (eg_pi / 180) * share};
}

/* Rounds |x| < 2^51 to the nearest integer, halves to even, by what is lost beside a large number:
 * rint is a call without SSE4.1. */
static inline double nearest(double x)
{
    const double large = 6755399441055744.0; /* 1.5 * 2^52 */
    return (x + large) - large;
}

/* From output pixels to those of the image. */
typedef struct map {
    int32_t height, width;
    double sine, cosine;
    int32_t row, column; /* of the crop relative to the image */
    bool flipped, reflects;
} map;

/* Place in 0 … last of what lies up to `last` pixels outside. */
static inline int32_t reflect(int32_t at, int32_t last)
{
    at = at < 0 ? -at : at;
    return at > last ? 2 * last - at : at;
}

/* place [count] of output pixels (i, first) …: the pixel of the image, or what else is there. */
EG_CLONES static void find_places(const map *self, int32_t i, int32_t first, int32_t count,
                                  int32_t *restrict place)
{
    const int32_t bottom = self->height - 1;
    const int32_t right = self->width - 1;
    const double middle_row = 0.5 * bottom;
    const double middle_column = 0.5 * right;
    const double dy = i - middle_row;
    const double across = self->sine * dy;
    const double down = self->cosine * dy;
    const double sine = self->sine;
    const double cosine = self->cosine;
    const int32_t row = self->row;
    const int32_t column = self->column;
    const int32_t flipped = self->flipped ? -1 : 0;
    const int32_t reflects = self->reflects ? -1 : 0;
    EG_INDEPENDENT
    for (int32_t k = 0; k < count; k++) {
        double dx = (first + k) - middle_column;
        int32_t x = (int32_t)nearest((cosine * dx - across) + middle_column);
        int32_t y = (int32_t)nearest((sine * dx + down) + middle_row);
        int32_t covered = -(x >= 0 && x <= right && y >= 0 && y <= bottom);
        x += column;
        y += row;
        int32_t inside = -(x >= 0 && x <= right && y >= 0 && y <= bottom);
        x = reflect(x, right);
        y = reflect(y, bottom);
        x = (flipped & (right - x)) | (~flipped & x);
        int32_t seen = inside | reflects;
        int32_t found = (seen & (y * (right + 1) + x)) | (~seen & PADDED);
        place[k] = (covered & found) | (~covered & UNCOVERED);
    }
}

/* Reads some pixel everywhere, so that there is no branch. */
EG_CLONES static void gather(size_t count, const int32_t *restrict place, eg_real padding,
                             const eg_real *restrict in, eg_real *restrict out)
{
    for (size_t k = 0; k < count; k++) {
        int32_t at = place[k];
        eg_real pixel = in[at < 0 ? 0 : at];
        eg_real other = at == UNCOVERED ? 0 : padding;
        out[k] = at < 0 ? other : pixel;
    }
}

void eg_augment_apply(const eg_augmentation *spec, const eg_augment_draw *draw, eg_shape shape,
                      const eg_real *in, eg_real *out)
{
    assert(draw->row <= 2 * spec->crop && draw->column <= 2 * spec->crop);
    const map places = {
        .height = (int32_t)shape.height,
        .width = (int32_t)shape.width,
        .sine = eg_circle_sine(draw->angle),
        .cosine = eg_circle_cosine(draw->angle),
        .row = (int32_t)draw->row - (int32_t)spec->crop,
        .column = (int32_t)draw->column - (int32_t)spec->crop,
        .flipped = draw->flipped,
        .reflects = spec->padding == EG_PADDING_REFLECT,
    };
    size_t pixels = eg_shape_positions(shape);
    for (size_t i = 0; i < shape.height; i++) {
        for (size_t first = 0; first < shape.width; first += CHUNK) {
            int32_t place[CHUNK];
            size_t left = shape.width - first;
            size_t count = left < CHUNK ? left : CHUNK;
            find_places(&places, (int32_t)i, (int32_t)first, (int32_t)count, place);
            for (size_t c = 0; c < shape.channels; c++) {
                gather(count, place, spec->padding_value, in + c * pixels,
                       out + c * pixels + i * shape.width + first);
            }
        }
    }
}

void eg_augment(const eg_augmentation *spec, eg_shape shape, uint64_t seed, uint64_t member,
                uint64_t presentation, const eg_real *in, eg_real *out)
{
    const eg_augment_draw draw = eg_augment_draw_for(spec, seed, member, presentation);
    eg_augment_apply(spec, &draw, shape, in, out);
}
