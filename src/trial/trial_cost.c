/** What a trial will cost and whether its settings can work together, from the settings alone. */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "trial/evaluation.h"
#include "trial/outline.h"
#include "trial/protocol.h"
#include "trial/trial_state.h"

#include <math.h>

/* In the mean over all that is learned, and over all that is predicted. */
static eg_learner_growth mean_growth(const eg_outline *o)
{
    const double phases = (double)o->sizes.phases;
    eg_learner_growth mean = {.train = 0};
    for (size_t phase = 0; phase < o->sizes.phases; phase++) {
        const eg_learner_growth growth = eg_learner_growth_of(&o->root, "learner", phase);
        const double length = o->sizes.phases_repeat ? 2 * ((double)phase + 1) / (phases + 1) : 1;
        mean.train += growth.train * length / phases;
        mean.predict += growth.predict / phases;
    }
    return mean;
}

/* What the learner does besides one forward and backward per example. */
static eg_status extra_of(double *out, const eg_outline *o, double forward, double steps,
                          double kept, double ordinary, double grown)
{
    const eg_learner_kind *learner =
        (const eg_learner_kind *)(const void *)eg_view_component(&o->root, "learner");
    *out = 0;
    if (learner->extra_flops == NULL) {
        return eg_ok();
    }
    double rest = 0;
    EG_TRY(eg_model_rest_flops(&rest, o->model_kind, &o->model, o->sizes.input, o->sizes.outputs));
    eg_view view = eg_view_inside(&o->root, "learner");
    double phases = (double)o->sizes.phases;
    double epochs = (double)eg_view_size(&o->stream, "epochs");
    const eg_learner_work work = {
        .forward = forward,
        .rest = rest,
        .steps = steps,
        .phases = phases,
        .epochs = epochs,
        .phase_examples = kept * (double)o->sizes.train / (epochs * phases),
        .phase_held_out = (1 - kept) * (double)o->sizes.train / (epochs * phases),
        .ordinary = ordinary,
        .grown = grown,
        .outputs = o->sizes.outputs,
    };
    *out = learner->extra_flops(&view, &work);
    return eg_ok();
}

eg_status eg_trial_cost(double *out, const eg_settings *settings)
{
    eg_outline o = eg_outline_of(settings);
    double train = (double)o.sizes.train;
    double phases = (double)o.sizes.phases;
    double kept = o.sizes.validation > 0 ? 1.0 : 1.0 - o.selection.holdout;
    double steps = train * kept / (double)eg_view_size(&o.stream, "batch");
    size_t every = eg_view_size(&o.root, "eval.every");
    double evaluations = phases + (every > 0 ? steps / (double)every : 0.0);
    size_t epochs = eg_view_size(&o.root, "eval.epochs");
    size_t of_a_phase = epochs > 0 ? eg_view_size(&o.stream, "epochs") / epochs : 0;
    evaluations += phases * (double)of_a_phase;
    evaluations += eg_view_bool(&o.root, "eval.untrained") ? 1.0 : 0.0;
    double phase_train = train / (phases * (double)eg_view_size(&o.stream, "epochs"));
    double held_out =
        o.sizes.validation > 0 && o.selection.holdout > 0
            ? (double)o.sizes.validation
            : o.selection.holdout * (o.sizes.phases_hold_out ? phase_train : (double)o.data.train);
    double evaluated = (o.sizes.augments_tests ? 2.0 : 1.0) * (double)o.sizes.test + held_out;
    if (eg_view_name(&o.root, "eval.tasks") != EG_EVAL_ALL) {
        evaluated *= fmin(1.0, 2.0 / phases); /* about two tasks instead of all */
    }
    double forward = 0;
    double extra = 0;
    EG_TRY(eg_model_flops(&forward, o.model_kind, &o.model, o.sizes.input, o.sizes.outputs));
    const eg_learner_growth growth = mean_growth(&o);
    double ordinary =
        forward * (3.0 * kept * train * growth.train + evaluations * evaluated * growth.predict);
    EG_TRY(extra_of(&extra, &o, forward, steps, kept, ordinary, growth.train));
    const eg_measure_scope scope = eg_outline_scope(&o);
    const eg_measure_work measured = {
        .forward = forward, .phases = phases, .examples = kept * train};
    *out = ordinary + extra + eg_measures_flops(&scope, &measured);
    return eg_ok();
}

/* Of the graph, where the learner looks at one, or there are several positions. */
static eg_status check_network(const eg_outline *o)
{
    eg_graph *graph = NULL;
    size_t count = 0;
    const size_t positions = o->sizes.positions;
    if (!eg_learner_looks_at_nodes(&o->root) && positions <= 1) {
        return eg_model_check(o->model_kind, &o->model, o->sizes.input, o->sizes.outputs);
    }
    EG_TRY(eg_model_graph(&graph, o->model_kind, &o->model, o->sizes.input, o->sizes.outputs, 1));
    const eg_node *nodes = eg_graph_nodes(graph, &count);
    eg_status status = eg_learner_check_nodes(&o->root, count, nodes);
    if (positions > 1 && status.code == EG_OK) {
        status = eg_model_check_positions(&o->root, eg_shape_size(nodes[count - 1].layer.out),
                                          positions, o->sizes.outputs);
    }
    eg_graph_free(graph);
    return status;
}

eg_status eg_trial_check(const eg_settings *settings)
{
    eg_outline o = eg_outline_of(settings);
    const eg_learner_kind *learner =
        (const eg_learner_kind *)(const void *)eg_view_component(&o.root, "learner");
    eg_view view = eg_view_inside(&o.root, "learner");
    if (learner->check != NULL) {
        EG_TRY(learner->check(&view));
    }
    if (o.selection.holdout == 0 && learner->needs_held_out != NULL &&
        learner->needs_held_out(&view)) {
        return eg_fail_setting(
            "", "protocol learner",
            "learner = %s looks at held-out training examples, and there are none: use "
            "protocol = validation",
            learner->component.name);
    }
    EG_TRY(eg_learner_check_targets(&o.root, o.sizes.regression));
    EG_TRY(eg_learner_check_outputs(&o.root, o.sizes.changes_outputs));
    EG_TRY(eg_learner_check_positions(&o.root, o.sizes.positions));
    EG_TRY(eg_learner_check_tasks(&o.root, o.sizes.tells_task, o.sizes.phases == o.sizes.tasks));
    EG_TRY(eg_learner_check_boundaries(&o.root, o.sizes.hides_boundaries));
    EG_TRY(eg_stream_check_data(&o.root));
    EG_TRY(o.stream_kind->check(&o.stream, &o.data));
    EG_TRY(eg_selection_check(&o.selection, o.sizes.tasks));
    EG_TRY(eg_trial_check_schedule(&o.root));
    const eg_measure_scope scope = eg_outline_scope(&o);
    const eg_measure_kind **measures = NULL;
    size_t count = 0;
    EG_TRY(eg_measures_list(&measures, &count, &scope));
    eg_free(measures);
    return check_network(&o);
}
