/** The kernels behind math/shared/convolve.h. */
#ifndef ENGRAM_MATH_CONVOLVE_KERNEL_H
#define ENGRAM_MATH_CONVOLVE_KERNEL_H

#include "math/shared/convolve.h"

/* The reference: for every processor, and in double for gradient checks. */

void eg_convolve_plain(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *w,
                       const eg_real *bias, eg_real *y);
void eg_convolve_input_plain(const eg_convolution *c, size_t batch, const eg_real *dy,
                             const eg_real *w, eg_real *dx);
void eg_convolve_weights_plain(const eg_convolution *c, size_t batch, const eg_real *x,
                               const eg_real *dy, eg_real *dw);

/** The taps u of a kernel that lie inside of an image of `size` for output i:
 *  begin <= u < end. */
typedef struct eg_taps {
    size_t begin, end;
} eg_taps;

static inline eg_taps eg_taps_of(const eg_convolution *c, size_t i, size_t kernel, size_t size)
{
    const size_t at = i * c->stride; /* of tap u: at + u - padding */
    size_t begin = at < c->padding ? c->padding - at : 0;
    const size_t room = size + c->padding > at ? size + c->padding - at : 0;
    const size_t end = room < kernel ? room : kernel;
    begin = begin < end ? begin : end;
    return (eg_taps){begin, end};
}

#endif
