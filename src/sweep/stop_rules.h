/** Inside the sweep room: the stopping rules. */
#ifndef SWEEP_STOP_RULES_H
#define SWEEP_STOP_RULES_H

#include "engram/sweep.h"

/** Rules see at most this many leading replicates of a point. */
enum { EG_STOP_REPLICATES_MAX = 256 };

extern const eg_stop_kind eg_stop_asha, eg_stop_early_cut, eg_stop_halving_seeds;

#endif
