/** Uniform mixture: several networks of one model, trained together on one loss of what they say
 *  together.
 *
 *      z = 1/N (z_1 + … + z_N)                 combine = mean
 *      z = z_1 + … + z_N                       combine = sum
 *
 *  They see the same minibatches, and the gradient of z_j is that of z, over N with mean. Member j
 *  starts with the weights that member j of an ensemble of the same seed starts with, and draws its
 *  own dropout. One member is the model alone. */
#include "engram/memory.h"
#include "engram/model.h"
#include "nn/layers.h"

typedef enum combine { COMBINE_MEAN, COMBINE_SUM } combine;

static const char *const combine_names[] = {[COMBINE_MEAN] = "mean", [COMBINE_SUM] = "sum", NULL};

extern const eg_model_kind eg_model_umix;

static eg_status add_sum(eg_graph *whole, const eg_view *view, const size_t *ends, size_t outputs)
{
    size_t members = eg_view_size(view, "members");
    bool mean = eg_view_name(view, "combine") == COMBINE_MEAN;
    eg_layer sum;
    EG_TRY(eg_layer_sum(&sum, members, mean ? 1 / (double)members : 1, eg_shape_vector(outputs)));
    return eg_graph_add(whole, combine_names[mean ? COMBINE_MEAN : COMBINE_SUM], &sum, members,
                        ends, NULL);
}

static eg_status add_all(eg_graph *whole, const eg_view *view, eg_shape input, size_t outputs,
                         size_t batch, size_t *ends)
{
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(view, "of");
    eg_view inside = eg_view_inside(view, "of");
    size_t members = eg_view_size(view, "members");
    for (size_t m = 0; m < members; m++) {
        eg_graph *one = NULL;
        EG_TRY(eg_model_graph(&one, kind, &inside, input, outputs, batch));
        EG_TRY(eg_graph_join(whole, one, m, &ends[m]));
    }
    return members > 1 ? add_sum(whole, view, ends, outputs) : eg_ok();
}

static eg_status graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                       size_t batch)
{
    size_t *ends = NULL;
    eg_graph *whole = NULL;
    if (eg_view_component(view, "of") == &eg_model_umix.component) {
        return eg_fail_setting(view->prefix, "of",
                               "%sof = umix: a mixture of mixtures is one with more members",
                               view->prefix);
    }
    EG_TRY(eg_alloc(&ends, eg_view_size(view, "members"), sizeof *ends));
    eg_status status = eg_graph_create(&whole, input);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, add_all(whole, view, input, outputs, batch, ends));
    *out = whole;
    whole = NULL;
done:
    eg_graph_free(whole);
    eg_free(ends);
    return status;
}

static const eg_param params[] = {
    {.name = "of",
     .type = EG_TYPE_COMPONENT,
     .default_text = "mlp",
     .family = "model",
     .doc = "the model of each member"},
    {.name = "members",
     .type = EG_TYPE_INT,
     .default_text = "3",
     .min = 1,
     .max = 1000,
     .doc = "how many; member j starts with the weights of member j of an ensemble, and 1 is the "
            "model alone"},
    {.name = "combine",
     .type = EG_TYPE_NAME,
     .default_text = "mean",
     .names = combine_names,
     .doc = "what the loss is of: the mean of the members' scores, or their sum, which is as many "
            "times as sharp"},
};

const eg_model_kind eg_model_umix = {
    .component = {.name = "umix",
                  .doc = "uniform mixture: networks of one model that share every minibatch, one "
                         "loss of the mean of their scores, and one optimizer",
                  .source = "Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .graph = graph,
};
