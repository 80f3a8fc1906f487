/** Where the parameters of additive parameter decomposition stand.
 *
 *  A part is a block of weights of the trunk. Shared weights, adaptive weights and masks of a task
 *  stand in arrays of their own, part after part, inside a part as in the network, with padding.
 *
 *      shared [weights]                          sigma
 *      plane  [weights | units]                  tau and v of a task; v has a number per unit
 *      own    [plain | head]                     biases, scales and shifts of the trunk, and the
 *                                                active outputs of the head, of a task
 *      all    | shared | own | plane | plane …   what an optimizer updates */
#ifndef ENGRAM_LEARNER_APD_LAYOUT_H
#define ENGRAM_LEARNER_APD_LAYOUT_H

#include "engram/batch.h"
#include "engram/net.h"

/** A block of weights of the trunk. */
typedef struct eg_apd_part {
    const eg_parameter_block *block; /**< of the network; borrowed */
    size_t at;                       /**< of its first weight in shared, and in a plane */
    size_t unit;                     /**< of its first unit among those of all parts */
    size_t units;                    /**< with those that pad the last panel */
} eg_apd_part;

/** A block of the trunk that is no weight, or a block of the head. */
typedef struct eg_apd_own {
    const eg_parameter_block *block; /**< borrowed */
    size_t at;                       /**< of its first number in own; unused for heads */
    bool head;
} eg_apd_own;

typedef struct eg_apd_layout {
    eg_apd_part *parts; /**< [part_count] owned */
    size_t part_count;
    eg_apd_own *owns; /**< [own_count] those of the head last; owned */
    size_t own_count;
    size_t weights, units; /**< numbers of all parts, each rounded up to cache lines */
    size_t plane;          /**< weights + units */
    size_t plain;          /**< numbers before the head in own */
    size_t own;            /**< most numbers of own: where every output is active */
    size_t first_own;      /**< where own begins in all */
    size_t first_plane;    /**< where the first plane does */
} eg_apd_layout;

/** Of a network whose table stays. On failure the caller still clears it. */
eg_status eg_apd_layout_init(eg_apd_layout *out, const eg_net *net) EG_WARN_UNUSED;
void eg_apd_layout_clear(eg_apd_layout *layout);

/** Numbers of own that a task with these active outputs has. */
size_t eg_apd_own_size(const eg_apd_layout *layout, const eg_active *active);
/** Between own and parameters or gradients of the network: biases, scales and shifts whole, of the
 *  head the parameters of active outputs, block after block, output after output. NULL: all are
 *  active. */
void eg_apd_own_get(const eg_apd_layout *layout, const eg_active *active, const eg_real *plane,
                    eg_real *own);
void eg_apd_own_set(const eg_apd_layout *layout, const eg_active *active, const eg_real *own,
                    eg_real *plane);

/** A table of all that an optimizer updates, for `planes` planes: *out (eg_free its blocks). */
eg_status eg_apd_table(eg_parameter_table *out, const eg_apd_layout *layout,
                       size_t planes) EG_WARN_UNUSED;

#endif
