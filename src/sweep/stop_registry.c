/** The family of stopping rules. A new one is a file and a row here. */
#include "sweep/stop_rules.h"

static const eg_component *const members[] = {
    &eg_stop_asha.component,
    &eg_stop_early_cut.component,
    &eg_stop_halving_seeds.component,
};

const eg_family eg_stop_family = {
    .name = "stop",
    .doc = "rules that cut weak points: their remaining seeds, or trials on their way",
    .members = members,
    .member_count = EG_COUNT(members),
};
