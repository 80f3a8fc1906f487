/** Shapes of one example's numbers: an image, a sequence or a vector.
 *
 *      image     height x width x channels    number (h, w, c) stands at (h*width + w)*channels + c
 *      sequence  positions x 1 x features
 *      vector    1 x 1 x n
 *
 *  A minibatch of B examples is B of them, one after the other. The numbers of one place are
 *  neighbours, so a layer that treats every place alike works on a [B*height*width, channels]
 *  matrix, and an image is a vector without being moved. */
#ifndef ENGRAM_SHAPE_H
#define ENGRAM_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_shape {
    size_t height, width, channels;
} eg_shape;

/** n numbers without a place. */
static inline eg_shape eg_shape_vector(size_t n)
{
    return (eg_shape){1, 1, n};
}

/** Places: height*width. */
static inline size_t eg_shape_positions(eg_shape shape)
{
    return shape.height * shape.width;
}

/** Numbers of one example. */
static inline size_t eg_shape_size(eg_shape shape)
{
    return shape.height * shape.width * shape.channels;
}

static inline bool eg_shape_equal(eg_shape a, eg_shape b)
{
    return a.height == b.height && a.width == b.width && a.channels == b.channels;
}

#endif
