/** Why tasks cannot share a network whose weights they use in their own ways: what layers have that
 *  such learners cannot do with, as eg_learner_kind.obstacle. */
#ifndef ENGRAM_LEARNER_OBSTACLE_H
#define ENGRAM_LEARNER_OBSTACLE_H

#include "engram/learner.h"

/** Layers that remember or change something while a task learns, so that tasks before it would
 *  predict otherwise. */
const char *eg_obstacle_moving(size_t count, const eg_node *nodes);
/** EG_INVALID about the settings learner and model: `why` learner `name` does not go with this
 *  network. */
eg_status eg_obstacle_refuse(const eg_view *root, const char *name, const char *why) EG_WARN_UNUSED;

#endif
