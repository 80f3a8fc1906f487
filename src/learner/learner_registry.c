/** All learners. Adding one: its file, and its two lines here. */
#include "engram/learner.h"

extern const eg_learner_kind eg_learner_plain;

static const eg_component *const members[] = {
    &eg_learner_plain.component,
};

const eg_family eg_learner_family = {
    .name = "learner",
    .doc = "the method that turns minibatches into a predictor",
    .members = members,
    .member_count = EG_COUNT(members),
};
