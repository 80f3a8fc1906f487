/** Inside the sweep room: a block is a base, a product of axes, conditional grids and
 *  exclusions. */
#ifndef SWEEP_BLOCK_H
#define SWEEP_BLOCK_H

#include "engram/stream.h"
#include "sweep/axis.h"
#include "sweep/filter.h"

/** Extra grid entries for the points that match. */
typedef struct eg_when {
    eg_filter filter;
    eg_axes grid;
} eg_when;

typedef struct eg_block {
    const char *label; /**< "" for the top level, else the block's name */
    eg_origin at;
    eg_assignments base;
    eg_axes axes;
    eg_when *whens;
    size_t when_count;
    eg_filter *excludes;
    size_t exclude_count;
} eg_block;

/** Everything of the sweep that makes points. Top-level `base`, `exclude` and `only` hold for all
 *  blocks; the other top-level keys make a block of their own, which is left out when there are
 *  only `blocks`. */
typedef struct eg_blocks {
    eg_assignments base;
    eg_assignments overrides; /**< those with a single value */
    eg_axes override_axes;    /**< those with several */
    eg_filter *excludes;
    size_t exclude_count;
    eg_filter *onlys; /**< if any: points that match none of them are left out */
    size_t only_count;
    eg_block *items;
    size_t count;
} eg_blocks;

eg_status eg_blocks_read(eg_sweep *sweep, eg_blocks *out) EG_WARN_UNUSED;

/** Resolves, checks and counts every point into plan->points. *ids: by point, of its trial with the
 *  first seed; eg_free, also after a failure. `orders`: of eg_trial_ids. */
eg_status eg_blocks_expand(eg_sweep *sweep, eg_blocks *blocks, eg_plan *plan,
                           eg_stream_orders *orders, uint64_t **ids) EG_WARN_UNUSED;

/** Points of the first block one after the other, chosen by somebody else. Everything is
 *  borrowed. */
typedef struct eg_expansion eg_expansion;
/** Release with eg_expansion_free, also after a failure. */
eg_status eg_expansion_create(eg_expansion **out, eg_sweep *sweep, eg_blocks *blocks, eg_plan *plan,
                              eg_stream_orders *orders) EG_WARN_UNUSED;
void eg_expansion_free(eg_expansion *expansion);
/** The point with `items` [count], no more than the axes of the block give, between the base and
 *  the overrides. What they point to must live as long as the expansion. *point: its index into
 *  plan->points. */
eg_status eg_expansion_add(eg_expansion *expansion, const eg_assignment *items, size_t count,
                           size_t *point) EG_WARN_UNUSED;
/** The id of its trial with the first seed. */
uint64_t eg_expansion_id(const eg_expansion *expansion, size_t point);

#endif
