/** All learning rate schedules. To add one: write schedule_<name>.c ending with
 *      const eg_schedule eg_schedule_<name> = {…};
 *  and add its line here. */
#include "engram/optimizer.h"

/* Sorted by name. */
#define SCHEDULES(ENTRY)                                                                           \
    ENTRY(constant)                                                                                \
    ENTRY(epochs)                                                                                  \
    ENTRY(exponential)                                                                             \
    ENTRY(linear_warmup)                                                                           \
    ENTRY(milestones)

#define MEMBER_TYPE eg_schedule
#define MEMBER(name) eg_schedule_##name
EG_REGISTRY(SCHEDULES);

const eg_family eg_schedule_family = {
    .name = "schedule",
    .doc = "learning rate as a function of the updates and epochs made",
    .members = members,
    .member_count = EG_COUNT(members),
};
