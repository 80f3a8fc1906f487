/** All activations. To add one: write activation_<name>.c ending with
 *      const eg_activation eg_activation_<name> = {…};
 *  and add its line here. */
#include "engram/activation.h"

/* Sorted by name. */
#define ACTIVATIONS(ENTRY)                                                                         \
    ENTRY(ash)                                                                                     \
    ENTRY(crelu)                                                                                   \
    ENTRY(elephant)                                                                                \
    ENTRY(elu)                                                                                     \
    ENTRY(gelu)                                                                                    \
    ENTRY(gumbel)                                                                                  \
    ENTRY(hard_ash)                                                                                \
    ENTRY(hard_sigmoid)                                                                            \
    ENTRY(identity)                                                                                \
    ENTRY(leaky_relu)                                                                              \
    ENTRY(lwta)                                                                                    \
    ENTRY(relu)                                                                                    \
    ENTRY(sigmoid)                                                                                 \
    ENTRY(swish)                                                                                   \
    ENTRY(tanh)                                                                                    \
    ENTRY(topk_mask)                                                                               \
    ENTRY(topk_subtract)

#define MEMBER_TYPE eg_activation
#define MEMBER(name) eg_activation_##name
EG_REGISTRY(ACTIVATIONS);

const eg_family eg_activation_family = {
    .name = "activation",
    .doc = "function of one example's pre-activations in a hidden layer",
    .members = members,
    .member_count = EG_COUNT(members),
};
