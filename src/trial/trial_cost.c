/** What a trial will cost and whether its settings can work together, from the settings alone. */
#include "engram/learner.h"
#include "engram/model.h"
#include "engram/stream.h"
#include "engram/trial.h"
#include "trial/evaluation.h"
#include "trial/protocol.h"

#include <math.h>

/** What the settings say of a trial before any data are opened. */
typedef struct outline {
    eg_view root, stream, model;
    const eg_stream_kind *stream_kind;
    const eg_model_kind *model_kind;
    size_t train; /* examples of the dataset */
    eg_stream_sizes sizes;
} outline;

static outline outline_of(const eg_settings *settings)
{
    outline out = {.root = eg_settings_root(settings)};
    out.stream = eg_view_inside(&out.root, "stream");
    out.model = eg_view_inside(&out.root, "model");
    eg_view data = eg_view_inside(&out.root, "dataset");
    const eg_dataset_kind *dataset =
        (const eg_dataset_kind *)(const void *)eg_view_component(&out.root, "dataset");
    out.stream_kind = (const eg_stream_kind *)(const void *)eg_view_component(&out.root, "stream");
    out.model_kind = (const eg_model_kind *)(const void *)eg_view_component(&out.root, "model");
    eg_stream_sizes *sizes = &out.sizes;
    dataset->sizes(&data, &sizes->train, &sizes->test, &sizes->features, &sizes->outputs);
    out.train = sizes->train;
    out.stream_kind->sizes(&out.stream, sizes);
    return out;
}

eg_status eg_trial_cost(double *out, const eg_settings *settings)
{
    outline o = outline_of(settings);
    eg_selection selection = eg_protocol_selection(&o.root);
    double train = (double)o.sizes.train;
    double phases = (double)o.sizes.phases;
    double kept = 1.0 - selection.holdout;
    double steps = train * kept / (double)eg_view_size(&o.stream, "batch");
    size_t every = eg_view_size(&o.root, "eval.every");
    double evaluations = phases + (every > 0 ? steps / (double)every : 0.0);
    evaluations += eg_view_bool(&o.root, "eval.untrained") ? 1.0 : 0.0;
    double evaluated = (double)o.sizes.test + selection.holdout * (double)o.train;
    if (eg_view_name(&o.root, "eval.tasks") != EG_EVAL_ALL) {
        evaluated *= fmin(1.0, 2.0 / phases); /* about two tasks instead of all */
    }
    double forward = o.model_kind->flops(&o.model, o.sizes.features, o.sizes.outputs);
    *out = forward * (3.0 * kept * train + evaluations * evaluated);
    return eg_ok();
}

eg_status eg_trial_check(const eg_settings *settings)
{
    outline o = outline_of(settings);
    const eg_learner_kind *learner =
        (const eg_learner_kind *)(const void *)eg_view_component(&o.root, "learner");
    if (learner->check != NULL) {
        eg_view view = eg_view_inside(&o.root, "learner");
        EG_TRY(learner->check(&view));
    }
    EG_TRY(o.stream_kind->check(&o.stream, o.sizes.outputs));
    eg_selection selection = eg_protocol_selection(&o.root);
    EG_TRY(eg_selection_check(&selection, o.sizes.tasks));
    return o.model_kind->check(&o.model, o.sizes.features, o.sizes.outputs);
}
