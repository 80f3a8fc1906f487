/** All models, and the way to the one that settings name. To add one: write model_<name>.c ending
 * with const eg_model_kind eg_model_<name> = {…}; and add its line here. */
#include "engram/model.h"

/* Sorted by name. */
#define MODELS(ENTRY)                                                                              \
    ENTRY(cin_net)                                                                                 \
    ENTRY(convnet)                                                                                 \
    ENTRY(lenet)                                                                                   \
    ENTRY(linear)                                                                                  \
    ENTRY(mlp)                                                                                     \
    ENTRY(resnet18)                                                                                \
    ENTRY(sdmlp)                                                                                   \
    ENTRY(switch_transformer)                                                                      \
    ENTRY(umix)                                                                                    \
    ENTRY(vgg)

#define MEMBER_TYPE eg_model_kind
#define MEMBER(name) eg_model_##name
EG_REGISTRY(MODELS);

const eg_family eg_model_family = {
    .name = "model",
    .doc = "network from the input to the output scores",
    .members = members,
    .member_count = EG_COUNT(members),
};

eg_status eg_model_graph(eg_graph **out, const eg_model_kind *kind, const eg_view *view,
                         eg_shape input, size_t outputs, size_t batch)
{
    *out = NULL;
    EG_TRY(kind->check != NULL ? kind->check(view, input, outputs) : eg_ok());
    return kind->graph(out, view, input, outputs, batch);
}

eg_status eg_model_build(eg_net **out, const eg_view *root, eg_shape input, size_t outputs,
                         size_t batch, uint64_t seed)
{
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(root, "model");
    eg_view view = eg_view_inside(root, "model");
    eg_graph *graph = NULL;
    *out = NULL;
    EG_TRY(eg_model_graph(&graph, kind, &view, input, outputs, batch));
    return eg_net_build(out, graph, seed);
}

/* How many examples a minibatch has neither makes a difference to what fits, nor to operations. */
static eg_status graph_flops(double *out, const eg_model_kind *kind, const eg_view *view,
                             eg_shape input, size_t outputs)
{
    eg_graph *graph = NULL;
    EG_TRY(eg_model_graph(&graph, kind, view, input, outputs, 1));
    *out = eg_graph_flops(graph);
    eg_graph_free(graph);
    return eg_ok();
}

eg_status eg_model_check(const eg_model_kind *kind, const eg_view *view, eg_shape input,
                         size_t outputs)
{
    double flops = 0;
    return kind->check != NULL ? kind->check(view, input, outputs)
                               : graph_flops(&flops, kind, view, input, outputs);
}

eg_status eg_model_check_positions(const eg_view *root, size_t made, size_t positions,
                                   size_t outputs)
{
    return made == positions * outputs
               ? eg_ok()
               : eg_fail_setting("", "model stream",
                                 "model = %s makes %zu outputs of an example, and those of stream "
                                 "= %s have %zu positions with %zu outputs each",
                                 eg_view_component(root, "model")->name, made,
                                 eg_view_component(root, "stream")->name, positions, outputs);
}

eg_status eg_model_flops(double *out, const eg_model_kind *kind, const eg_view *view,
                         eg_shape input, size_t outputs)
{
    if (kind->flops == NULL) {
        return graph_flops(out, kind, view, input, outputs);
    }
    *out = kind->flops(view, input, outputs);
    return eg_ok();
}

eg_status eg_model_rest_flops(double *out, const eg_model_kind *kind, const eg_view *view,
                              eg_shape input, size_t outputs)
{
    if (kind->flops != NULL) {
        *out = kind->flops(view, (eg_shape){input.height, input.width, 0}, outputs);
        return eg_ok();
    }
    /* There is no graph without channels, but every one more adds the same. */
    double one = 0;
    double two = 0;
    input.channels = 1;
    EG_TRY(graph_flops(&one, kind, view, input, outputs));
    input.channels = 2;
    EG_TRY(graph_flops(&two, kind, view, input, outputs));
    *out = one - (two - one);
    return eg_ok();
}
