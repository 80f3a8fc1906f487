/** Convolutions: which kernel makes them; see math/shared/convolve.h. */
#include "math/shared/convolve.h"

#include "math/convolve_kernel.h"
#include "math/shared/vector.h"

#include <string.h>

size_t eg_convolve_lanes(size_t filters)
{
    enum { EIGHT = 8, SIXTEEN = 16 };
    return filters <= EIGHT ? EIGHT : filters <= SIXTEEN ? SIXTEEN : EG_CONVOLVE_LANES_MAX;
}

size_t eg_convolve_scratch(const eg_convolution *c)
{
    (void)c;
    return 0;
}

void eg_convolve(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *w,
                 const eg_real *bias, eg_real *y)
{
    eg_convolve_plain(c, batch, x, w, bias, y);
}

void eg_convolve_input(const eg_convolution *c, size_t batch, const eg_real *dy, const eg_real *w,
                       eg_real *scratch, eg_real *dx)
{
    (void)scratch;
    eg_convolve_input_plain(c, batch, dy, w, dx);
}

void eg_convolve_weights(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *dy,
                         eg_real *scratch, eg_real *dw)
{
    (void)scratch;
    eg_convolve_weights_plain(c, batch, x, dy, dw);
}

void eg_convolve_bias(const eg_convolution *c, size_t batch, const eg_real *dy, eg_real *sum)
{
    memset(sum, 0, eg_convolve_panels(c) * c->lanes * sizeof *sum);
    for (size_t b = 0; b < batch * c->out_height * c->out_width; b++) {
        eg_accumulate(c->filters, dy + b * c->filters, sum);
    }
}
