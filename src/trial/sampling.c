/** Outputs drawn one after the other; see engram/trial.h and trial/sampling.h. */
#include "trial/sampling.h"

#include "engram/trial.h"

#include "engram/dataset.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "trial/trial_state.h"

#include <math.h>
#include <string.h>

eg_status eg_trial_check_sampling(const eg_settings *settings)
{
    const eg_outline outline = eg_outline_of(settings);
    const eg_component *dataset = eg_view_component(&outline.root, "dataset");
    const bool text = ((const eg_dataset_kind *)(const void *)dataset)->is_text;
    return text && !outline.stream_kind->own_data && outline.sizes.positions > 1
               ? eg_ok()
               : eg_fail_setting("", "stream dataset",
                                 "stream = %s, dataset = %s: sampling needs examples of several "
                                 "positions and a vocabulary, such as stream text_mega_batches "
                                 "of dataset text",
                                 outline.stream_kind->component.name, dataset->name);
}

static size_t largest(const eg_real *score, size_t count)
{
    size_t best = 0;
    for (size_t j = 1; j < count; j++) {
        best = score[j] > score[best] ? j : best;
    }
    return best;
}

static double weight(const eg_real *score, size_t j, size_t top, double temperature)
{
    return exp(((double)score[j] - (double)score[top]) / temperature);
}

size_t eg_draw_output(const eg_real *score, size_t count, double temperature, double uniform)
{
    const size_t top = largest(score, count);
    double sum = 0.0;
    if (temperature == 0) {
        return top;
    }
    for (size_t j = 0; j < count; j++) {
        sum += weight(score, j, top, temperature);
    }
    double left = uniform * sum;
    for (size_t j = 0; j + 1 < count; j++) {
        left -= weight(score, j, top, temperature);
        if (left < 0) {
            return j;
        }
    }
    return count - 1;
}

/* Scores that are not probabilities count as logits. */
static void make_logits(eg_real *score, size_t count, eg_scores kind)
{
    for (size_t j = 0; kind == EG_SCORES_PROBABILITIES && j < count; j++) {
        score[j] = (eg_real)log((double)score[j]);
    }
}

/* What was read and drawn so far is read in a window of the length of an example. What is behind
 * the last position that is known changes nothing in a causal network, and is 0. */
typedef struct window {
    eg_real *x;      /* [positions] */
    eg_real *scores; /* [positions, outputs] */
    size_t positions, outputs;
    size_t known;
} window;

static void read_symbol(window *w, uint32_t symbol)
{
    if (w->known == w->positions) {
        memmove(w->x, w->x + 1, (w->positions - 1) * sizeof *w->x);
        w->known--;
    }
    w->x[w->known++] = (eg_real)symbol;
}

/* The logits of what follows. */
static eg_status score_next(const window *w, eg_learner *learner, const eg_real **out)
{
    const eg_batch batch = {.size = 1, .positions = w->positions, .x = w->x, .task = EG_NO_TASK};
    eg_real *next = w->scores + (w->known - 1) * w->outputs;
    EG_TRY(learner->ops->predict(learner, &batch, w->scores));
    make_logits(next, w->outputs, eg_learner_scores(learner));
    *out = next;
    return eg_ok();
}

static eg_status sample(uint32_t *out, const eg_trial_state *state, const eg_sampling *how)
{
    const eg_stream_shape *shape = &state->stream->shape;
    window w = {.positions = eg_stream_positions(shape), .outputs = shape->outputs};
    const eg_real *next = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&w.x, w.positions, sizeof *w.x));
    EG_TRY_DONE(status, eg_alloc(&w.scores, w.positions * w.outputs, sizeof *w.scores));
    for (size_t i = 0; i < how->prompt_count; i++) {
        read_symbol(&w, how->prompt[i]);
    }
    for (size_t i = 0; i < how->count; i++) {
        eg_rng rng = eg_rng_make(state->seed, EG_PURPOSE_NEXT, i);
        EG_TRY_DONE(status, score_next(&w, state->learner, &next));
        out[i] =
            (uint32_t)eg_draw_output(next, how->symbols, how->temperature, eg_rng_uniform(&rng));
        read_symbol(&w, out[i]);
    }
done:
    eg_free(w.x);
    eg_free(w.scores);
    return status;
}

eg_status eg_trial_sample(uint32_t *out, const eg_settings *settings, eg_dataset_cache *cache,
                          eg_predictor *predictor, const eg_sampling *how)
{
    eg_trial_state *state = NULL;
    EG_TRY(eg_trial_check_sampling(settings));
    EG_TRY(eg_alloc(&state, 1, sizeof *state));
    state->initial = &predictor->weights;
    eg_status status = eg_trial_state_init(state, settings, predictor->seed, cache);
    if (status.code == EG_OK) {
        status = sample(out, state, how);
    }
    eg_trial_state_clear(state);
    eg_free(state);
    return status;
}
