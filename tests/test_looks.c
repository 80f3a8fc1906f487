/** Measures that look at hidden units before a task, and at the end of a stream: dead, dormant and saturated
 *  units, ranks, late accuracy; against a learner looked at by hand. */
#include "small_settings.h"

#include "engram/measure.h"
#include "engram/memory.h"
#include "engram/metric.h"
#include "engram/random.h"
#include "engram/trial.h"
#include "engram/units.h"
#include "math/shared/spectrum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    LOOK = 40,  /* examples of a look */
    WIDTH = 12, /* units of both hidden layers */
    LAYERS = 2,
    PHASES = 5,
    EXAMPLES = 360
};

/** "name", "value", …, NULL; five tasks of 72 made-up examples, minibatches of 16. */
static eg_settings *settings_of(const char *const *pairs)
{
    static const eg_assignment small[] = {
        {"dataset", "synthetic", {0}},
        {"dataset.examples", "400", {0}},
        {"model.hidden", "[12, 12]", {0}},
        {"model.activation", "relu", {0}},
        {"model.bias", "true", {0}},
        {"optimizer", "sgd", {0}},
        {"optimizer.lr", "0.1", {0}},
        {"stream.batch", "16", {0}},
        {"measures", "[default, online, late_online, rank, units]", {0}},
        {"measures.units.examples", "40", {0}},
        {"measures.rank.examples", "40", {0}},
    };
    return small_settings(small, EG_COUNT(small), pairs);
}

#define SETTINGS(...) settings_of((const char *const[]){__VA_ARGS__, NULL})

static eg_record *run(const eg_settings *settings, eg_weights *initial)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "final_accuracy", .initial = initial};
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    eg_dataset_cache_free(cache);
    return record;
}

static double value_at(const eg_record *record, const char *name, size_t at)
{
    const eg_array *array = eg_record_find(record, name);
    assert_non_null(array);
    assert_true(at < array->count);
    return array->data[at];
}

/** A learner and its stream, without a trial. */
typedef struct bench {
    eg_settings *settings;
    eg_dataset *data;
    eg_stream *stream;
    eg_cursor *cursor;
    eg_learner *learner;
    eg_net *net;
    eg_workspace *workspace;
} bench;

static bench bench_open(eg_settings *settings)
{
    bench b = {.settings = settings};
    eg_view root = eg_settings_root(settings);
    assert_ok(eg_dataset_open(&b.data, &root));
    assert_ok(eg_stream_create(&b.stream, &root, b.data, 3, 0.1));
    assert_ok(eg_cursor_open(&b.cursor, b.stream, &(eg_cursor_setup){.trains = true, .block = 1}));
    const eg_learner_setup setup = {
        .root = &root, .shape = b.stream->shape, .seed = 3, .block = 16, .stream = b.stream};
    assert_ok(eg_learner_create(&b.learner, &setup));
    eg_learner_network network;
    assert_true(b.learner->ops->network(b.learner, 0, &network));
    b.net = network.net;
    assert_ok(eg_workspace_create(&b.workspace, b.net, LOOK, true));
    return b;
}

static void bench_close(bench *b)
{
    eg_workspace_free(b->workspace);
    eg_learner_free(b->learner);
    eg_cursor_close(b->cursor);
    eg_stream_free(b->stream);
    eg_dataset_free(b->data);
    eg_settings_free(b->settings);
}

/** The outputs of hidden layer `hidden` [LOOK, WIDTH] on the examples from minibatch `first` of a phase on;
 * how many there are. */
static size_t outputs_by_hand(bench *b, size_t phase, size_t first, size_t hidden, eg_real *phi)
{
    size_t features = b->stream->shape.features;
    eg_real *x = NULL;
    size_t rows = 0;
    assert_ok(eg_alloc(&x, LOOK * features, sizeof *x));
    for (size_t s = first; s < eg_stream_steps(b->stream, phase) && rows < LOOK; s++) {
        eg_batch batch;
        eg_cursor_get(b->cursor, phase, s, &batch);
        size_t take = batch.size < LOOK - rows ? batch.size : LOOK - rows;
        memcpy(x + rows * features, batch.x, take * features * sizeof *x);
        rows += take;
    }
    (void)eg_net_forward(b->net, b->workspace, EG_MODE_PREDICT, rows, x, NULL);
    memcpy(phi, eg_workspace_hidden(b->workspace, b->net, hidden), rows * WIDTH * sizeof *phi);
    eg_free(x);
    return rows;
}

/** The same on examples drawn from all that task `task` has for training, those held out too. */
static size_t drawn_by_hand(bench *b, size_t task, size_t hidden, eg_real *phi)
{
    enum { MOST = 400 };
    size_t features = b->stream->shape.features;
    size_t count = eg_stream_count(b->stream, EG_SUBSET_TRAINING, task);
    uint32_t order[MOST];
    eg_real *x = NULL;
    size_t rows = 0;
    assert_true(count <= MOST);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    eg_rng rng = eg_rng_make(0, EG_PURPOSE_LOOK, task);
    eg_rng_shuffle(&rng, count, order);
    assert_ok(eg_alloc(&x, LOOK * features, sizeof *x));
    for (size_t i = 0; i < count && rows < LOOK; i++) {
        eg_batch batch;
        eg_cursor_examples(b->cursor, EG_SUBSET_TRAINING, task, order[i], 1, &batch);
        memcpy(x + rows * features, batch.x, features * sizeof *x);
        rows++;
    }
    (void)eg_net_forward(b->net, b->workspace, EG_MODE_PREDICT, rows, x, NULL);
    memcpy(phi, eg_workspace_hidden(b->workspace, b->net, hidden), rows * WIDTH * sizeof *phi);
    eg_free(x);
    return rows;
}

typedef struct seen {
    double dead, dormant, saturated, near; /* near: share of outputs */
} seen;

static seen look_by_hand(const eg_real *phi, size_t rows, double dormant, double low, double high)
{
    seen out = {.dead = 0};
    for (size_t u = 0; u < WIDTH; u++) {
        size_t active = 0;
        size_t near = 0;
        for (size_t r = 0; r < rows; r++) {
            double y = (double)phi[r * WIDTH + u];
            active += y != 0;
            near += y <= low || y >= high;
        }
        out.dead += active == 0;
        out.dormant += (double)active / (double)rows < dormant;
        out.saturated += near == rows;
        out.near += (double)near / (double)(rows * WIDTH);
    }
    return out;
}

static void assert_look(bench *b, const eg_record *record, size_t look, size_t phase, size_t first,
                        bool bounded)
{
    eg_real phi[LOOK * WIDTH];
    eg_spectrum spectrum;
    seen all = {.dead = 0};
    double effective = 0;
    assert_ok(eg_spectrum_init(&spectrum, LOOK, WIDTH));
    for (size_t h = 0; h < LAYERS; h++) {
        size_t rows = outputs_by_hand(b, phase, first, h, phi);
        seen found = look_by_hand(phi, rows, 0.3, 0.05, 0.95);
        size_t at = look * LAYERS + h;
        assert_close(value_at(record, "dead_units", at), found.dead, 0);
        assert_close(value_at(record, "dormant_units", at), found.dormant, 0);
        if (bounded) {
            assert_close(value_at(record, "saturated_units", at), found.saturated, 0);
            assert_close(value_at(record, "saturated_outputs", at), found.near, 1e-12);
        } else {
            assert_true(isnan(value_at(record, "saturated_units", at)));
            assert_true(isnan(value_at(record, "saturated_outputs", at)));
        }
        for (size_t i = 0; i < rows * WIDTH; i++) {
            spectrum.a[i] = (double)phi[i];
        }
        assert_ok(eg_spectrum_of(&spectrum, rows, WIDTH));
        double rank = eg_spectrum_effective_rank(spectrum.sigma, spectrum.count);
        assert_close(value_at(record, "effective_rank", at), rank, 1e-12);
        assert_close(value_at(record, "stable_rank", at),
                     eg_spectrum_stable_rank(spectrum.sigma, spectrum.count), 0);
        assert_close(value_at(record, "approximate_rank", at),
                     eg_spectrum_approximate_rank(spectrum.sigma, spectrum.count), 0);
        effective += rank;
        all.dead += found.dead;
        all.dormant += found.dormant;
        all.saturated += found.saturated;
    }
    double percent = 100.0 / (LAYERS * WIDTH);
    assert_close(value_at(record, "dead_percent", look), all.dead * percent, 1e-12);
    assert_close(value_at(record, "dormant_percent", look), all.dormant * percent, 1e-12);
    assert_close(value_at(record, "effective_rank_percent", look), effective * percent, 1e-12);
    if (bounded) {
        assert_close(value_at(record, "saturated_percent", look), all.saturated * percent, 1e-12);
    } else {
        assert_true(isnan(value_at(record, "saturated_percent", look)));
    }
    eg_spectrum_clear(&spectrum);
}

/** Before each phase, or before every 100 examples: 16 a minibatch, 72 a phase. */
static void assert_looks(const char *activation, size_t every, bool bounded)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%zu", every);
    eg_settings *settings = SETTINGS("model.activation", activation, "measures.units.every", text,
                                     "measures.rank.every", text, "measures.units.dormant", "0.3");
    eg_record *record = run(settings, NULL);
    bench b = bench_open(settings);
    size_t seen_before = 0;
    size_t next = 0;
    for (size_t phase = 0; phase < PHASES; phase++) {
        for (size_t s = 0; s < eg_stream_steps(b.stream, phase); s++) {
            if (every == 0 ? s == 0 : seen_before / every >= next) {
                next = every == 0 ? phase : seen_before / every;
                assert_look(&b, record, next, phase, s, bounded);
                assert_close(value_at(record, "units_examples", next), (double)seen_before, 0);
                assert_close(value_at(record, "rank_examples", next), (double)seen_before, 0);
                next++;
            }
            eg_batch batch;
            eg_step_outcome outcome = {.loss = 0};
            eg_cursor_get(b.cursor, phase, s, &batch);
            assert_ok(b.learner->ops->step(b.learner, &batch, &outcome));
            seen_before += batch.size;
        }
    }
    assert_int_equal(seen_before, EXAMPLES);
    size_t looks = every == 0 ? PHASES : (EXAMPLES + every - 1) / every;
    assert_int_equal(next, looks);
    assert_int_equal(eg_record_find(record, "units_examples")->count, looks);
    eg_record_free(record);
    bench_close(&b);
}

static void looks_are_as_by_hand(void **state)
{
    (void)state;
    assert_looks("relu", 0, false);
    assert_looks("relu", 100, false);
    assert_looks("sigmoid", 0, true);
}

static void assert_drawn(bench *b, const eg_record *record, size_t look, size_t task,
                         const char *suffix)
{
    eg_real phi[LOOK * WIDTH];
    char name[64];
    double dead = 0;
    size_t rows = 0;
    for (size_t h = 0; h < LAYERS; h++) {
        rows = drawn_by_hand(b, task, h, phi);
        seen found = look_by_hand(phi, rows, 0.3, 0, 0);
        (void)snprintf(name, sizeof name, "dormant_units%s", suffix);
        assert_close(value_at(record, name, look * LAYERS + h), found.dormant, 0);
        dead += found.dead;
    }
    (void)snprintf(name, sizeof name, "dead_percent%s", suffix);
    assert_close(value_at(record, name, look), 100 * dead / (LAYERS * WIDTH), 1e-12);
    eg_spectrum spectrum;
    assert_ok(eg_spectrum_init(&spectrum, LOOK, WIDTH));
    for (size_t i = 0; i < rows * WIDTH; i++) {
        spectrum.a[i] = (double)phi[i];
    }
    assert_ok(eg_spectrum_of(&spectrum, rows, WIDTH));
    double rank = eg_spectrum_stable_rank(spectrum.sigma, spectrum.count);
    (void)snprintf(name, sizeof name, "stable_rank_percent%s", suffix);
    assert_close(value_at(record, name, look), 100 * rank / WIDTH, 1e-12);
    (void)snprintf(name, sizeof name, "stable_rank%s", suffix);
    assert_close(value_at(record, name, look * LAYERS + 1), rank, 0);
    assert_true(isnan(value_at(record, name, look * LAYERS))); /* layers: last */
    eg_spectrum_clear(&spectrum);
}

/** Examples drawn from the new task and from the one before, with the network as it then is. */
static void drawn_examples(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("measures.units.dormant", "0.3", "measures.units.data",
                                     "new_and_previous", "measures.rank.data", "new_and_previous",
                                     "measures.rank.layers", "last", "stream.active", "seen");
    eg_record *record = run(settings, NULL);
    bench b = bench_open(settings);
    for (size_t phase = 0; phase < PHASES; phase++) {
        assert_drawn(&b, record, phase, phase, "");
        if (phase > 0) {
            assert_drawn(&b, record, phase, phase - 1, "_previous");
        }
        for (size_t s = 0; s < eg_stream_steps(b.stream, phase); s++) {
            eg_batch batch;
            eg_step_outcome outcome = {.loss = 0};
            eg_cursor_get(b.cursor, phase, s, &batch);
            assert_ok(b.learner->ops->step(b.learner, &batch, &outcome));
        }
    }
    assert_true(isnan(value_at(record, "dead_percent_previous", 0)));
    assert_true(isnan(value_at(record, "stable_rank_percent_previous", 0)));
    assert_null(eg_record_find(record, "dead_percent_running"));
    eg_record_free(record);
    bench_close(&b);
}

/** Without layers that normalise by the minibatch the views differ in nothing. */
static void both_normalisations(void **state)
{
    (void)state;
    eg_settings *settings =
        SETTINGS("measures.units.norm", "both", "measures.rank.norm", "both",
                 "measures.rank.together", "7", "model.dropout", "0.4", "protocol", "test");
    eg_record *record = run(settings, NULL);
    assert_null(eg_record_find(record, "dead_percent_previous"));
    for (size_t look = 0; look < PHASES; look++) {
        assert_close(value_at(record, "dead_percent", look),
                     value_at(record, "dead_percent_running", look), 0);
        assert_close(value_at(record, "effective_rank_percent", look),
                     value_at(record, "effective_rank_percent_running", look), 1e-4);
    }
    eg_record_free(record);
    eg_settings_free(settings);
}

static void tasks_are_needed_to_draw(void **state)
{
    (void)state;
    eg_settings *settings =
        SETTINGS("stream", "bit_flipping", "stream.examples", "400", "stream.batch", "1", "loss",
                 "squared_error", "measures.units.data", "new");
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "late_online_loss"};
    assert_fails(eg_trial_run(&record, settings, 3, cache, &options), EG_INVALID,
                 "measures.units.data = new needs a stream whose phases are tasks");
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

/** Two units of the first layer off, one wide open, whatever the input; and all off. */
static void units_known_beforehand(void **state)
{
    (void)state;
    const char *const activations[] = {"relu", "sigmoid"};
    for (size_t a = 0; a < EG_COUNT(activations); a++) {
        bench b = bench_open(SETTINGS("model.activation", activations[a]));
        eg_weights weights = {0};
        assert_ok(eg_learner_get_weights(&weights, b.learner));
        double *bias = eg_weights_find(&weights, "network/layer1.bias")->values;
        bias[3] = bias[7] = -1e6;
        eg_record *record = run(b.settings, &weights);
        if (a == 0) {
            assert_true(value_at(record, "dead_units", 0) >= 2);
            assert_true(value_at(record, "dormant_units", 0) >= value_at(record, "dead_units", 0));
        } else { /* a sigmoid of -1e6 is 0 too */
            assert_close(value_at(record, "dead_units", 0), 2, 0);
            assert_close(value_at(record, "saturated_units", 0), 2, 0);
        }
        eg_record_free(record);
        for (size_t u = 0; u < WIDTH; u++) {
            bias[u] = -1e6;
        }
        record = run(b.settings, &weights);
        assert_close(value_at(record, "dead_units", 0), WIDTH, 0);
        assert_close(value_at(record, "effective_rank", 0), 0, 0);
        assert_close(value_at(record, "stable_rank", 0), 0, 0);
        eg_record_free(record);
        eg_weights_clear(&weights);
        bench_close(&b);
    }
}

/** An ensemble's networks: units together, ranks in the mean. */
static void networks_together(void **state)
{
    (void)state;
    eg_settings *settings =
        SETTINGS("learner", "ensemble", "learner.members", "2", "protocol", "test");
    eg_record *record = run(settings, NULL);
    for (size_t look = 0; look < PHASES; look++) {
        double dead =
            value_at(record, "dead_units", 2 * look) + value_at(record, "dead_units", 2 * look + 1);
        double rank = value_at(record, "effective_rank", 2 * look) +
                      value_at(record, "effective_rank", 2 * look + 1);
        assert_close(value_at(record, "dead_percent", look), 100 * dead / (4 * WIDTH), 1e-12);
        assert_close(value_at(record, "effective_rank_percent", look), 100 * rank / (2 * WIDTH),
                     1e-12);
        assert_true(rank > 2 && rank <= 2 * WIDTH);
    }
    eg_record_free(record);
    eg_settings_free(settings);
}

/** A tenth of 5 phases is one, of 20 are 2; of a stream of one phase the last tenth of its examples. */
static void late_is_the_last_tenth(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("stream", "permuted", "stream.tasks", "20");
    eg_record *record = run(settings, NULL);
    double accuracy =
        value_at(record, "online_accuracy", 18) + value_at(record, "online_accuracy", 19);
    double loss = value_at(record, "online_loss", 18) + value_at(record, "online_loss", 19);
    assert_close(eg_record_value(record, "late_online_accuracy"), accuracy / 2, 1e-12);
    assert_close(eg_record_value(record, "late_online_loss"), loss / 2, 1e-12);
    eg_record_free(record);
    eg_settings_free(settings);
    settings = SETTINGS("protocol", "test");
    record = run(settings, NULL);
    assert_close(eg_record_value(record, "late_online_accuracy"),
                 value_at(record, "online_accuracy", 4), 1e-12);
    eg_record_free(record);
    eg_settings_free(settings);
    settings =
        SETTINGS("stream", "bit_flipping", "stream.examples", "400", "stream.batch", "1", "loss",
                 "squared_error", "optimizer.lr", "0.001", "measures.online.bin", "40");
    eg_dataset_cache *cache = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "late_online_loss"};
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    assert_close(eg_record_value(record, "objective"), value_at(record, "online_loss", 9), 1e-9);
    assert_null(eg_record_find(record, "late_online_accuracy"));
    assert_int_equal(eg_record_find(record, "dead_percent")->count, 1);
    eg_record_free(record);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
}

/** A diverged trial has no late value, and looks only up to where it got. */
static void a_diverged_trial(void **state)
{
    (void)state;
    eg_settings *settings = SETTINGS("optimizer.lr", "1e30", "protocol", "test");
    eg_record *record = run(settings, NULL);
    assert_int_equal(eg_record_status(record), EG_TRIAL_DIVERGED);
    assert_true(isnan(eg_record_value(record, "late_online_accuracy")));
    assert_true(isfinite(value_at(record, "effective_rank", 0)));
    assert_true(isnan(value_at(record, "effective_rank", LAYERS * PHASES - 1)));
    assert_true(isnan(value_at(record, "dead_percent", PHASES - 1)));
    eg_record_free(record);
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_are_as_by_hand),   cmocka_unit_test(drawn_examples),
        cmocka_unit_test(both_normalisations),    cmocka_unit_test(tasks_are_needed_to_draw),
        cmocka_unit_test(units_known_beforehand), cmocka_unit_test(networks_together),
        cmocka_unit_test(late_is_the_last_tenth), cmocka_unit_test(a_diverged_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
