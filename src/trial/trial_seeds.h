/** The values of setting `seeding`; what they mean is in engram/trial.h. */
#ifndef ENGRAM_TRIAL_TRIAL_SEEDS_H
#define ENGRAM_TRIAL_TRIAL_SEEDS_H

enum { EG_SEEDING_ONE, EG_SEEDING_ORDER_INIT };
extern const char *const eg_seeding_names[];

#endif
