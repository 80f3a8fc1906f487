/** What convolutions cost: forward, gradient of the inputs and gradient of the weights of every
 *  convolution of the networks that papers use, by our kernels and, where the bench was built with
 *  it, by oneDNN on the same layout (images NHWC, weights as it likes), one thread, in turns.
 *
 *  usage: bench_conv [ROUNDS [PART OF A NAME]]
 *
 *  A rate is 2 multiplications and additions per tap, those in the padding included, by the least
 *  processor time of a call over all rounds. */
#include "engram/memory.h"
#include "engram/random.h"
#include "math/shared/convolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef BENCH_DNNL
#include <dnnl.h>
#endif

enum { FORWARD, INPUT, WEIGHTS, PRODUCTS };

static const char *const product_names[] = {"forward", "input", "weights"};

typedef struct shape {
    const char *name;
    size_t batch, size, channels, filters, kernel, stride, padding;
} shape;

/* A network's layers, without those of equal shape. */
static const shape shapes[] = {
    {"cin 1", 100, 32, 3, 32, 5, 1, 0},
    {"cin 2", 100, 14, 32, 64, 3, 1, 0},
    {"cin 3", 100, 6, 64, 128, 3, 1, 0},
    {"resnet 3-64", 90, 32, 3, 64, 3, 1, 1},
    {"resnet 64-64", 90, 32, 64, 64, 3, 1, 1},
    {"resnet 64-128/2", 90, 32, 64, 128, 3, 2, 1},
    {"resnet 128", 90, 16, 128, 128, 3, 1, 1},
    {"resnet 128-256/2", 90, 16, 128, 256, 3, 2, 1},
    {"resnet 256", 90, 8, 256, 256, 3, 1, 1},
    {"resnet 256-512/2", 90, 8, 256, 512, 3, 2, 1},
    {"resnet 512", 90, 4, 512, 512, 3, 1, 1},
    {"resnet skip 128", 90, 32, 64, 128, 1, 2, 0},
    {"resnet skip 256", 90, 16, 128, 256, 1, 2, 0},
    {"resnet skip 512", 90, 8, 256, 512, 1, 2, 0},
    {"vgg 8: 3-8", 128, 32, 3, 8, 3, 1, 1},
    {"vgg 8: 32x32", 128, 32, 8, 8, 3, 1, 1},
    {"vgg 8: 16x16", 128, 16, 8, 8, 3, 1, 1},
    {"vgg 8: 8x8", 128, 8, 8, 8, 3, 1, 1},
    {"vgg 8: 4x4", 128, 4, 8, 8, 3, 1, 1},
    {"vgg 8: 2x2", 128, 2, 8, 8, 3, 1, 1},
    {"vgg 16: 3-16", 128, 32, 3, 16, 3, 1, 1},
    {"vgg 16: 32x32", 128, 32, 16, 16, 3, 1, 1},
    {"vgg 16: 16x16", 128, 16, 16, 16, 3, 1, 1},
    {"vgg 16: 8x8", 128, 8, 16, 16, 3, 1, 1},
    {"vgg 16: 4x4", 128, 4, 16, 16, 3, 1, 1},
    {"vgg 16: 2x2", 128, 2, 16, 16, 3, 1, 1},
    {"lenet 1", 100, 32, 3, 20, 5, 1, 2},
    {"lenet 2", 100, 16, 20, 50, 5, 1, 2},
    {"lenet 1 valid", 100, 32, 3, 20, 5, 1, 0},
    {"lenet 2 valid", 100, 14, 20, 50, 5, 1, 0},
};

static void stop(const char *what)
{
    (void)fprintf(stderr, "bench_conv: %s\n", what);
    exit(EXIT_FAILURE);
}

static eg_real *numbers(size_t count)
{
    eg_real *out = NULL;
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, count);
    eg_status status = eg_alloc(&out, count, sizeof *out);
    if (!eg_is_ok(&status)) {
        stop(status.message);
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = (eg_real)(2.0 * eg_rng_uniform(&rng) - 1.0);
    }
    return out;
}

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Arrays of one shape; weights are [filters, channels, kernel, kernel] for oneDNN. */
typedef struct arrays {
    eg_convolution c;
    size_t batch, x_count, y_count, w_count;
    eg_real *x, *y, *w, *dx, *dy, *dw, *scratch;
} arrays;

static arrays arrays_of(const shape *s)
{
    arrays a = {.batch = s->batch};
    const size_t out = (s->size + 2 * s->padding - s->kernel) / s->stride + 1;
    a.c = (eg_convolution){.height = s->size,
                           .width = s->size,
                           .channels = s->channels,
                           .out_height = out,
                           .out_width = out,
                           .filters = s->filters,
                           .kernel_height = s->kernel,
                           .kernel_width = s->kernel,
                           .stride = s->stride,
                           .padding = s->padding,
                           .lanes = eg_convolve_lanes(s->filters)};
    a.x_count = s->batch * s->size * s->size * s->channels;
    a.y_count = s->batch * out * out * s->filters;
    a.w_count = eg_convolve_panels(&a.c) * a.c.lanes * s->kernel * s->kernel * s->channels;
    a.x = numbers(a.x_count);
    a.y = numbers(a.y_count);
    a.w = numbers(a.w_count);
    a.dx = numbers(a.x_count);
    a.dy = numbers(a.y_count);
    a.dw = numbers(a.w_count);
    a.scratch = numbers(eg_convolve_scratch(&a.c));
    return a;
}

static void arrays_clear(arrays *a)
{
    eg_free(a->x);
    eg_free(a->y);
    eg_free(a->w);
    eg_free(a->dx);
    eg_free(a->dy);
    eg_free(a->dw);
    eg_free(a->scratch);
}

static void run_ours(const arrays *a, int product)
{
    if (product == FORWARD) {
        eg_convolve(&a->c, a->batch, a->x, a->w, NULL, a->scratch, a->y);
    } else if (product == INPUT) {
        eg_convolve_input(&a->c, a->batch, a->dy, a->w, a->scratch, a->dx);
    } else {
        eg_convolve_weights(&a->c, a->batch, a->x, a->dy, a->scratch, a->dw);
    }
}

#ifdef BENCH_DNNL

/* The three products of one shape. */
typedef struct peer {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive[PRODUCTS];
    dnnl_exec_arg_t arguments[PRODUCTS][3];
    dnnl_memory_t memory[PRODUCTS]; /* of weights */
    dnnl_memory_t x, y, dx, dy;
    char kernel[PRODUCTS][64];
} peer;

static void check(dnnl_status_t status)
{
    if (status != dnnl_success) {
        stop("oneDNN refused");
    }
}

static dnnl_memory_desc_t tensor(size_t n, size_t c, size_t h, size_t w, dnnl_format_tag_t tag)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)n, (dnnl_dim_t)c, (dnnl_dim_t)h, (dnnl_dim_t)w};
    dnnl_memory_desc_t out;
    check(dnnl_memory_desc_init_by_tag(&out, 4, dims, dnnl_f32, tag));
    return out;
}

static dnnl_memory_t memory_of(const peer *p, const dnnl_memory_desc_t *form, void *at)
{
    dnnl_memory_t out = NULL;
    check(dnnl_memory_create(&out, form, p->engine, at));
    return out;
}

static dnnl_primitive_desc_t describe(const peer *p, const arrays *a, int product,
                                      dnnl_primitive_desc_t hint)
{
    const eg_convolution *c = &a->c;
    const dnnl_memory_desc_t x = tensor(a->batch, c->channels, c->height, c->width, dnnl_nhwc);
    const dnnl_memory_desc_t y =
        tensor(a->batch, c->filters, c->out_height, c->out_width, dnnl_nhwc);
    const dnnl_memory_desc_t w =
        tensor(c->filters, c->channels, c->kernel_height, c->kernel_width, dnnl_format_tag_any);
    const dnnl_dims_t strides = {(dnnl_dim_t)c->stride, (dnnl_dim_t)c->stride};
    const dnnl_dims_t padding = {(dnnl_dim_t)c->padding, (dnnl_dim_t)c->padding};
    dnnl_convolution_desc_t form;
    dnnl_primitive_desc_t out = NULL;
    if (product == FORWARD) {
        check(dnnl_convolution_forward_desc_init(&form, dnnl_forward_training,
                                                 dnnl_convolution_direct, &x, &w, NULL, &y, strides,
                                                 padding, padding));
    } else if (product == INPUT) {
        check(dnnl_convolution_backward_data_desc_init(&form, dnnl_convolution_direct, &x, &w, &y,
                                                       strides, padding, padding));
    } else {
        check(dnnl_convolution_backward_weights_desc_init(&form, dnnl_convolution_direct, &x, &w,
                                                          NULL, &y, strides, padding, padding));
    }
    check(dnnl_primitive_desc_create(&out, &form, NULL, p->engine, hint));
    return out;
}

static void make_product(peer *p, int product, dnnl_primitive_desc_t desc)
{
    const char *kernel = NULL;
    const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(
        desc, product == WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    check(dnnl_primitive_create(&p->primitive[product], desc));
    check(dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *)&kernel));
    (void)snprintf(p->kernel[product], sizeof p->kernel[product], "%s", kernel);
    p->memory[product] = memory_of(p, w, DNNL_MEMORY_ALLOCATE);
    void *at = NULL;
    check(dnnl_memory_get_data_handle(p->memory[product], &at));
    float *numbers_of = at;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(w) / sizeof *numbers_of; i++) {
        numbers_of[i] = 0.5F;
    }
    const dnnl_exec_arg_t arguments[PRODUCTS][3] = {
        {{DNNL_ARG_SRC, p->x}, {DNNL_ARG_WEIGHTS, p->memory[FORWARD]}, {DNNL_ARG_DST, p->y}},
        {{DNNL_ARG_DIFF_DST, p->dy},
         {DNNL_ARG_WEIGHTS, p->memory[INPUT]},
         {DNNL_ARG_DIFF_SRC, p->dx}},
        {{DNNL_ARG_DIFF_DST, p->dy},
         {DNNL_ARG_SRC, p->x},
         {DNNL_ARG_DIFF_WEIGHTS, p->memory[WEIGHTS]}},
    };
    memcpy(p->arguments[product], arguments[product], sizeof arguments[product]);
}

static peer peer_of(const arrays *a)
{
    peer p = {0};
    const eg_convolution *c = &a->c;
    check(dnnl_engine_create(&p.engine, dnnl_cpu, 0));
    check(dnnl_stream_create(&p.stream, p.engine, dnnl_stream_default_flags));
    const dnnl_memory_desc_t x = tensor(a->batch, c->channels, c->height, c->width, dnnl_nhwc);
    const dnnl_memory_desc_t y =
        tensor(a->batch, c->filters, c->out_height, c->out_width, dnnl_nhwc);
    p.x = memory_of(&p, &x, a->x);
    p.dx = memory_of(&p, &x, a->dx);
    p.y = memory_of(&p, &y, a->y);
    p.dy = memory_of(&p, &y, a->dy);
    dnnl_primitive_desc_t forward = describe(&p, a, FORWARD, NULL);
    make_product(&p, FORWARD, forward);
    for (int product = INPUT; product < PRODUCTS; product++) {
        dnnl_primitive_desc_t desc = describe(&p, a, product, forward);
        make_product(&p, product, desc);
        check(dnnl_primitive_desc_destroy(desc));
    }
    check(dnnl_primitive_desc_destroy(forward));
    return p;
}

static void run_peer(const peer *p, int product)
{
    check(dnnl_primitive_execute(p->primitive[product], p->stream, 3, p->arguments[product]));
    check(dnnl_stream_wait(p->stream));
}

static void peer_clear(peer *p)
{
    for (int product = 0; product < PRODUCTS; product++) {
        (void)dnnl_primitive_destroy(p->primitive[product]);
        (void)dnnl_memory_destroy(p->memory[product]);
    }
    (void)dnnl_memory_destroy(p->x);
    (void)dnnl_memory_destroy(p->dx);
    (void)dnnl_memory_destroy(p->y);
    (void)dnnl_memory_destroy(p->dy);
    (void)dnnl_stream_destroy(p->stream);
    (void)dnnl_engine_destroy(p->engine);
}

#else

typedef struct peer {
    int none;
} peer;

static peer peer_of(const arrays *a)
{
    (void)a;
    return (peer){0};
}

static void run_peer(const peer *p, int product)
{
    (void)p, (void)product;
}

static void peer_clear(peer *p)
{
    (void)p;
}

#endif

static double least(double a, double b)
{
    return a == 0.0 || b < a ? b : a;
}

static void measure(const shape *s, long rounds)
{
    arrays a = arrays_of(s);
    peer p = peer_of(&a);
    double ours[PRODUCTS] = {0};
    double theirs[PRODUCTS] = {0};
    for (long round = 0; round < rounds; round++) {
        for (int product = 0; product < PRODUCTS; product++) {
            double start = now();
            run_ours(&a, product);
            double middle = now();
            run_peer(&p, product);
            double end = now();
            ours[product] = least(ours[product], middle - start);
            theirs[product] = least(theirs[product], end - middle);
        }
    }
    const double work = 2.0 * (double)a.y_count * (double)(s->kernel * s->kernel * s->channels);
    for (int product = 0; product < PRODUCTS; product++) {
        (void)printf("%-17s %-8s %8.3f ms %7.1f", s->name, product_names[product],
                     1e3 * ours[product], 1e-9 * work / ours[product]);
#ifdef BENCH_DNNL
        (void)printf(" %7.1f %6.2f  %s", 1e-9 * work / theirs[product],
                     theirs[product] / ours[product], p.kernel[product]);
#endif
        (void)printf("\n");
    }
    (void)fflush(stdout);
    peer_clear(&p);
    arrays_clear(&a);
}

int main(int argc, char **argv)
{
    const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 20;
    const char *threads = getenv("OMP_NUM_THREADS");
    if (rounds < 1) {
        stop("usage: bench_conv [ROUNDS [PART OF A NAME]]");
    }
    if (threads == NULL || strcmp(threads, "1") != 0) {
        stop("set OMP_NUM_THREADS=1: oneDNN reads it when it is loaded");
    }
    (void)printf("kernel: %s\n", eg_convolve_kernel());
#ifndef BENCH_DNNL
    (void)printf("oneDNN: not there when this was built (libdnnl-dev); only our own rates\n");
#endif
    (void)printf("%-17s %-8s %11s %7s", "convolution", "product", "least time", "GFLOP/s");
#ifdef BENCH_DNNL
    (void)printf(" %7s %6s  %s", "oneDNN", "ratio", "its kernel");
#endif
    (void)printf("\n");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (argc < 3 || strstr(shapes[i].name, argv[2]) != NULL) {
            measure(&shapes[i], rounds);
        }
    }
    return 0;
}
