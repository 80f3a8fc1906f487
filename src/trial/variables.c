/** What every trial records, declared once: names, dimensions, units, formulas. */
#include "trial/variables.h"

#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "trial/protocol.h"

#include <string.h>

const eg_variable eg_core_variables[EG_VAR_COUNT] = {
    [EG_VAR_STEP] = {.name = "step",
                     .dims = {"eval"},
                     .wide = true,
                     .unit = "1",
                     .doc = "minibatches learned when this evaluation was made"},
    [EG_VAR_EXAMPLES_SEEN] = {.name = "examples_seen",
                              .dims = {"eval"},
                              .wide = true,
                              .unit = "1",
                              .doc = "training examples learned when this evaluation was made"},
    [EG_VAR_PHASE] = {.name = "phase",
                      .dims = {"eval"},
                      .wide = true,
                      .unit = "1",
                      .doc = "index of the phase being learned at this evaluation, from 0"},
    [EG_VAR_LOSS] = {.name = "loss",
                     .dims = {"eval"},
                     .unit = "nat",
                     .doc = "mean of the last 100 minibatch training losses"},
    [EG_VAR_ACCURACY] = {.name = "accuracy",
                         .dims = {"eval"},
                         .unit = "1",
                         .doc =
                             "share of all test examples classified correctly, all tasks together"},
    [EG_VAR_TASK_ACCURACY] = {.name = "task_accuracy",
                              .dims = {"eval", "task"},
                              .unit = "1",
                              .doc = "share of a task's test examples classified correctly"},
    [EG_VAR_ACTIVE_FRACTION] = {.name = "active_fraction",
                                .dims = {"eval", "layer"},
                                .unit = "1",
                                .doc = "share of a hidden layer's outputs that are not zero, mean "
                                       "over the evaluated test examples"},
    [EG_VAR_ACCURACY_MATRIX] = {.name = "accuracy_matrix",
                                .dims = {"train_task", "eval_task"},
                                .unit = "1",
                                .doc = "R[i,j]: test accuracy on task j after learning phase i"},
    [EG_VAR_FINAL_ACCURACY] = {.name = "final_accuracy",
                               .unit = "1",
                               .doc = "share of all test examples classified correctly after the "
                                      "last phase; 1/classes if the trial diverged",
                               .data = "test",
                               .chance_if_diverged = true},
    [EG_VAR_AVERAGE_ACCURACY] = {.name = "average_accuracy",
                                 .unit = "1",
                                 .doc = "mean over tasks j of R[T-1,j]; 1/classes if the trial "
                                        "diverged",
                                 .data = "test",
                                 .chance_if_diverged = true},
    [EG_VAR_FORGETTING] = {.name = "forgetting",
                           .unit = "1",
                           .doc = "mean over tasks j < T-1 of max_{i < T-1} R[i,j] - R[T-1,j] "
                                  "(Chaudhry et al. 2018)",
                           .data = "test",
                           .less_is_better = true},
    [EG_VAR_BACKWARD_TRANSFER] = {.name = "backward_transfer",
                                  .unit = "1",
                                  .doc =
                                      "mean over tasks j < T-1 of R[T-1,j] - R[j,j] (Lopez-Paz & "
                                      "Ranzato 2017)",
                                  .data = "test"},
    [EG_VAR_STEPS] = {.name = "steps",
                      .wide = true,
                      .unit = "1",
                      .doc = "minibatches learned",
                      .less_is_better = true},
    [EG_VAR_FLOPS] = {.name = "flops",
                      .wide = true,
                      .unit = "1",
                      .doc = "floating-point operations of dense arithmetic: forward per example "
                             "evaluated, three times that per example learned",
                      .less_is_better = true},
    [EG_VAR_TRAIN_SECONDS] = {.name = "train_seconds",
                              .wide = true,
                              .unit = "s",
                              .doc = "time spent learning",
                              .volatile_ = true,
                              .less_is_better = true},
    [EG_VAR_EVALUATION_SECONDS] = {.name = "evaluation_seconds",
                                   .wide = true,
                                   .unit = "s",
                                   .doc = "time spent evaluating",
                                   .volatile_ = true,
                                   .less_is_better = true},
    [EG_VAR_PEAK_RSS] = {.name = "peak_rss",
                         .wide = true,
                         .unit = "byte",
                         .doc = "largest resident memory of the worker process so far",
                         .volatile_ = true,
                         .less_is_better = true},
    [EG_VAR_OBJECTIVE] = {.name = "objective",
                          .wide = true,
                          .unit = "1",
                          .doc = "what selects the best point, computed from the data the protocol "
                                 "allows"},
    [EG_VAR_VALIDATION_ACCURACY] = {.name = "validation_accuracy",
                                    .dims = {"eval"},
                                    .unit = "1",
                                    .doc = "share of all held-out training examples classified "
                                           "correctly"},
    [EG_VAR_VALIDATION_MATRIX] = {.name = "validation_matrix",
                                  .dims = {"train_task", "eval_task"},
                                  .unit = "1",
                                  .doc =
                                      "accuracy on the held-out examples of task j after learning "
                                      "phase i"},
    [EG_VAR_UNTRAINED_ACCURACY] = {.name = "untrained_accuracy",
                                   .dims = {"task"},
                                   .unit = "1",
                                   .doc =
                                       "b[j]: test accuracy on task j before anything is learned"},
    [EG_VAR_FORWARD_TRANSFER] = {.name = "forward_transfer",
                                 .unit = "1",
                                 .doc = "mean over tasks j > 0 of R[j-1,j] - b[j] (Lopez-Paz & "
                                        "Ranzato 2017)",
                                 .data = "test"},
    [EG_VAR_VALIDATION_UNTRAINED] = {.name = "validation_untrained_accuracy",
                                     .dims = {"task"},
                                     .unit = "1",
                                     .doc = "accuracy on the held-out examples of task j before "
                                            "anything is learned"},
};

static const eg_variable *const *learner_variables(const eg_component *learner)
{
    return ((const eg_learner_kind *)(const void *)learner)->variables;
}

static bool is_recorded(size_t which, bool held_out, bool untrained)
{
    switch (which) {
    case EG_VAR_VALIDATION_ACCURACY:
    case EG_VAR_VALIDATION_MATRIX:
        return held_out;
    case EG_VAR_UNTRAINED_ACCURACY:
    case EG_VAR_FORWARD_TRANSFER:
        return untrained;
    case EG_VAR_VALIDATION_UNTRAINED:
        return held_out && untrained;
    default:
        return true;
    }
}

/** What decides which of the core's variables are recorded. */
typedef struct recorded {
    bool held_out, untrained;
} recorded;

static recorded recorded_by(const eg_view *root)
{
    return (recorded){.held_out = eg_protocol_selection(root).holdout > 0,
                      .untrained = eg_view_bool(root, "eval.untrained")};
}

eg_status eg_trial_variables(const eg_variable ***out, size_t *count, const eg_settings *settings)
{
    eg_view view = eg_settings_root(settings);
    const eg_variable *const *added = learner_variables(eg_view_component(&view, "learner"));
    recorded by = recorded_by(&view);
    size_t core = 0;
    size_t more = 0;
    while (added != NULL && added[more] != NULL) {
        more++;
    }
    const eg_variable **list = NULL;
    EG_TRY(eg_alloc(&list, EG_VAR_COUNT + more + 1, sizeof(const eg_variable *)));
    for (size_t i = 0; i < EG_VAR_COUNT; i++) {
        if (is_recorded(i, by.held_out, by.untrained)) {
            list[core++] = &eg_core_variables[i];
        }
    }
    for (size_t i = 0; i < more; i++) {
        list[core + i] = added[i];
    }
    *out = list;
    *count = core + more;
    return eg_ok();
}

bool eg_trial_records(const eg_settings *settings, const eg_variable *variable)
{
    eg_view view = eg_settings_root(settings);
    if (variable >= eg_core_variables && variable < eg_core_variables + EG_VAR_COUNT) {
        recorded by = recorded_by(&view);
        return is_recorded((size_t)(variable - eg_core_variables), by.held_out, by.untrained);
    }
    const eg_variable *const *added = learner_variables(eg_view_component(&view, "learner"));
    while (added != NULL && *added != NULL && *added != variable) {
        added++;
    }
    return added != NULL && *added != NULL;
}

const eg_variable *eg_trial_variable(const char *name)
{
    for (size_t i = 0; i < EG_VAR_COUNT; i++) {
        if (strcmp(eg_core_variables[i].name, name) == 0) {
            return &eg_core_variables[i];
        }
    }
    for (size_t m = 0; m < eg_learner_family.member_count; m++) {
        const eg_variable *const *added = learner_variables(eg_learner_family.members[m]);
        for (size_t i = 0; added != NULL && added[i] != NULL; i++) {
            if (strcmp(added[i]->name, name) == 0) {
                return added[i];
            }
        }
    }
    return NULL;
}
