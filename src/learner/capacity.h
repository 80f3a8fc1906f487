/** Numbers that predictions are made of, counted for capacity (eg_learner_capacity). The trunk of a
 *  network is all its parameters but those of the head; the head of a task is the part of the
 *  output layer that belongs to its active outputs, all of it where every output is active. */
#ifndef ENGRAM_LEARNER_CAPACITY_H
#define ENGRAM_LEARNER_CAPACITY_H

#include "engram/net.h"
#include "engram/stream.h"

/** Parameters of the trunk, without padding: of one role, or of all with EG_ROLE_COUNT. */
size_t eg_trunk_size(const eg_net *net, eg_role role);
/** Parameters of the head that belong to outputs which are active in one of phases
 *  0 … learned-1; an output that several phases have counts once. */
size_t eg_heads_size(const eg_net *net, const eg_stream *stream, size_t learned);

#endif
