/** The root of all settings of a trial. */
#include "engram/activation.h"
#include "engram/dataset.h"
#include "engram/learner.h"
#include "engram/loss.h"
#include "engram/measure.h"
#include "engram/model.h"
#include "engram/optimizer.h"
#include "engram/stream.h"
#include "engram/trial.h"
#include "trial/evaluation.h"
#include "trial/protocol.h"
#include "trial/trial_seeds.h"

#define COMPONENT(family_name, default_member, words)                                              \
    {                                                                                              \
        .name = family_name, .type = EG_TYPE_COMPONENT, .default_text = default_member,            \
        .family = family_name, .doc = words                                                        \
    }

static const char *const baseline_names[] = {"none", "finetune", "joint", "iid", NULL};

static const eg_param root[] = {
    COMPONENT("dataset", "mnist", "what is learned"),
    COMPONENT("stream", "split", "in which order it arrives"),
    COMPONENT("model", "mlp", "the network"),
    COMPONENT("loss", "cross_entropy", "what is minimised"),
    COMPONENT("optimizer", "adagrad", "how weights are updated"),
    COMPONENT("learner", "plain", "the continual-learning method"),
    COMPONENT("protocol", "validation", "which data select the best point"),
    {.name = "measures",
     .type = EG_TYPE_COMPONENTS,
     .default_text = "[default]",
     .family = "measure",
     .doc = "what is recorded; default stands for what suits the stream, so [default, online] adds "
            "one",
     .keeps_results = true},
    {.name = "baseline",
     .type = EG_TYPE_NAME,
     .default_text = "none",
     .names = baseline_names,
     .doc = "which baseline of a sweep the point is, where its key `baselines` added it: a label, "
            "that changes nothing",
     .keeps_results = true},
    {.name = "seeding",
     .type = EG_TYPE_NAME,
     .default_text = "one",
     .names = eg_seeding_names,
     .doc =
         "what a trial's seed is: one for everything, or the number of a pair (Cantor's pairing) "
         "of seeds, for what the stream draws (the order of tasks, classes and examples) and for "
         "what the learner draws (initial weights, dropout, noise); a sweep's seeds: {order: …, "
         "init: …} sets it",
     .added_later = true},
    {.name = "max_seconds",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .unit = "s",
     .doc = "no minibatch begins after so many seconds of training, wall time of all attempts "
            "without what was lost: the trial ends with status timeout; 0: no limit",
     .keeps_results = true},
    {.name = "eval.every",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .unit = "minibatches",
     .doc = "evaluate every so many minibatches; 0: at the end of each phase only"},
    {.name = "eval.epochs",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e6,
     .unit = "epochs",
     .doc = "evaluate after every so many epochs of a phase, and once more at its end, when the "
            "learner has ended it (which may bring better parameters back); 0: do not",
     .added_later = true},
    {.name = "eval.tasks",
     .type = EG_TYPE_NAME,
     .default_text = "all",
     .names = eg_eval_tasks_names,
     .doc = "tasks an evaluation covers; the first one, of eval.untrained, and the last one of a "
            "trial always cover all, unless it is current_only: then what needs the others is NaN, "
            "such as final_accuracy"},
    {.name = "eval.untrained",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "also evaluate before anything is learned, which forward transfer needs",
     .added_later = true},
    {.name = "eval.block",
     .type = EG_TYPE_INT,
     .default_text = "500",
     .min = 1,
     .max = 100000,
     .unit = "examples",
     .doc = "examples evaluated together",
     .keeps_results = true},
};

static const eg_family *const families[] = {
    &eg_activation_family, &eg_dataset_family, &eg_learner_family,   &eg_loss_family,
    &eg_measure_family,    &eg_model_family,   &eg_optimizer_family, &eg_protocol_family,
    &eg_schedule_family,   &eg_stream_family,
};

const eg_schema *eg_trial_schema(void)
{
    static const eg_schema schema = {
        .root = root,
        .root_count = EG_COUNT(root),
        .families = families,
        .family_count = EG_COUNT(families),
    };
    return &schema;
}
