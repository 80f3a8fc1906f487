/** Where a run stands: minibatches and evaluations follow from the phase and the place in it. */
#include "trial/run.h"

/** Evaluations in a phase of `steps` minibatches, the first of which is number `start` of the run,
 * once `done` of them have been made: one at every multiple of eval_every, one at the end. */
static size_t evaluations(const eg_run *run, size_t start, size_t done, size_t steps)
{
    bool ended = done == steps;
    size_t last = start + done - (ended && done > 0 ? 1 : 0);
    size_t multiples = run->eval_every > 0 ? last / run->eval_every - start / run->eval_every : 0;
    return multiples + (ended ? 1 : 0);
}

void eg_run_count(eg_run *run)
{
    run->steps = 0;
    run->evals = 0;
    for (size_t phase = 0; phase < run->stream->shape.phases; phase++) {
        size_t steps = eg_stream_steps(run->stream, phase);
        run->evals += evaluations(run, run->steps, steps, steps);
        run->steps += steps;
    }
}

bool eg_run_evaluation_due(const eg_run *run)
{
    return run->phase_step == eg_stream_steps(run->stream, run->phase) ||
           (run->eval_every > 0 && run->step % run->eval_every == 0);
}

eg_status eg_run_seek(eg_run *run, uint64_t phase, uint64_t phase_step, unsigned pending)
{
    size_t phases = run->stream->shape.phases;
    size_t steps = phase < phases ? eg_stream_steps(run->stream, (size_t)phase) : 0;
    if (phase_step < 1 || phase_step > steps) {
        return eg_fail(EG_INVALID, "minibatch %llu of phase %llu does not exist",
                       (unsigned long long)phase_step, (unsigned long long)phase);
    }
    run->step = 0;
    run->eval = 0;
    for (run->phase = 0; run->phase < phase; run->phase++) {
        size_t all = eg_stream_steps(run->stream, run->phase);
        run->eval += evaluations(run, run->step, all, all);
        run->step += all;
    }
    run->phase_step = (size_t)phase_step;
    run->eval += evaluations(run, run->step, run->phase_step, steps);
    run->step += run->phase_step;
    bool ends = run->phase_step == steps && run->learner->ops->end_phase != NULL;
    if (pending > EG_PENDING_PHASE_END || (pending == EG_PENDING_PHASE_END && !ends) ||
        (pending == EG_PENDING_EVALUATION && !eg_run_evaluation_due(run))) {
        return eg_fail(EG_INVALID, "%u cannot be pending after minibatch %zu", pending, run->step);
    }
    run->eval -= pending != EG_PENDING_NOTHING ? 1 : 0;
    run->pending = (eg_pending)pending;
    return eg_ok();
}
