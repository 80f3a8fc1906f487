/** Masks of tasks over a network's weights; see learner/task_masks.h. */
#include "learner/task_masks.h"

#include "engram/memory.h"
#include "learner/capacity.h"
#include "nn/shared/select.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool eg_mask_takes(const eg_parameter_block *block)
{
    return block->role == EG_ROLE_WEIGHT && !block->head;
}

static void mark_maskable(const eg_net *net, uint64_t *maskable)
{
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        bool is = eg_mask_takes(block);
        for (size_t i = 0; is && i < block->count; i++) {
            if (eg_parameter_unit(block, i) < block->units) {
                eg_mask_add(maskable, block->offset + i);
            }
        }
    }
}

eg_status eg_task_masks_init(eg_task_masks *out, const eg_net *net, size_t tasks)
{
    out->tasks = tasks;
    out->count = net->param_count;
    out->words = (out->count + 63) / 64;
    EG_TRY(eg_alloc(&out->maskable, out->words, sizeof *out->maskable));
    EG_TRY(eg_alloc(&out->bits, tasks * out->words, sizeof *out->bits));
    EG_TRY(eg_alloc(&out->known, tasks, sizeof *out->known));
    mark_maskable(net, out->maskable);
    return eg_ok();
}

void eg_task_masks_clear(eg_task_masks *masks)
{
    eg_free(masks->maskable);
    eg_free(masks->bits);
    eg_free(masks->known);
    *masks = (eg_task_masks){.tasks = 0};
}

bool eg_task_masks_others(const eg_task_masks *masks, size_t but, uint64_t *out)
{
    bool any = false;
    memset(out, 0, masks->words * sizeof *out);
    for (size_t t = 0; t < masks->tasks; t++) {
        if (t == but || masks->known[t] == 0) {
            continue;
        }
        const uint64_t *mask = eg_task_mask(masks, t);
        any = true;
        for (size_t k = 0; k < masks->words; k++) {
            out[k] |= mask[k] & masks->maskable[k];
        }
    }
    return any;
}

void eg_task_masks_fix(const eg_task_masks *masks, const eg_net *net, size_t task, uint64_t *taken,
                       uint8_t *fixed)
{
    bool later = eg_task_masks_others(masks, task, taken);
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        bool trunk = !block->head;
        for (size_t i = block->offset; trunk && i < block->offset + block->count; i++) {
            if (eg_mask_has(masks->maskable, i) ? eg_mask_has(taken, i) : later) {
                fixed[i] = 1;
            }
        }
    }
}

static unsigned ones(uint64_t word)
{
    unsigned count = 0;
    for (; word != 0; word &= word - 1) {
        count++;
    }
    return count;
}

double eg_task_masks_used(const eg_task_masks *masks, size_t learned)
{
    double used = 0;
    for (size_t k = 0; k < masks->words; k++) {
        uint64_t word = 0;
        for (size_t t = 0; t < learned; t++) {
            word |= masks->known[t] != 0 ? eg_task_mask(masks, t)[k] : 0;
        }
        used += ones(word & masks->maskable[k]);
    }
    return used;
}

void eg_task_masks_capacity(const eg_task_masks *masks, const eg_net *net, const eg_stream *stream,
                            size_t learned, eg_learner_capacity *out)
{
    double weights = (double)eg_trunk_size(net, EG_ROLE_WEIGHT);
    double rest = (double)(eg_trunk_size(net, EG_ROLE_COUNT) + eg_heads_size(net, stream, learned));
    out->base = rest;
    out->stored = rest - weights + eg_task_masks_used(masks, learned);
    out->stored += (double)learned * weights / 32;
}

void eg_mask_apply(size_t count, const uint64_t *mask, const eg_real *w, eg_real *out)
{
    for (size_t first = 0; first < count; first += 64) {
        uint64_t word = mask[first / 64];
        size_t n = count - first < 64 ? count - first : 64;
        for (size_t j = 0; j < n; j++) {
            out[first + j] = (word >> j & 1) != 0 ? w[first + j] : 0;
        }
    }
}

static eg_real score_of(const eg_mask_choice *choice, size_t i)
{
    eg_real score = choice->score[i];
    return choice->magnitude && score < 0 ? -score : score;
}

/* Whether number i of the block is one of those to choose from. */
static bool competes(const eg_mask_choice *choice, size_t i)
{
    return eg_parameter_unit(choice->block, i) < choice->block->units &&
           (choice->among == NULL || eg_mask_has(choice->among, choice->block->offset + i));
}

size_t eg_mask_candidates(const eg_mask_choice *choice)
{
    size_t n = 0;
    for (size_t i = 0; i < choice->block->count; i++) {
        if (competes(choice, i)) {
            choice->scratch[n++] = score_of(choice, choice->block->offset + i);
        }
    }
    return n;
}

void eg_mask_choose(const eg_mask_choice *choice, size_t keep, uint64_t *chosen)
{
    size_t n = eg_mask_candidates(choice);
    if (keep == 0 || n == 0) {
        return;
    }
    keep = keep < n ? keep : n;
    eg_real least = eg_select_largest(n, choice->scratch, keep);
    size_t above = 0;
    for (size_t i = 0; i < choice->block->count; i++) {
        above += competes(choice, i) && score_of(choice, choice->block->offset + i) > least ? 1 : 0;
    }
    size_t equal = keep - above; /* of those that are as large as the least one */
    for (size_t i = 0; i < choice->block->count; i++) {
        size_t at = choice->block->offset + i;
        if (!competes(choice, i)) {
            continue;
        }
        eg_real score = score_of(choice, at);
        bool wins = score > least || (score == least && equal > 0);
        equal -= wins && score == least ? 1 : 0;
        if (wins) {
            eg_mask_add(chosen, at);
        }
    }
}

void eg_task_masks_write(const eg_task_masks *masks, eg_writer *writer)
{
    eg_write_u64(writer, masks->tasks);
    for (size_t t = 0; t < masks->tasks; t++) {
        eg_write_u8(writer, masks->known[t]);
        for (size_t k = 0; masks->known[t] != 0 && k < masks->words; k++) {
            eg_write_u64(writer, eg_task_mask(masks, t)[k]);
        }
    }
}

eg_status eg_task_masks_read(eg_task_masks *masks, eg_reader *reader)
{
    uint64_t tasks = eg_read_u64(reader);
    if (tasks != masks->tasks) {
        return eg_fail(EG_INVALID, "saved masks: %llu tasks, expected %zu",
                       (unsigned long long)tasks, masks->tasks);
    }
    for (size_t t = 0; t < masks->tasks; t++) {
        masks->known[t] = eg_read_u8(reader);
        for (size_t k = 0; masks->known[t] != 0 && k < masks->words; k++) {
            eg_task_mask(masks, t)[k] = eg_read_u64(reader);
        }
        if (masks->known[t] > 1) {
            return eg_fail(EG_INVALID, "saved masks: task %zu is marked %u, expected 0 or 1", t,
                           (unsigned)masks->known[t]);
        }
    }
    return eg_reader_status(reader, false);
}

/* A mask's part of a block from the plane it came as. */
static eg_status take_block(const eg_parameter_block *block, size_t task, const eg_real *plane,
                            uint64_t *mask)
{
    for (size_t i = 0; i < block->count; i++) {
        eg_real value = plane[block->offset + i];
        if (eg_parameter_unit(block, i) >= block->units) {
            continue;
        }
        if (value != 0 && value != 1) {
            return eg_fail(EG_INVALID, "task%03zu/%s: %g, expected 0 or 1, as in a mask", task,
                           block->name, (double)value);
        }
        if (value == 1) {
            eg_mask_add(mask, block->offset + i);
        }
    }
    return eg_ok();
}

/* Whether a pass into the masks has an array of a task. */
static bool has_task(const eg_weights_pass *pass, const eg_net *net, size_t task)
{
    bool has = false;
    for (size_t b = 0; b < net->table.block_count && !has; b++) {
        char name[EG_WEIGHTS_NAME_SIZE];
        (void)snprintf(name, sizeof name, "task%03zu/%s", task, net->table.blocks[b].name);
        has = eg_weights_has(pass, name);
    }
    return has;
}

static bool leaves_out(const eg_task_masks *masks, size_t task)
{
    bool leaves = false;
    for (size_t k = 0; k < masks->words; k++) {
        leaves = leaves || ~eg_task_mask(masks, task)[k] != 0;
    }
    return leaves;
}

/* Through a plane [param_count]. `under_way`: there are arrays whether it has a mask or not. */
static eg_status pass_task(eg_task_masks *masks, eg_weights_pass *pass, const eg_net *net,
                           size_t task, bool under_way, eg_real *plane)
{
    uint64_t *mask = eg_task_mask(masks, task);
    char group[EG_WEIGHTS_NAME_SIZE];
    (void)snprintf(group, sizeof group, "task%03zu", task);
    if (pass->into_learner) {
        masks->known[task] = has_task(pass, net, task) ? 1 : 0;
        for (size_t k = 0; k < masks->words; k++) {
            mask[k] = ~masks->maskable[k];
        }
    }
    for (size_t i = 0; !pass->into_learner && i < masks->count; i++) {
        plane[i] = masks->known[task] == 0 || eg_mask_has(mask, i) ? 1 : 0;
    }
    bool passes = masks->known[task] != 0 || under_way;
    for (size_t b = 0; passes && b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        if (!eg_mask_takes(block)) {
            continue;
        }
        EG_TRY(eg_weights_block(pass, group, "buffer", net, b, plane));
        EG_TRY(pass->into_learner ? take_block(block, task, plane, mask) : eg_ok());
    }
    if (pass->into_learner && under_way) {
        masks->known[task] = leaves_out(masks, task) ? 1 : 0;
    }
    return eg_ok();
}

eg_status eg_task_masks_weights(eg_task_masks *masks, eg_weights_pass *pass, const eg_net *net,
                                size_t phase)
{
    eg_real *plane = NULL;
    eg_status status = eg_alloc(&plane, masks->count, sizeof *plane);
    for (size_t t = 0; t < masks->tasks && status.code == EG_OK; t++) {
        status = pass_task(masks, pass, net, t, pass->again && t == phase, plane);
    }
    eg_free(plane);
    return status;
}
