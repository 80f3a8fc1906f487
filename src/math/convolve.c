/** Convolutions: which kernel makes them; see math/shared/convolve.h. */
#include "math/shared/convolve.h"

#include "math/convolve_kernel.h"
#include "math/shared/clones.h"

#include <string.h>

size_t eg_convolve_lanes(size_t filters)
{
    enum { EIGHT = 8, SIXTEEN = 16 };
    return filters <= EIGHT ? EIGHT : filters <= SIXTEEN ? SIXTEEN : EG_CONVOLVE_LANES_MAX;
}

/* The widest that this processor has; NULL: the reference. */
static const eg_convolve_kernels *kernels_here(void)
{
    const eg_convolve_kernels *widest = eg_convolve_avx512();
    return widest != NULL ? widest : eg_convolve_avx2();
}

const char *eg_convolve_kernel(void)
{
    const eg_convolve_kernels *kernels = kernels_here();
    return kernels != NULL ? kernels->name : "plain";
}

size_t eg_convolve_scratch(const eg_convolution *c)
{
    const size_t each[] = {eg_convolve_tiled_scratch(c), eg_convolve_weights_scratch(c),
                           eg_convolve_listed_scratch(c), eg_convolve_skipping_scratch(c)};
    size_t most = 0;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        most = each[i] > most ? each[i] : most;
    }
    return most;
}

void eg_convolve(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *w,
                 const eg_real *bias, eg_real *scratch, eg_real *y)
{
    const eg_convolve_kernels *kernels = kernels_here();
    if (kernels != NULL && eg_convolve_skipping_pays(c, batch, x)) {
        eg_convolve_skipping(kernels, c, batch, x, w, bias, scratch, y);
    } else if (kernels != NULL) {
        eg_convolve_tiled(kernels, c, batch, x, w, bias, y);
    } else {
        eg_convolve_plain(c, batch, x, w, bias, y);
    }
}

void eg_convolve_input(const eg_convolution *c, size_t batch, const eg_real *dy, const eg_real *w,
                       eg_real *scratch, eg_real *dx)
{
    const eg_convolve_kernels *kernels = kernels_here();
    if (kernels != NULL && eg_convolve_input_skipping_pays(c, batch, dy)) {
        eg_convolve_input_skipping(kernels, c, batch, dy, w, scratch, dx);
    } else if (kernels != NULL && eg_convolve_listed_pays(c, batch, dy)) {
        eg_convolve_input_listed(kernels, c, batch, dy, w, scratch, dx);
    } else if (kernels != NULL) {
        eg_convolve_input_tiled(kernels, c, batch, dy, w, scratch, dx);
    } else {
        eg_convolve_input_plain(c, batch, dy, w, dx);
    }
}

void eg_convolve_weights(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *dy,
                         eg_real *scratch, eg_real *dw)
{
    const eg_convolve_kernels *kernels = kernels_here();
    if (kernels != NULL && eg_convolve_listed_pays(c, batch, dy)) {
        eg_convolve_weights_listed(kernels, c, batch, x, dy, scratch, dw);
    } else if (kernels != NULL) {
        eg_convolve_weights_tiled(kernels, c, batch, x, dy, scratch, dw);
    } else {
        eg_convolve_weights_plain(c, batch, x, dy, dw);
    }
}

/* sum [lanes] of dy [places][filters], from lane 0 on; constant `lanes` are registers. */
__attribute__((always_inline)) static inline void add_lanes(const size_t lanes, size_t places,
                                                            size_t filters,
                                                            const eg_real *restrict dy,
                                                            eg_real *restrict sum)
{
    eg_real all[EG_CONVOLVE_LANES_MAX] = {0};
    for (size_t i = 0; i < places; i++) {
        for (size_t l = 0; l < lanes; l++) {
            all[l] += dy[i * filters + l];
        }
    }
    memcpy(sum, all, lanes * sizeof *sum);
}

EG_CLONES static void add_panel(size_t lanes, size_t places, size_t filters,
                                const eg_real *restrict dy, eg_real *restrict sum)
{
    enum { EIGHT = 8, SIXTEEN = 16 };
    if (lanes == EIGHT) {
        add_lanes(EIGHT, places, filters, dy, sum);
    } else if (lanes == SIXTEEN) {
        add_lanes(SIXTEEN, places, filters, dy, sum);
    } else if (lanes == EG_CONVOLVE_LANES_MAX) {
        add_lanes(EG_CONVOLVE_LANES_MAX, places, filters, dy, sum);
    } else {
        add_lanes(lanes, places, filters, dy, sum);
    }
}

void eg_convolve_bias(const eg_convolution *c, size_t batch, const eg_real *dy, eg_real *sum)
{
    const size_t places = batch * c->out_height * c->out_width;
    memset(sum, 0, eg_convolve_panels(c) * c->lanes * sizeof *sum);
    for (size_t f = 0; f < c->filters; f += c->lanes) {
        const size_t left = c->filters - f;
        add_panel(left < c->lanes ? left : c->lanes, places, c->filters, dy + f, sum + f);
    }
}
