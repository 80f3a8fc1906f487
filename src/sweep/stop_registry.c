/** All stopping rules. To add one: write stop_<name>.c ending with
 *      const eg_stop_kind eg_stop_<name> = {…};
 *  and add its line here. */
#include "sweep/stop_rules.h"

/* Sorted by name. */
#define STOPPING_RULES(ENTRY)                                                                      \
    ENTRY(asha)                                                                                    \
    ENTRY(early_cut)                                                                               \
    ENTRY(halving_seeds)                                                                           \
    ENTRY(median)                                                                                  \
    ENTRY(patience)

#define MEMBER_TYPE eg_stop_kind
#define MEMBER(name) eg_stop_##name
EG_REGISTRY(STOPPING_RULES);

const eg_family eg_stop_family = {
    .name = "stop",
    .doc = "rules that cut weak points: their remaining seeds, or trials on their way",
    .members = members,
    .member_count = EG_COUNT(members),
};
