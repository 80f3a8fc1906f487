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

#include <assert.h>
#include <string.h>

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

static const eg_family *families[] = {
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

/* Components from outside ---------------------------------------------------------------------- */

/* Room for the built-in members of a family and as many others. */
enum { MEMBERS_MAX = 128 };

/* A family that members can be added to: takes the place of its own in `families` with the first of
 * them. */
typedef struct open_family {
    const eg_family *built_in;
    eg_family extended;
    const eg_component *members[MEMBERS_MAX];
    uint64_t origins[MEMBERS_MAX]; /* of members; 0: built in */
} open_family;

static open_family open_families[] = {
    {.built_in = &eg_activation_family},
    {.built_in = &eg_optimizer_family},
    {.built_in = &eg_schedule_family},
};

static open_family *find_open(const char *name)
{
    for (size_t i = 0; i < EG_COUNT(open_families); i++) {
        if (strcmp(open_families[i].built_in->name, name) == 0) {
            return &open_families[i];
        }
    }
    return NULL;
}

static void begin_extending(open_family *open)
{
    open->extended = *open->built_in;
    open->extended.members = open->members;
    for (size_t i = 0; i < open->built_in->member_count; i++) {
        open->members[i] = open->built_in->members[i];
    }
    for (size_t i = 0; i < EG_COUNT(families); i++) {
        if (families[i] == open->built_in) {
            families[i] = &open->extended;
        }
    }
}

eg_status eg_trial_add_component(const char *family, const eg_component *component, uint64_t origin)
{
    open_family *open = find_open(family);
    assert(open != NULL && origin != 0);
    if (open->extended.members == NULL) {
        begin_extending(open);
    }
    size_t count = open->extended.member_count;
    if (eg_family_find(&open->extended, component->name) != NULL) {
        return eg_fail(EG_INVALID, "%s %s exists already", family, component->name);
    }
    if (count == MEMBERS_MAX) {
        return eg_fail(EG_INVALID, "%s %s: there are %d of them already", family, component->name,
                       MEMBERS_MAX);
    }
    size_t at = count;
    for (; at > 0 && strcmp(open->members[at - 1]->name, component->name) > 0; at--) {
        open->members[at] = open->members[at - 1];
        open->origins[at] = open->origins[at - 1];
    }
    open->members[at] = component;
    open->origins[at] = origin;
    open->extended.member_count = count + 1;
    return eg_ok();
}

uint64_t eg_trial_origin(const eg_component *component)
{
    for (size_t f = 0; f < EG_COUNT(open_families); f++) {
        const open_family *open = &open_families[f];
        for (size_t i = 0; i < open->extended.member_count; i++) {
            if (open->members[i] == component) {
                return open->origins[i];
            }
        }
    }
    return 0;
}
