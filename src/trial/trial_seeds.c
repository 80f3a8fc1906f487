/** The seeds by purpose that a trial's seed stands for; see engram/trial.h. */
#include "trial/trial_seeds.h"
#include "engram/trial.h"

#include <math.h>

const char *const eg_seeding_names[] = {"one", "order_init", NULL};

/** Numbers of the diagonals before diagonal `d`. */
static uint64_t before(uint64_t d)
{
    return d % 2 == 0 ? d / 2 * (d + 1) : (d + 1) / 2 * d;
}

uint64_t eg_trial_seed_of(const eg_trial_seeds *seeds)
{
    return before(seeds->order + seeds->init) + seeds->init;
}

static eg_trial_seeds unpair(uint64_t seed)
{
    /* The square root may be off by one: then the diagonal next to it is the right one. */
    uint64_t d = (uint64_t)((sqrt(8 * (double)seed + 1) - 1) / 2);
    while (before(d) > seed) {
        d--;
    }
    while (before(d + 1) <= seed) {
        d++;
    }
    uint64_t init = seed - before(d);
    return (eg_trial_seeds){.order = d - init, .init = init};
}

eg_trial_seeds eg_trial_seeds_of(const eg_settings *settings, uint64_t seed)
{
    eg_view root = eg_settings_root(settings);
    bool paired = eg_view_name(&root, "seeding") == EG_SEEDING_ORDER_INIT;
    return paired ? unpair(seed) : (eg_trial_seeds){.order = seed, .init = seed};
}
