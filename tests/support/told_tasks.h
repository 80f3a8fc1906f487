/** Settings of stream and network that a learner needs, for tests of every learner. */
#ifndef ENGRAM_TESTS_TOLD_TASKS_H
#define ENGRAM_TESTS_TOLD_TASKS_H

#include "engram/learner.h"

/** Whether the learner of that name predicts for a task that the stream tells it. */
static inline bool needs_told_tasks(const char *learner)
{
    const eg_component *kind = eg_family_find(&eg_learner_family, learner);
    return kind != NULL && ((const eg_learner_kind *)(const void *)kind)->uses_task_ids;
}

/** Lines of settings for an mlp. Some need units that do not depend on others. */
static inline const char *settings_for(const char *learner)
{
    return needs_told_tasks(learner) ? "stream=split\nstream.active=task\n"
                                       "model.weight_norm=[]\nmodel.activation=relu\n"
                                     : "";
}

#endif
