/** What poolings of images share; see nn/pooling.h. */
#include "nn/pooling.h"

#include "engram/memory.h"

/* Every window has at least one place of the image: fewer places than it has lie outside. */
static eg_status check_axis(const char *axis, const eg_pool *pool, size_t window, size_t size)
{
    if (window == 0 || window > pool->before + size + pool->after) {
        return eg_fail(EG_INVALID, "pooling: windows of %s %zu in an image of %zu, padded by %zu",
                       axis, window, size, pool->before + pool->after);
    }
    if (pool->before >= window || pool->after >= window) {
        return eg_fail(EG_INVALID, "pooling: padding %zu and %zu, windows of %s %zu need less",
                       pool->before, pool->after, axis, window);
    }
    return eg_ok();
}

static size_t windows(const eg_pool *pool, size_t window, size_t size)
{
    return (pool->before + size + pool->after - window) / pool->stride + 1;
}

eg_status eg_pool_layer(eg_layer *out, const eg_layer_ops *ops, eg_shape in, const eg_pool *spec)
{
    eg_pool *state = NULL;
    *out = (eg_layer){0};
    if (spec->stride == 0) {
        return eg_fail(EG_INVALID, "pooling: stride 0, it is at least 1");
    }
    EG_TRY(check_axis("height", spec, spec->height, in.height));
    EG_TRY(check_axis("width", spec, spec->width, in.width));
    if (spec->height * spec->width > EG_POOL_PLACES) {
        return eg_fail(EG_INVALID, "pooling: windows of %zu places, at most %d",
                       spec->height * spec->width, EG_POOL_PLACES);
    }
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    *state = *spec;
    *out = (eg_layer){.ops = ops,
                      .in = in,
                      .out = {.height = windows(spec, spec->height, in.height),
                              .width = windows(spec, spec->width, in.width),
                              .channels = in.channels},
                      .input_count = 1,
                      .spares_input = true,
                      .spares_output = true,
                      .state = state};
    return eg_ok();
}

double eg_pool_flops(const eg_layer *layer)
{
    const eg_pool *pool = eg_pool_of(layer);
    return (double)(pool->height * pool->width) * (double)eg_layer_outputs(layer);
}
