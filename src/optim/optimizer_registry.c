/** All optimizers. To add one: write optimizer_<name>.c ending with
 *      const eg_optimizer_kind eg_optimizer_<name> = {…};
 *  and add its line here. */
#include "engram/optimizer.h"

#include <math.h>

/* Sorted by name. */
#define OPTIMIZERS(ENTRY)                                                                          \
    ENTRY(adagrad)                                                                                 \
    ENTRY(adam)                                                                                    \
    ENTRY(rmsprop)                                                                                 \
    ENTRY(sgd)                                                                                     \
    ENTRY(sgdm)

#define DECLARATION(name) extern const eg_optimizer_kind eg_optimizer_##name;
#define ROW(name) &eg_optimizer_##name.component,

OPTIMIZERS(DECLARATION)
static const eg_component *const members[] = {OPTIMIZERS(ROW)};

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
