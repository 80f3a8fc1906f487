/** Which trial next; see run/run_queue.h. */
#include "run/run_queue.h"

#include "engram/memory.h"

#include <assert.h>
#include <stdlib.h>

eg_status eg_run_queue_init(eg_run_queue *out, const eg_plan *plan, const eg_outcome *outcomes,
                            size_t capacity)
{
    *out = (eg_run_queue){.plan = plan, .outcomes = outcomes, .capacity = capacity};
    EG_TRY(eg_alloc(&out->order, capacity, sizeof *out->order));
    EG_TRY(eg_alloc(&out->ready, capacity, sizeof *out->ready));
    return eg_alloc(&out->waiting, capacity, sizeof *out->waiting);
}

void eg_run_queue_clear(eg_run_queue *queue)
{
    eg_free(queue->order);
    eg_free(queue->ready);
    eg_free(queue->waiting);
    *queue = (eg_run_queue){0};
}

typedef struct rank_key {
    double cost;
    uint32_t replicate, trial;
} rank_key;

static int compare_keys(const void *a, const void *b)
{
    const rank_key *first = a;
    const rank_key *second = b;
    if (first->replicate != second->replicate) {
        return first->replicate < second->replicate ? -1 : 1;
    }
    if (first->cost != second->cost) {
        return first->cost > second->cost ? -1 : 1;
    }
    return first->trial < second->trial ? -1 : first->trial > second->trial;
}

eg_status eg_run_queue_add(eg_run_queue *queue, size_t first)
{
    const eg_plan *plan = queue->plan;
    assert(first <= plan->trial_count);
    size_t added = plan->trial_count - first;
    assert(queue->count + added <= queue->capacity);
    rank_key *keys = NULL;
    EG_TRY(eg_alloc(&keys, added, sizeof *keys));
    for (size_t i = 0; i < added; i++) {
        const eg_plan_trial *trial = &plan->trials[first + i];
        keys[i] = (rank_key){.cost = plan->points[trial->point].cost,
                             .replicate = trial->replicate,
                             .trial = (uint32_t)(first + i)};
    }
    qsort(keys, added, sizeof *keys, compare_keys);
    for (size_t i = 0; i < added; i++) {
        queue->order[queue->count++] = keys[i].trial;
    }
    eg_free(keys);
    return eg_ok();
}

eg_run_fate eg_run_fate_of(const eg_budget *budget)
{
    return budget->out ? EG_RUN_FATE_SKIP : budget->waits ? EG_RUN_FATE_WAIT : EG_RUN_FATE_RUN;
}

eg_run_fate eg_run_queue_fate(const eg_run_queue *queue, size_t trial)
{
    const eg_plan_trial *planned = &queue->plan->trials[trial];
    eg_verdict verdict = eg_plan_judge(queue->plan, queue->outcomes, planned->point);
    if (planned->replicate >= verdict.keep) {
        return EG_RUN_FATE_SKIP;
    }
    if (planned->replicate >= verdict.cleared) {
        return EG_RUN_FATE_WAIT;
    }
    eg_budget budget = eg_plan_budget(queue->plan, queue->outcomes, trial);
    return eg_run_fate_of(&budget);
}

size_t eg_run_queue_next(eg_run_queue *queue)
{
    while (queue->ready_count > 0) {
        size_t trial = queue->ready[queue->ready_at];
        queue->ready_at = (queue->ready_at + 1) % queue->capacity;
        queue->ready_count--;
        if (queue->outcomes[trial].status == EG_TRIAL_PENDING) {
            return trial;
        }
    }
    while (queue->at < queue->count) {
        size_t trial = queue->order[queue->at++];
        if (queue->outcomes[trial].status != EG_TRIAL_PENDING) {
            continue;
        }
        if (eg_run_queue_fate(queue, trial) == EG_RUN_FATE_RUN) {
            return trial;
        }
        queue->waiting[trial] = true;
    }
    return SIZE_MAX;
}

/** No trial is in the ring twice, so that it never overflows. */
static void push_ready(eg_run_queue *queue, size_t trial)
{
    assert(queue->ready_count < queue->capacity);
    queue->ready[(queue->ready_at + queue->ready_count++) % queue->capacity] = (uint32_t)trial;
}

void eg_run_queue_release(eg_run_queue *queue, size_t trial)
{
    if (queue->waiting[trial]) {
        queue->waiting[trial] = false;
        push_ready(queue, trial);
    }
}

void eg_run_queue_again(eg_run_queue *queue, size_t trial)
{
    push_ready(queue, trial);
}
