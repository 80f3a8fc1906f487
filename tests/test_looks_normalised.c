/** Looks at a network with batch normalisation, on a stream whose tasks have the classes of earlier ones too:
 *  by running statistics and by those of the examples shown together, on new and on previous classes. */
#include "small_settings.h"

#include "engram/learner.h"
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
    SEED = 3,
    PHASES = 3,
    CLASSES = 2,  /* that come with a phase */
    LOOK = 20,    /* examples of a look */
    TOGETHER = 7, /* at most; 20 in three parts are 7, 7 and 6 */
    BATCH = 8,    /* of training, and of looks by running statistics */
    LAYERS = 2,   /* 5 channels of 9 places, 4 units */
    CHANNELS = 5,
    UNITS = 4,
    EXAMPLES_MAX = 200,
};

static const size_t width[LAYERS] = {CHANNELS, UNITS};
static const double dormant = 0.4; /* share of outputs that are not 0 */

static eg_settings *settings_of(const char *norm)
{
    static const eg_assignment small[] = {
        {"dataset", "synthetic", {0}},
        {"dataset.side", "6", {0}},
        {"dataset.classes", "6", {0}},
        {"dataset.examples", "160", {0}},
        {"dataset.noise", "0.6", {0}},
        {"stream", "class_incremental", {0}},
        {"stream.tasks", "3", {0}},
        {"stream.classes", "2", {0}},
        {"stream.class_order", "natural", {0}},
        {"stream.batch", "8", {0}},
        {"stream.epochs", "3", {0}},
        {"protocol.fraction", "0.3", {0}},
        {"model", "convnet", {0}},
        {"model.layers",
         "[conv 5 3x3 pad same, batch_norm, activation, max_pool 2, linear 4, batch_norm, "
         "activation]",
         {0}},
        {"optimizer", "sgd", {0}},
        {"optimizer.lr", "0.05", {0}},
        {"measures", "[default, rank, units]", {0}},
        {"measures.units.examples", "20", {0}},
        {"measures.units.dormant", "0.4", {0}},
        {"measures.units.data", "new_and_previous", {0}},
        {"measures.units.together", "7", {0}},
        {"measures.rank.examples", "20", {0}},
        {"measures.rank.layers", "last", {0}},
        {"measures.rank.data", "new_and_previous", {0}},
        {"measures.rank.together", "7", {0}},
    };
    const char *const more[] = {"measures.units.norm", norm, "measures.rank.norm", norm, NULL};
    return small_settings(small, EG_COUNT(small), more);
}

static eg_record *run(const eg_settings *settings)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "final_accuracy"};
    assert_ok(eg_trial_run(&record, settings, SEED, cache, &options));
    eg_dataset_cache_free(cache);
    return record;
}

/** The same learner on the same stream, without a trial. */
typedef struct bench {
    eg_dataset *data;
    eg_stream *stream;
    eg_cursor *cursor; /* training minibatches */
    eg_cursor *single; /* example by example */
    eg_learner *learner;
    eg_net *net;
    eg_workspace *workspace;
} bench;

static bench bench_open(const eg_settings *settings)
{
    bench b;
    eg_view root = eg_settings_root(settings);
    assert_ok(eg_dataset_open(&b.data, &root));
    assert_ok(
        eg_stream_create(&b.stream, &root, b.data, SEED, eg_view_real(&root, "protocol.fraction")));
    assert_ok(eg_cursor_open(&b.cursor, b.stream, &(eg_cursor_setup){.trains = true}));
    assert_ok(eg_cursor_open(&b.single, b.stream, &(eg_cursor_setup){.block = 1}));
    const eg_learner_setup setup = {
        .root = &root, .shape = b.stream->shape, .seed = SEED, .block = BATCH, .stream = b.stream};
    assert_ok(eg_learner_create(&b.learner, &setup));
    eg_learner_network network;
    assert_true(b.learner->ops->network(b.learner, 0, &network));
    b.net = network.net;
    assert_ok(eg_workspace_create(&b.workspace, b.net, BATCH, true));
    return b;
}

static void bench_close(bench *b)
{
    eg_workspace_free(b->workspace);
    eg_learner_free(b->learner);
    eg_cursor_close(b->single);
    eg_cursor_close(b->cursor);
    eg_stream_free(b->stream);
    eg_dataset_free(b->data);
}

static void train(bench *b, size_t phase)
{
    assert_ok(eg_learner_begin_phase(b->learner, phase));
    for (size_t s = 0; s < eg_stream_steps(b->stream, phase); s++) {
        eg_batch batch;
        eg_step_outcome outcome = {.loss = 0};
        eg_cursor_get(b->cursor, phase, s, &batch);
        assert_ok(b->learner->ops->step(b->learner, &batch, &outcome));
    }
    assert_ok(eg_learner_end_phase(b->learner, phase));
}

/** Examples of a task x [LOOK, features] in the order of looks, `fresh` only those of classes that no phase
 *  before had; how many. */
static size_t draw(bench *b, size_t task, bool fresh, eg_real *x)
{
    size_t features = b->stream->shape.features;
    size_t count = eg_stream_count(b->stream, EG_SUBSET_TRAINING, task);
    uint32_t order[EXAMPLES_MAX];
    size_t rows = 0;
    size_t skipped = 0;
    assert_true(count <= EXAMPLES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    eg_rng rng = eg_rng_make(0, EG_PURPOSE_LOOK, task);
    eg_rng_shuffle(&rng, count, order);
    for (size_t i = 0; i < count && rows < LOOK; i++) {
        eg_batch batch;
        eg_cursor_examples(b->single, EG_SUBSET_TRAINING, task, order[i], 1, &batch);
        if (fresh && batch.label[0] < CLASSES * task) { /* classes arrive by number */
            skipped++;
        } else {
            memcpy(x + rows * features, batch.x, features * sizeof *x);
            rows++;
        }
    }
    assert_true((skipped > 0) == (fresh && task > 0));
    return rows;
}

typedef struct found {
    double dead[LAYERS], dormant[LAYERS];
    double rank; /* effective, of the last layer */
} found;

/** Shows x [rows, features] in parts of `part` examples. */
static found look(bench *b, const eg_real *x, size_t rows, eg_mode mode, size_t part)
{
    size_t features = b->stream->shape.features;
    size_t active[LAYERS][CHANNELS] = {{0}};
    found out = {.rank = 0};
    eg_spectrum spectrum;
    assert_ok(eg_spectrum_init(&spectrum, LOOK, UNITS));
    for (size_t first = 0; first < rows; first += part) {
        size_t count = rows - first < part ? rows - first : part;
        (void)eg_net_forward(b->net, b->workspace, mode, count, x + first * features, NULL);
        for (size_t h = 0; h < LAYERS; h++) {
            const eg_real *phi = eg_workspace_hidden(b->workspace, b->net, h);
            size_t numbers = count * b->net->hidden[h].positions * width[h];
            for (size_t i = 0; i < numbers; i++) {
                active[h][i % width[h]] += phi[i] != 0;
            }
            for (size_t i = 0; h == LAYERS - 1 && i < numbers; i++) {
                spectrum.a[first * UNITS + i] = (double)phi[i];
            }
        }
    }
    for (size_t h = 0; h < LAYERS; h++) {
        double each = (double)(rows * b->net->hidden[h].positions);
        for (size_t u = 0; u < width[h]; u++) {
            out.dead[h] += active[h][u] == 0;
            out.dormant[h] += (double)active[h][u] < dormant * each;
        }
    }
    assert_ok(eg_spectrum_of(&spectrum, rows, UNITS));
    out.rank = eg_spectrum_effective_rank(spectrum.sigma, spectrum.count);
    eg_spectrum_clear(&spectrum);
    return out;
}

static double value_at(const eg_record *record, const char *name, const char *suffix, size_t at)
{
    char whole[64];
    (void)snprintf(whole, sizeof whole, "%s%s", name, suffix);
    const eg_array *array = eg_record_find(record, whole);
    assert_non_null(array);
    assert_true(at < array->count);
    return array->data[at];
}

static void assert_found(const eg_record *record, const char *suffix, size_t phase, const found *f)
{
    double all = 0;
    for (size_t h = 0; h < LAYERS; h++) {
        assert_close(value_at(record, "dead_units", suffix, phase * LAYERS + h), f->dead[h], 0);
        assert_close(value_at(record, "dormant_units", suffix, phase * LAYERS + h), f->dormant[h],
                     0);
        all += f->dormant[h];
    }
    assert_close(value_at(record, "dormant_percent", suffix, phase), 100 * all / (CHANNELS + UNITS),
                 1e-12);
    assert_close(value_at(record, "effective_rank", suffix, phase * LAYERS + 1), f->rank, 1e-12);
}

static bool differ(const found *a, const found *b)
{
    return a->dormant[0] != b->dormant[0] || a->dormant[1] != b->dormant[1] ||
           fabs(a->rank - b->rank) > 1e-6;
}

/** A record of each mode, against looks at a learner of our own. */
static void each_normalisation(void **state)
{
    (void)state;
    const char *const norms[] = {"running", "batch", "both"};
    eg_settings *settings[EG_COUNT(norms)];
    eg_record *record[EG_COUNT(norms)];
    for (size_t i = 0; i < EG_COUNT(norms); i++) {
        settings[i] = settings_of(norms[i]);
        record[i] = run(settings[i]);
    }
    assert_null(eg_record_find(record[0], "dead_units_running"));
    assert_null(eg_record_find(record[1], "dead_units_running"));
    bench b = bench_open(settings[0]);
    eg_real *x = NULL;
    size_t modes_differ = 0;
    assert_ok(eg_alloc(&x, LOOK * b.stream->shape.features, sizeof *x));
    for (size_t phase = 0; phase < PHASES; phase++) {
        for (int previous = 0; previous <= (phase > 0); previous++) {
            const char *plain = previous ? "_previous" : "";
            const char *marked = previous ? "_previous_running" : "_running";
            size_t rows = draw(&b, phase - (size_t)previous, !previous, x);
            assert_int_equal(rows, LOOK);
            found running = look(&b, x, rows, EG_MODE_PREDICT, BATCH);
            found batch = look(&b, x, rows, EG_MODE_PREDICT_BATCH, TOGETHER);
            found apart = look(&b, x, rows, EG_MODE_PREDICT_BATCH, BATCH);
            assert_found(record[0], plain, phase, &running);
            assert_found(record[1], plain, phase, &batch);
            assert_found(record[2], plain, phase, &batch);
            assert_found(record[2], marked, phase, &running);
            modes_differ += differ(&running, &batch) && differ(&batch, &apart);
        }
        train(&b, phase);
    }
    assert_true(modes_differ >= PHASES); /* else this test could not tell them apart */
    eg_free(x);
    bench_close(&b);
    for (size_t i = 0; i < EG_COUNT(norms); i++) {
        eg_record_free(record[i]);
        eg_settings_free(settings[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_normalisation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
