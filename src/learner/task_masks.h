/** Which weights of a network each task uses: a bit per parameter and task.
 *
 *  Only weights of the trunk can be left out; the bits of everything else (biases, norms, the head,
 *  padding) are 1 in every mask, so that a masked plane is made in one pass. A task has no mask
 *  until it is learned. */
#ifndef ENGRAM_LEARNER_TASK_MASKS_H
#define ENGRAM_LEARNER_TASK_MASKS_H

#include "engram/learner.h"
#include "engram/pack.h"
#include "engram/weights.h"

typedef struct eg_task_masks {
    size_t tasks, count, words; /**< of a mask: bits, and 64-bit words they are in */
    uint64_t *maskable;         /**< [words] weights of the trunk, without padding */
    uint64_t *bits;             /**< [tasks, words] */
    uint8_t *known;             /**< [tasks] 1: the task has a mask */
} eg_task_masks;

/** None has a mask. On failure the caller still clears it. */
eg_status eg_task_masks_init(eg_task_masks *out, const eg_net *net, size_t tasks) EG_WARN_UNUSED;
void eg_task_masks_clear(eg_task_masks *masks);

static inline bool eg_mask_has(const uint64_t *mask, size_t i)
{
    return (mask[i / 64] >> (i % 64) & 1) != 0;
}

static inline void eg_mask_add(uint64_t *mask, size_t i)
{
    mask[i / 64] |= UINT64_C(1) << (i % 64);
}

/** The mask of a task, whether known or not. */
static inline uint64_t *eg_task_mask(const eg_task_masks *masks, size_t task)
{
    return masks->bits + task * masks->words;
}

/** out [words]: maskable weights in any known mask but that of task `but`. Returns whether another
 *  task has a mask. */
bool eg_task_masks_others(const eg_task_masks *masks, size_t but, uint64_t *out);
/** Makes 1 in fixed [count] the weights that another task than `task` has, and, if any other has a
 *  mask, all of the trunk that cannot be left out. taken [words] is scratch. */
void eg_task_masks_fix(const eg_task_masks *masks, const eg_net *net, size_t task, uint64_t *taken,
                       uint8_t *fixed);
/** Maskable weights in the masks of the first `learned` tasks, each counted once. */
double eg_task_masks_used(const eg_task_masks *masks, size_t learned);
/** What predictions of the first `learned` phases are made of: the weights their masks have, once;
 *  everything that cannot be left out; and the masks, of which 32 weights of a task count as one
 *  number. */
void eg_task_masks_capacity(const eg_task_masks *masks, const eg_net *net, const eg_stream *stream,
                            size_t learned, eg_learner_capacity *out);
/** out [count]: w where the bit is 1, else 0. */
void eg_mask_apply(size_t count, const uint64_t *mask, const eg_real *w, eg_real *out);

/** Makes bits of a block of the trunk's weights 1 in `chosen`: those `keep` of the n weights with
 *  their bit 1 in `among` (NULL: of all) that have the largest score, or largest magnitude of it;
 *  the first ones of equal ones. score [a plane], scratch [the block's count]. */
typedef struct eg_mask_choice {
    const eg_parameter_block *block;
    const uint64_t *among;
    const eg_real *score;
    bool magnitude;
    eg_real *scratch;
} eg_mask_choice;
/** n; fills the scratch. */
size_t eg_mask_candidates(const eg_mask_choice *choice);
void eg_mask_choose(const eg_mask_choice *choice, size_t keep, uint64_t *chosen);

/** Whether a block is one of weights of the trunk. */
bool eg_mask_takes(const eg_parameter_block *block);

void eg_task_masks_write(const eg_task_masks *masks, eg_writer *writer);
eg_status eg_task_masks_read(eg_task_masks *masks, eg_reader *reader) EG_WARN_UNUSED;
/** The masks of tasks that have one, as task003/layer1.weight … [units, fan_in] of 0 and 1. Into
 *  masks: a task without arrays has none. Between steps (eg_weights_pass.again) there are always
 *  arrays of the task `phase` that is under way, all of them 1 while it has no mask. */
eg_status eg_task_masks_weights(eg_task_masks *masks, eg_weights_pass *pass, const eg_net *net,
                                size_t phase) EG_WARN_UNUSED;

#endif
