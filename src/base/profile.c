/** The clock of a profile; see engram/profile.h. */
#include "engram/profile.h"

#include "engram/clock.h"

#include <stddef.h>

const char *const eg_profile_names[EG_PROFILE_COUNT] = {
    [EG_PROFILE_DATA] = "data",
    [EG_PROFILE_FORWARD] = "forward",
    [EG_PROFILE_ACTIVATION] = "activation",
    [EG_PROFILE_BACKWARD] = "backward",
    [EG_PROFILE_UPDATE] = "update",
    [EG_PROFILE_IMPORTANCE] = "importance",
    [EG_PROFILE_EVALUATION] = "evaluation",
    [EG_PROFILE_OTHER] = "other",
};

void eg_profile_start(eg_profile *profile)
{
    *profile = (eg_profile){.current = EG_PROFILE_OTHER, .since = eg_clock()};
}

eg_profile_part eg_profile_enter(eg_profile *profile, eg_profile_part part)
{
    if (profile == NULL) {
        return part;
    }
    double time = eg_clock();
    eg_profile_part left = profile->current;
    profile->seconds[left] += time - profile->since;
    profile->current = part;
    profile->since = time;
    return left;
}
