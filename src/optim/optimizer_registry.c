/** All optimizers. To add one: write optimizer_<name>.c ending with
 *      const eg_optimizer_kind eg_optimizer_<name> = {…};
 *  and add its line here. */
#include "engram/optimizer.h"

#include <math.h>

/* Sorted by name. */
#define OPTIMIZERS(ENTRY)                                                                          \
    ENTRY(adadelta)                                                                                \
    ENTRY(adagrad)                                                                                 \
    ENTRY(adam)                                                                                    \
    ENTRY(rmsprop)                                                                                 \
    ENTRY(sgd)                                                                                     \
    ENTRY(sgdm)                                                                                    \
    ENTRY(upgd)

#define MEMBER_TYPE eg_optimizer_kind
#define MEMBER(name) eg_optimizer_##name
EG_REGISTRY(OPTIMIZERS);

static const char *const decay_names[] = {"coupled", "decoupled", NULL};
static const char *const decays_names[] = {"all", "trunk", NULL};
static const char *const restart_names[] = {"never", "phase", NULL};

static const eg_param common[] = {
    {.name = "lr",
     .type = EG_TYPE_REAL,
     .default_text = "1e-3",
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .doc = "learning rate; what the schedule starts from"},
    {.name = "clip",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "bound on each element of the update, learning rate included; 0: none"},
    {.name = "clip_norm",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "bound on the Euclidean norm of the whole gradient, which is scaled by "
            "min(1, clip_norm/(norm + 1e-6)) before the update; 0: none",
     .added_later = true},
    {.name = "weight_decay",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "lambda of the decay of parameters; 0: none",
     .added_later = true},
    {.name = "decay",
     .type = EG_TYPE_NAME,
     .default_text = "coupled",
     .names = decay_names,
     .doc = "lambda w is added to the gradient, after its norm is bounded (coupled), or "
            "w <- (1 - lr lambda) w comes before the update (decoupled)",
     .added_later = true},
    {.name = "decay_spares",
     .type = EG_TYPE_NAMES,
     .default_text = "[]",
     .names = eg_role_names,
     .doc = "parameters that do not decay, by what they are for",
     .added_later = true},
    {.name = "decays",
     .type = EG_TYPE_NAME,
     .default_text = "all",
     .names = decays_names,
     .doc = "where weight_decay works: everywhere, or in all layers but the one that makes the "
            "outputs (trunk); decay_spares holds as well",
     .added_later = true},
    {.name = "restart",
     .type = EG_TYPE_NAME,
     .default_text = "never",
     .names = restart_names,
     .doc = "when the optimizer forgets all it remembers, counts of updates included",
     .added_later = true},
    {.name = "schedule",
     .type = EG_TYPE_COMPONENT,
     .default_text = "constant",
     .family = "schedule",
     .doc = "learning rate over the updates"},
};

const eg_family eg_optimizer_family = {
    .name = "optimizer",
    .doc = "rule that turns gradients into updates of the weights",
    .common = common,
    .common_count = EG_COUNT(common),
    .members = members,
    .member_count = EG_COUNT(members),
};
