/** All losses. To add one: write loss_<name>.c ending with
 *      const eg_loss eg_loss_<name> = {…};
 *  and add its line here. */
#include "engram/loss.h"

/* Sorted by name. */
#define LOSSES(ENTRY)                                                                              \
    ENTRY(cross_entropy)                                                                           \
    ENTRY(squared_error)

#define DECLARATION(name) extern const eg_loss eg_loss_##name;
#define ROW(name) &eg_loss_##name.component,

LOSSES(DECLARATION)
static const eg_component *const members[] = {LOSSES(ROW)};

const eg_family eg_loss_family = {
    .name = "loss",
    .doc = "what training minimises, mean over the minibatch",
    .members = members,
    .member_count = EG_COUNT(members),
};
