/** All learning rate schedules. To add one: write schedule_<name>.c ending with
 *      const eg_schedule eg_schedule_<name> = {…};
 *  and add its line here. */
#include "engram/optimizer.h"

/* Sorted by name. */
#define SCHEDULES(ENTRY)                                                                           \
    ENTRY(constant)                                                                                \
    ENTRY(epochs)                                                                                  \
    ENTRY(exponential)

#define DECLARATION(name) extern const eg_schedule eg_schedule_##name;
#define ROW(name) &eg_schedule_##name.component,

SCHEDULES(DECLARATION)
static const eg_component *const members[] = {SCHEDULES(ROW)};

const eg_family eg_schedule_family = {
    .name = "schedule",
    .doc = "learning rate as a function of the updates and epochs made",
    .members = members,
    .member_count = EG_COUNT(members),
};
