/** Hidden units that inhibit each other, as those of SDMLP: the (k+1)-th largest activation is taken
 *  from all of them, so that k stay active. It is a constant for the gradient.
 *
 *      a = relu(x),  I = (k+1)-th largest of a (0 if there is none),  y_i = relu(a_i - r_i I),
 *      or, masked, y_i = a_i where a_i > I;   dL/dx_i = dL/dy_i where y_i > 0 and x_i > 0.
 *
 *  Two cures for units that would never win, and so never learn:
 *  - the GABA switch: r_i = clip(-1 + 2 n_i/N, -1, 1), n_i the training examples that unit i has been
 *    active for. It starts at -1, which excites; every unit becomes inhibited as it is used. n_i grows
 *    after an update, so it is the response to the next minibatch that changes;
 *  - annealing: k falls linearly from the start value to its own over so many minibatches.
 *
 *  Source: Bricken, Davies, Singh, Krotov and Kreiman 2023, "Sparse distributed memory is a continual
 *  learner", ICLR, arXiv 2303.11934, and the program of its authors. */
#include "nn/layers.h"

#include "engram/memory.h"
#include "math/clones.h"
#include "math/elementary.h"
#include "nn/select.h"

#include <assert.h>
#include <string.h>

const char *const eg_inhibition_names[] = {
    [EG_INHIBITION_GABA] = "gaba",
    [EG_INHIBITION_ANNEALED] = "annealed",
    [EG_INHIBITION_FLAT] = "flat",
    NULL,
};

typedef struct memory {
    eg_inhibition spec;
    uint64_t *count;   /* [units] examples each was active for in training */
    eg_real *response; /* [units] r */
} memory;

static memory *memory_of(const eg_layer *layer)
{
    return layer->state;
}

static void respond(const eg_layer *layer)
{
    memory *m = memory_of(layer);
    bool gaba = m->spec.kind == EG_INHIBITION_GABA;
    for (size_t i = 0; i < layer->outputs; i++) {
        double r = -1.0 + 2.0 * (double)m->count[i] / m->spec.switch_count;
        m->response[i] = gaba ? (eg_real)(r > 1.0 ? 1.0 : r) : 1;
    }
}

static void init(const eg_layer *layer, eg_real *params, uint64_t seed, uint64_t index)
{
    (void)params, (void)seed, (void)index;
    memset(memory_of(layer)->count, 0, layer->outputs * sizeof(uint64_t));
    respond(layer);
}

size_t eg_inhibition_k(const eg_inhibition *spec, uint64_t step)
{
    double start = (double)spec->k_start;
    double end = (double)spec->k;
    if (spec->kind != EG_INHIBITION_ANNEALED || step >= spec->annealing) {
        return spec->k;
    }
    return (size_t)(start - (start - end) * (double)step / (double)spec->annealing);
}

EG_CLONES static void rectify(size_t n, const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] < 0 ? 0 : x[i];
    }
}

EG_CLONES static void subtract(size_t n, eg_real inhibition, const eg_real *restrict response,
                               const eg_real *restrict x, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        eg_real a = x[i] < 0 ? 0 : x[i];
        eg_real above = a - response[i] * inhibition;
        y[i] = above < 0 ? 0 : above;
    }
}

EG_CLONES static void mask(size_t n, eg_real inhibition, const eg_real *restrict x,
                           eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] <= inhibition ? 0 : x[i];
    }
}

static void forward(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                    const eg_real *derived, const eg_real *x, eg_real *y, eg_real *cache)
{
    (void)params, (void)derived, (void)cache;
    const memory *m = memory_of(layer);
    size_t n = layer->outputs;
    size_t k = eg_inhibition_k(&m->spec, context->step);
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *row = x + b * n;
        eg_real *out = y + b * n;
        rectify(n, row, out);
        eg_real inhibition = k < n ? eg_select_largest(n, out, k + 1) : 0;
        if (m->spec.masked) {
            mask(n, inhibition, row, out);
        } else {
            subtract(n, inhibition, m->response, row, out);
        }
    }
}

EG_CLONES static void pass_on(size_t n, const eg_real *restrict x, const eg_real *restrict y,
                              const eg_real *restrict dy, eg_real *restrict dx)
{
    for (size_t i = 0; i < n; i++) {
        dx[i] = y[i] > 0 && x[i] > 0 ? dy[i] : 0;
    }
}

static void backward(const eg_layer *layer, const eg_layer_context *context, const eg_real *params,
                     const eg_real *derived, const eg_real *x, const eg_real *y, const eg_real *dy,
                     eg_real *cache, eg_real *dx, eg_real *grads)
{
    (void)params, (void)derived, (void)cache, (void)grads;
    if (dx != NULL) {
        pass_on(context->batch * layer->outputs, x, y, dy, dx);
    }
}

static void after_update(const eg_layer *layer, const eg_layer_context *context, eg_real *params,
                         eg_real *derived, const eg_real *x, const eg_real *y, eg_real *cache)
{
    (void)params, (void)derived, (void)x, (void)cache;
    memory *m = memory_of(layer);
    if (m->spec.kind != EG_INHIBITION_GABA) {
        return;
    }
    for (size_t b = 0; b < context->batch; b++) {
        const eg_real *row = y + b * layer->outputs;
        for (size_t i = 0; i < layer->outputs; i++) {
            m->count[i] += row[i] > 0 ? 1 : 0;
        }
    }
    respond(layer);
}

static void write(const eg_layer *layer, eg_writer *writer)
{
    const memory *m = memory_of(layer);
    eg_write_u64(writer, layer->outputs);
    for (size_t i = 0; i < layer->outputs; i++) {
        eg_write_u64(writer, m->count[i]);
    }
}

static eg_status read(eg_layer *layer, eg_reader *reader)
{
    uint64_t units = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (units != layer->outputs) {
        return eg_fail(EG_INVALID, "saved counts of %llu hidden units, expected %zu",
                       (unsigned long long)units, layer->outputs);
    }
    for (size_t i = 0; i < layer->outputs; i++) {
        memory_of(layer)->count[i] = eg_read_u64(reader);
    }
    respond(layer);
    return eg_reader_status(reader, false);
}

static double flops(const eg_layer *layer)
{
    return eg_activation_flops(layer->outputs);
}

static void free_state(eg_layer *layer)
{
    memory *m = memory_of(layer);
    eg_free(m->count);
    eg_free(m->response);
    eg_free(m);
}

static const eg_layer_ops ops = {
    .name = "inhibition",
    .init = init,
    .forward = forward,
    .backward = backward,
    .after_update = after_update,
    .write = write,
    .read = read,
    .flops = flops,
    .free = free_state,
};

eg_status eg_layer_inhibition(eg_layer *out, size_t units, const eg_inhibition *spec)
{
    assert(!(spec->masked && spec->kind == EG_INHIBITION_GABA) && spec->switch_count > 0);
    memory *m = NULL;
    EG_TRY(eg_alloc(&m, 1, sizeof *m));
    *out = (eg_layer){.ops = &ops, .inputs = units, .outputs = units, .hidden = true, .state = m};
    m->spec = *spec;
    EG_TRY(eg_alloc(&m->count, units, sizeof *m->count));
    return eg_alloc(&m->response, units, sizeof *m->response);
}
