/** All measures. To add one: write measure_<name>.c ending with
 *      const eg_measure_kind eg_measure_<name> = {…};
 *  and add its line here. */
#include "engram/measure.h"

/* Sorted by name. */
#define MEASURES(ENTRY)                                                                            \
    ENTRY(accuracy)                                                                                \
    ENTRY(activity)                                                                                \
    ENTRY(anytime)                                                                                 \
    ENTRY(capacity)                                                                                \
    ENTRY(class_accuracy)                                                                          \
    ENTRY(cost)                                                                                    \
    ENTRY(default)                                                                                 \
    ENTRY(experts)                                                                                 \
    ENTRY(final_accuracy)                                                                          \
    ENTRY(forgetting)                                                                              \
    ENTRY(forward_transfer)                                                                        \
    ENTRY(late_online)                                                                             \
    ENTRY(learning)                                                                                \
    ENTRY(matrix)                                                                                  \
    ENTRY(min_accuracy)                                                                            \
    ENTRY(nll)                                                                                     \
    ENTRY(objective)                                                                               \
    ENTRY(online)                                                                                  \
    ENTRY(peak)                                                                                    \
    ENTRY(perplexity)                                                                              \
    ENTRY(phase_accuracy)                                                                          \
    ENTRY(progress)                                                                                \
    ENTRY(rank)                                                                                    \
    ENTRY(replacements)                                                                            \
    ENTRY(resources)                                                                               \
    ENTRY(scratch_iterations)                                                                      \
    ENTRY(seeds)                                                                                   \
    ENTRY(stages)                                                                                  \
    ENTRY(task_accuracy)                                                                           \
    ENTRY(task_identity)                                                                           \
    ENTRY(transfer)                                                                                \
    ENTRY(units)                                                                                   \
    ENTRY(validation)                                                                              \
    ENTRY(weights)

#define MEMBER_TYPE eg_measure_kind
#define MEMBER(name) eg_measure_##name
EG_REGISTRY(MEASURES);

const eg_family eg_measure_family = {
    .name = "measure",
    .doc = "what is recorded of a trial",
    .members = members,
    .member_count = EG_COUNT(members),
};
