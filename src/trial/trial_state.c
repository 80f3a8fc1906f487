/** Opening and closing the state of a trial; see trial/trial_state.h. */
#include "trial/trial_state.h"

#include "engram/memory.h"

#include <math.h>

/** And declares the curves of the learner. */
static eg_status open_measures(eg_trial_state *state)
{
    const eg_measure_setup setup = {.scope = eg_outline_scope(&state->outline),
                                    .stream = state->stream,
                                    .learner = state->learner,
                                    .record = state->record,
                                    .selection = state->selection,
                                    .objective = state->objective,
                                    .evals = state->evals,
                                    .order_seed = state->seeds.order,
                                    .init_seed = state->seeds.init};
    EG_TRY(eg_measures_init(&state->measures, &setup));
    state->evaluator.wants_nll = state->measures.wants_nll;
    return eg_learner_declare(state->learner, state->record, state->evals);
}

eg_status eg_trial_state_init(eg_trial_state *state, const eg_settings *settings, uint64_t seed,
                              eg_dataset_cache *cache)
{
    state->outline = eg_outline_of(settings);
    const eg_view *root = &state->outline.root;
    EG_TRY(eg_trial_check_schedule(root));
    EG_TRY(eg_learner_check_boundaries(root, state->outline.sizes.hides_boundaries));
    state->selection = state->outline.selection;
    state->eval_every = eg_view_size(root, "eval.every");
    state->eval_epochs = eg_view_size(root, "eval.epochs");
    state->max_seconds = eg_view_real(root, "max_seconds");
    state->untrained = eg_view_bool(root, "eval.untrained");
    state->eval_tasks = (eg_eval_tasks)eg_view_name(root, "eval.tasks");
    size_t block = eg_view_size(root, "eval.block");
    const eg_dataset *dataset = NULL;
    if (!state->outline.stream_kind->own_data) {
        EG_TRY(eg_dataset_cache_get(cache, root, &dataset));
        state->data = dataset->checksum;
        state->dataset = dataset;
    }
    state->seed = seed;
    state->seeds = eg_trial_seeds_of(settings, seed);
    EG_TRY(eg_stream_create(&state->stream, root, dataset, state->seeds.order,
                            state->selection.holdout));
    EG_TRY(eg_selection_check(&state->selection, state->stream->shape.tasks));
    const eg_learner_setup setup = {.root = root,
                                    .shape = state->stream->shape,
                                    .seed = state->seeds.init,
                                    .block = block,
                                    .stream = state->stream,
                                    .profile = state->profile,
                                    .wanted = eg_trial_wanted,
                                    .user = state};
    EG_TRY(eg_learner_create(&state->learner, &setup));
    if (state->initial != NULL) {
        EG_TRY(eg_learner_set_weights(state->learner, state->initial));
    }
    const eg_cursor_setup reading = {
        .trains = true, .block = block, .sparse_only = state->learner->reads_sparse};
    EG_TRY(eg_cursor_open(&state->cursor, state->stream, &reading));
    EG_TRY(eg_evaluator_init(&state->evaluator, state->learner, state->cursor));
    EG_TRY(eg_record_create(&state->record));
    EG_TRY(eg_trial_count(state));
    EG_TRY(open_measures(state));
    state->progress = (eg_progress){.steps = state->steps,
                                    .phases = state->stream->shape.phases,
                                    .loss = (double)NAN,
                                    .accuracy = (double)NAN,
                                    .record = state->record};
    return eg_ok();
}

void eg_trial_state_clear(eg_trial_state *state)
{
    eg_writer_clear(&state->checkpoint);
    eg_record_free(state->record);
    eg_evaluator_clear(&state->evaluator);
    eg_measures_clear(&state->measures);
    eg_free(state->epochs);
    eg_cursor_close(state->cursor);
    eg_learner_free(state->learner);
    eg_stream_free(state->stream);
}
