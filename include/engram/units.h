/** Hidden units: what they do and which parameters are theirs, whatever the layers are.
 *
 *  A hidden layer is found where a layer marked `hidden` (an activation) stands:
 *
 *      maker ─► (normalisation) ─► activation ─► (pooling) ─► reader
 *                                                └ seen
 *
 *  The maker is the node before it whose weights make its units, the reader the first node after
 *  it that has weights, `seen` what the reader takes. In between are layers that keep units, along
 *  first inputs; normalisation there belongs to the unit. A unit is a channel of the maker: a unit
 *  of a fully connected layer, or a map of a convolution with a number per position. At `seen` it
 *  may have several parts, as after crelu: then there are parts*units channels, and channels i,
 *  units + i, … are unit i.
 *
 *  Between `seen` and the reader an image may be flattened; then channel c is inputs c*positions,
 *  …, c*positions + positions - 1 of the reader. What stands in between behind that is not looked
 *  at. Where several nodes with weights read a hidden layer, the first one added is its reader: in
 *  a residual network the block, if its first convolution is added before that of the skip
 *  connection, which is then neither a reader nor, as it is no first input of the sum, a maker. */
#ifndef ENGRAM_UNITS_H
#define ENGRAM_UNITS_H

#include "engram/net.h"

/** Parameters of one unit: elements first, first+stride, …, `count` of them, of any plane. */
typedef struct eg_plane_run {
    eg_role role;
    size_t first, count, stride;
    size_t fan_in; /**< of the block */
} eg_plane_run;

/** The k-th run (0, 1, …) of what makes unit `unit` of hidden layer `hidden`, or of what uses it.
 * Incoming: its weights in the order of the inputs, its bias, scale and shift. Outgoing: the
 * weights of the reader that multiply it, part by part, and of a flattened part place by place.
 * false: there are no more. */
bool eg_net_unit_run(const eg_net *net, size_t hidden, eg_unit_side side, size_t unit, size_t k,
                     eg_plane_run *run);

/** Fresh values for a run from the initial distribution of its block, in the order of the run, into
 * out [run->count]. The layer may want them projected: eg_net_updated does so after the next
 * update. */
void eg_net_fresh(const eg_net *net, const eg_plane_run *run, eg_rng *rng, eg_real *out);

/** Puts what the layers on the way to a unit count or average of it (buffers) back to where it
 *  began. */
void eg_net_unit_restart(eg_net *net, size_t hidden, size_t unit);

/** Looks at the outputs of hidden layers while a forward makes them, in any mode. */
typedef struct eg_unit_observer {
    /** y [batch, positions, parts*units] of hidden layer `hidden`, valid during the call only. */
    void (*observe)(void *user, size_t hidden, size_t batch, const eg_real *y);
    void *user;
} eg_unit_observer;
/** From now on; `observer` is borrowed, NULL: no more. */
void eg_workspace_observe(eg_workspace *workspace, const eg_unit_observer *observer);

/** Outputs [B, positions, parts*units] of a hidden layer in the last forward of a workspace that
 *  keeps. */
const eg_real *eg_workspace_hidden(const eg_workspace *workspace, const eg_net *net, size_t hidden);

/** B of the last forward; 0: there was none. */
size_t eg_workspace_batch(const eg_workspace *workspace);

/** Values of block `block` of the table in `plane`, row by row, whatever the layout inside:
 * values [units, fan_in]. */
void eg_net_block_get(const eg_net *net, size_t block, const eg_real *plane, eg_real *values);
/** The other way; padding stays as it is. */
void eg_net_block_set(const eg_net *net, size_t block, const eg_real *values, eg_real *plane);

#endif
