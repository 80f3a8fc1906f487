/** Augmentation of images: mirrored, cropped out of a padded image and rotated, in this order, anew
 *  for every presentation of an example.
 *
 *  An image is planar, number (c, h, w) at (c*height + h)*width + w, and already normalised. What
 *  happens to a presentation follows from (seed, member, presentation) alone, and what one
 *  operation draws does not depend on whether the others are on. */
#ifndef ENGRAM_DATA_AUGMENTATION_H
#define ENGRAM_DATA_AUGMENTATION_H

#include "engram/real.h"
#include "engram/settings.h"
#include "engram/shape.h"

#include <stdbool.h>
#include <stdint.h>

/** What surrounds an image that is cropped. */
typedef enum eg_padding {
    EG_PADDING_REFLECT,  /**< its mirror image, the border pixel not repeated */
    EG_PADDING_CONSTANT, /**< a number, after normalisation */
} eg_padding;
extern const char *const eg_padding_names[];

/** All zero: nothing is done. */
typedef struct eg_augmentation {
    bool flip;   /**< left and right change places with probability 1/2 */
    size_t crop; /**< pixels added on each side before a crop of the old size; 0: none */
    eg_padding padding;
    eg_real padding_value;
    double rotation; /**< largest angle in degrees, counter-clockwise; 0: none */
} eg_augmentation;

/** The parameters of a stream that augments: the first lines of its table. */
#define EG_AUGMENTATION_PARAMS                                                                     \
    {.name = "augment_flip",                                                                       \
     .type = EG_TYPE_BOOL,                                                                         \
     .default_text = "false",                                                                      \
     .added_later = true,                                                                          \
     .doc = "mirror training images, left to right, with probability 1/2"},                        \
        {.name = "augment_crop",                                                                   \
         .type = EG_TYPE_INT,                                                                      \
         .default_text = "0",                                                                      \
         .min = 0,                                                                                 \
         .max = 4096,                                                                              \
         .unit = "pixels",                                                                         \
         .added_later = true,                                                                      \
         .doc = "pad training images by so much on each side and crop them at a random offset; "   \
                "0: do not"},                                                                      \
        {.name = "augment_padding",                                                                \
         .type = EG_TYPE_NAME,                                                                     \
         .default_text = "reflect",                                                                \
         .names = eg_padding_names,                                                                \
         .added_later = true,                                                                      \
         .doc = "pad with the mirror image (border pixel not repeated) or a constant"},            \
        {.name = "augment_padding_value",                                                          \
         .type = EG_TYPE_REAL,                                                                     \
         .default_text = "0",                                                                      \
         .added_later = true,                                                                      \
         .doc = "the constant, after normalisation"},                                              \
    {                                                                                              \
        .name = "augment_rotation", .type = EG_TYPE_REAL, .default_text = "0", .min = 0,           \
        .max = 180, .unit = "degrees", .added_later = true,                                        \
        .doc = "rotate training images counter-clockwise by an angle uniform in [0, this], "       \
               "nearest neighbour, uncovered pixels 0 after normalisation"                         \
    }

/** From a view of settings that has them. */
eg_augmentation eg_augmentation_make(const eg_view *view);

/** Whether it does anything. */
bool eg_augmentation_active(const eg_augmentation *spec);

/** Of settings and the images they are for. Errors, EG_INVALID naming `augment_crop`: an image too
 *  small to be mirrored so far. */
eg_status eg_augmentation_check(const eg_view *view, eg_shape shape) EG_WARN_UNUSED;

/** What happens to one presentation. */
typedef struct eg_augment_draw {
    bool flipped;
    size_t row, column; /**< of the crop in the padded image, 0 … 2 crop */
    double angle;       /**< radians */
} eg_augment_draw;

/** Drawn from the generator (eg_member_seed(seed, member), EG_PURPOSE_AUGMENT, presentation). */
eg_augment_draw eg_augment_draw_for(const eg_augmentation *spec, uint64_t seed, uint64_t member,
                                    uint64_t presentation);

/** in, out [channels, height, width], not the same. Output pixel (i, j), with dy = i - (height-1)/2
 *  and dx = j - (width-1)/2, is seen at column cos(angle) dx - sin(angle) dy and row
 *  sin(angle) dx + cos(angle) dy from the centre of the cropped image, rounded to the nearest pixel
 *  (halves to the even one), and is 0 outside of it. The shape has passed eg_augmentation_check.
 *  Source: Dohare et al. 2024, doi 10.1038/s41586-024-07711-7, the program of incremental
 *  CIFAR-100; it rotates as torchvision does. */
void eg_augment_apply(const eg_augmentation *spec, const eg_augment_draw *draw, eg_shape shape,
                      const eg_real *in, eg_real *out);

/** Draws and applies. */
void eg_augment(const eg_augmentation *spec, eg_shape shape, uint64_t seed, uint64_t member,
                uint64_t presentation, const eg_real *in, eg_real *out);

#endif
