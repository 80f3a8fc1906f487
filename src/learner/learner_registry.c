/** All learners. To add one: write learner_<name>.c ending with
 *      const eg_learner_kind eg_learner_<name> = {…};
 *  and add its line here. */
#include "engram/learner.h"

/* Sorted by name. */
#define LEARNERS(ENTRY)                                                                            \
    ENTRY(apd)                                                                                     \
    ENTRY(continual_backprop)                                                                      \
    ENTRY(early_stopping)                                                                          \
    ENTRY(ensemble)                                                                                \
    ENTRY(ewc)                                                                                     \
    ENTRY(firefly)                                                                                 \
    ENTRY(flymodel)                                                                                \
    ENTRY(growing_ensemble)                                                                        \
    ENTRY(growing_experts)                                                                         \
    ENTRY(growing_mixture)                                                                         \
    ENTRY(hare_tortoise)                                                                           \
    ENTRY(hat)                                                                                     \
    ENTRY(head_reset)                                                                              \
    ENTRY(l2)                                                                                      \
    ENTRY(l2_init)                                                                                 \
    ENTRY(l2t)                                                                                     \
    ENTRY(mas)                                                                                     \
    ENTRY(online_ewc)                                                                              \
    ENTRY(packnet)                                                                                 \
    ENTRY(plain)                                                                                   \
    ENTRY(progressive)                                                                             \
    ENTRY(redo)                                                                                    \
    ENTRY(replay)                                                                                  \
    ENTRY(reset)                                                                                   \
    ENTRY(retrained)                                                                               \
    ENTRY(shrink_perturb)                                                                          \
    ENTRY(si)                                                                                      \
    ENTRY(snr)                                                                                     \
    ENTRY(stl)                                                                                     \
    ENTRY(weight_clipping)                                                                         \
    ENTRY(wsn)

#define MEMBER_TYPE eg_learner_kind
#define MEMBER(name) eg_learner_##name
EG_REGISTRY(LEARNERS);

const eg_family eg_learner_family = {
    .name = "learner",
    .doc = "the method that turns minibatches into a predictor",
    .members = members,
    .member_count = EG_COUNT(members),
};
