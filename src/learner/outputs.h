/** What phases do to the outputs of a network, as part of the problem (eg_outputs). */
#ifndef LEARNER_OUTPUTS_H
#define LEARNER_OUTPUTS_H

#include "engram/net.h"
#include "engram/optimizer.h"
#include "engram/stream.h"

/** Phase number `phase` begins. Outputs that arrive get initial values keyed (seed of the network,
 *  EG_PURPOSE_OUTPUT, phase*outputs + output), the same for every learner. The head is the last
 *  layer with parameters (eg_node_is_head); where there are several, of several members, each has
 *  the member's seed. */
void eg_outputs_begin_phase(eg_net *net, eg_optimizer *optimizer, const eg_phase *about,
                            size_t phase);

#endif
