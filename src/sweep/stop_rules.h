/** Inside the sweep room: the stopping rules. */
#ifndef SWEEP_STOP_RULES_H
#define SWEEP_STOP_RULES_H

#include "engram/sweep.h"

/** Rules see at most this many leading replicates of a point. */
enum { EG_STOP_REPLICATES_MAX = 256 };

#endif
