/** All models, and the way to the one that settings name. To add one: write model_<name>.c ending
 * with const eg_model_kind eg_model_<name> = {…}; and add its line here. */
#include "engram/model.h"

/* Sorted by name. */
#define MODELS(ENTRY)                                                                              \
    ENTRY(linear)                                                                                  \
    ENTRY(mlp)                                                                                     \
    ENTRY(sdmlp)

#define MEMBER_TYPE eg_model_kind
#define MEMBER(name) eg_model_##name
EG_REGISTRY(MODELS);

const eg_family eg_model_family = {
    .name = "model",
    .doc = "network from the input to the output scores",
    .members = members,
    .member_count = EG_COUNT(members),
};

eg_status eg_model_build(eg_net **out, const eg_view *root, eg_shape input, size_t outputs,
                         size_t batch, uint64_t seed)
{
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(root, "model");
    eg_view view = eg_view_inside(root, "model");
    return kind->build(out, &view, input, outputs, batch, seed);
}
