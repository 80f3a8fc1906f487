/** Networks: the layout of the flat arrays and what concerns all layers; see engram/net.h. */
#include "engram/net.h"

#include "engram/memory.h"

#include <assert.h>

/* Slices start on cache lines, so every kernel may assume alignment and no two layers share a line.
 */
static size_t padded(size_t count)
{
    const size_t line = EG_ALIGNMENT / sizeof(eg_real);
    return (count + line - 1) / line * line;
}

static eg_status lay_out(eg_net *net)
{
    EG_TRY(eg_alloc(&net->param_offset, net->layer_count, sizeof *net->param_offset));
    EG_TRY(eg_alloc(&net->derived_offset, net->layer_count, sizeof *net->derived_offset));
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        assert(i == 0 || layer->inputs == net->layers[i - 1].outputs);
        net->param_offset[i] = net->param_count;
        net->derived_offset[i] = net->derived_count;
        net->param_count += padded(layer->param_count);
        net->derived_count += padded(layer->derived_count);
    }
    net->inputs = net->layers[0].inputs;
    net->outputs = net->layers[net->layer_count - 1].outputs;
    EG_TRY(eg_alloc(&net->params, net->param_count, sizeof *net->params));
    EG_TRY(eg_alloc(&net->grads, net->param_count, sizeof *net->grads));
    return eg_alloc(&net->derived, net->derived_count, sizeof *net->derived);
}

void eg_layers_free(eg_layer *layers, size_t count)
{
    for (size_t i = 0; layers != NULL && i < count; i++) {
        /* A half-built chain has zeroed layers at its end. */
        if (layers[i].ops != NULL && layers[i].ops->free != NULL) {
            layers[i].ops->free(&layers[i]);
        }
    }
    eg_free(layers);
}

eg_status eg_net_create(eg_net **out, eg_layer *layers, size_t count, uint64_t seed)
{
    assert(count > 0);
    *out = NULL;
    eg_net *net = NULL;
    eg_status status = eg_alloc(&net, 1, sizeof *net);
    if (!eg_is_ok(&status)) {
        eg_layers_free(layers, count);
        return status;
    }
    net->layers = layers;
    net->layer_count = count;
    status = lay_out(net);
    if (!eg_is_ok(&status)) {
        eg_net_free(net);
        return status;
    }
    eg_net_init(net, seed);
    *out = net;
    return status;
}

void eg_net_free(eg_net *net)
{
    if (net == NULL) {
        return;
    }
    eg_layers_free(net->layers, net->layer_count);
    eg_free(net->param_offset);
    eg_free(net->derived_offset);
    eg_free(net->params);
    eg_free(net->grads);
    eg_free(net->derived);
    eg_free(net);
}

void eg_net_init(eg_net *net, uint64_t seed)
{
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        if (layer->ops->init != NULL) {
            layer->ops->init(layer, net->params + net->param_offset[i], seed, i);
        }
    }
    net->seed = seed;
    net->step = 0;
    eg_net_touch(net);
}

void eg_net_touch(eg_net *net)
{
    net->stale = true;
}

void eg_net_write(const eg_net *net, eg_writer *writer)
{
    eg_write_u64(writer, net->step);
    eg_write_reals(writer, net->param_count, net->params);
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        if (layer->ops->write != NULL) {
            layer->ops->write(layer, writer);
        }
    }
}

eg_status eg_net_read(eg_net *net, eg_reader *reader)
{
    uint64_t step = eg_read_u64(reader);
    EG_TRY(eg_read_reals(reader, net->param_count, net->params, "weights"));
    net->step = step;
    eg_net_touch(net);
    for (size_t i = 0; i < net->layer_count; i++) {
        eg_layer *layer = &net->layers[i];
        if (layer->ops->read != NULL) {
            EG_TRY(layer->ops->read(layer, reader));
        }
    }
    return eg_ok();
}

double eg_net_flops(const eg_net *net)
{
    double flops = 0.0;
    for (size_t i = 0; i < net->layer_count; i++) {
        flops += net->layers[i].ops->flops(&net->layers[i]);
    }
    return flops;
}

bool eg_net_has_per_example(const eg_net *net)
{
    bool all = true;
    for (size_t i = 0; i < net->layer_count; i++) {
        all = all && (net->layers[i].param_count == 0 || net->layers[i].ops->per_example != NULL);
    }
    return all;
}

size_t eg_net_per_example_scratch(const eg_net *net, size_t batch)
{
    size_t most = 0;
    for (size_t i = 0; i < net->layer_count; i++) {
        const eg_layer *layer = &net->layers[i];
        size_t own = layer->ops->per_example_scratch != NULL
                         ? layer->ops->per_example_scratch(layer, batch)
                         : 0;
        most = own > most ? own : most;
    }
    return most;
}

size_t eg_net_hidden_count(const eg_net *net)
{
    size_t count = 0;
    for (size_t i = 0; i < net->layer_count; i++) {
        count += net->layers[i].hidden ? 1 : 0;
    }
    return count;
}
