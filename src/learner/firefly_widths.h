/** Widths of a saved vgg that has grown: how many filters its convolutions have. */
#ifndef ENGRAM_LEARNER_FIREFLY_WIDTHS_H
#define ENGRAM_LEARNER_FIREFLY_WIDTHS_H

#include "engram/learner.h"
#include "engram/pack.h"

/** Of a checkpoint, into widths [convolutions]. EG_INVALID if one is below that of `least`, or what
 *  is left cannot hold so many. */
eg_status eg_firefly_read_widths(eg_reader *reader, size_t convolutions, const size_t *least,
                                 size_t *widths) EG_WARN_UNUSED;
/** Of the arrays that a pass has for the network of this model; of those that it does not have as
 *  in `otherwise`. */
void eg_firefly_find_widths(const eg_weights_pass *pass, const eg_view *model, size_t convolutions,
                            const size_t *otherwise, size_t *widths);

#endif
