/** All losses. To add one: write loss_<name>.c ending with
 *      const eg_loss eg_loss_<name> = {…};
 *  and add its line here. */
#include "engram/loss.h"

/* Sorted by name. */
#define LOSSES(ENTRY)                                                                              \
    ENTRY(cross_entropy)                                                                           \
    ENTRY(squared_error)

#define MEMBER_TYPE eg_loss
#define MEMBER(name) eg_loss_##name
EG_REGISTRY(LOSSES);

const eg_family eg_loss_family = {
    .name = "loss",
    .doc = "what training minimises, mean over the minibatch",
    .members = members,
    .member_count = EG_COUNT(members),
};
