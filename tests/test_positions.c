/** Examples of several positions, each with a label: the loss, the predictions of one and of several
 *  learners, what is counted, and learners and models that cannot have them. */
#include "position_model.h"
#include "words.h"

#include "engram/learner.h"
#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/metric.h"
#include "learner/combination.h"
#include "learner/masked_loss.h"

#include <math.h>
#include <string.h>

enum { B = 2, T = 3, N = 4, ROWS = B * T };

static const eg_real x[ROWS] = {1, -1, 0.5F, /**/ -0.25F, 2, 1};
static const uint32_t labels[ROWS] = {0, 3, 1, /**/ 2, 2, 0};
static const eg_batch batch = {.size = B, .positions = T, .x = x, .label = labels};

static void rows_are_positions_of_examples(void **state)
{
    (void)state;
    const eg_batch plain = {.size = B};
    const eg_batch one = {.size = B, .positions = 1};
    const eg_stream_shape shape = {.outputs = N};
    assert_int_equal(eg_batch_rows(&batch), ROWS);
    assert_int_equal(eg_batch_rows(&plain), B);
    assert_int_equal(eg_batch_rows(&one), B);
    assert_int_equal(eg_stream_positions(&shape), 1);
}

/* A learner on a stream of this shape, without the stream. */
typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_learner *learner;
    eg_learner_setup setup;
} scene;

static const eg_phase only = {.steps = 10, .epochs = 1, .examples = 20, .task = EG_NO_TASK};

static void only_phase(const eg_stream *stream, size_t phase, eg_phase *out)
{
    (void)stream, (void)phase;
    *out = only;
}

/* Cursors that nobody reads. */
static void close_cursor(eg_cursor *cursor)
{
    eg_free(cursor);
}

static const eg_cursor_ops cursor_ops = {.free = close_cursor};

static eg_status open_cursor(eg_cursor **out, const eg_stream *of, const eg_cursor_setup *setup)
{
    EG_TRY(eg_alloc(out, 1, sizeof **out));
    **out = (eg_cursor){.ops = &cursor_ops, .stream = of, .setup = *setup};
    return eg_ok();
}

static const eg_stream_ops stream_ops = {.phase = only_phase, .open = open_cursor};

static const eg_stream stream = {.ops = &stream_ops,
                                 .shape = {.input = {T, 1, 1},
                                           .features = T,
                                           .outputs = N,
                                           .positions = T,
                                           .phases = 1,
                                           .tasks = 1,
                                           .batch = B,
                                           .epochs = 1}};

static eg_status open_scene(scene *s, const char *const *words)
{
    *s = (scene){.settings = settings_from(position_schema(), words)};
    s->root = eg_settings_root(s->settings);
    s->setup = (eg_learner_setup){
        .root = &s->root, .shape = stream.shape, .seed = 1, .block = B, .stream = &stream};
    return eg_learner_create(&s->learner, &s->setup);
}

static void close_scene(scene *s)
{
    eg_learner_free(s->learner);
    eg_settings_free(s->settings);
}

/* -log softmax(y)[label] of one row. */
static double loss_of(const eg_real *y, uint32_t label)
{
    double sum = 0;
    for (size_t j = 0; j < N; j++) {
        sum += exp((double)y[j]);
    }
    return log(sum) - (double)y[label];
}

static double mean_loss(const eg_real *y)
{
    double sum = 0;
    for (size_t r = 0; r < ROWS; r++) {
        sum += loss_of(y + r * N, labels[r]);
    }
    return sum / ROWS;
}

/* The loss is the mean over all rows; the update lowers it. */
static void the_loss_is_the_mean_over_rows(void **state)
{
    (void)state;
    scene s;
    eg_real scores[ROWS * N];
    eg_step_outcome outcome = {.loss = 0};
    assert_ok(open_scene(
        &s, (const char *const[]){"model", "positions", "optimizer.lr", "0.1", NULL, NULL}));
    assert_ok(s.learner->ops->predict(s.learner, &batch, scores));
    const double before = mean_loss(scores);
    assert_ok(s.learner->ops->step(s.learner, &batch, &outcome));
    assert_close(outcome.loss, before, 1e-6);
    for (size_t i = 0; i < (size_t)ROWS * N; i++) {
        assert_close((double)outcome.outputs[i], (double)scores[i], 1e-6);
    }
    for (size_t i = 0; i < 200; i++) {
        assert_ok(s.learner->ops->step(s.learner, &batch, &outcome));
    }
    assert_ok(s.learner->ops->predict(s.learner, &batch, scores));
    assert_true(mean_loss(scores) < before / 2);
    assert_int_equal(eg_count_correct(ROWS, N, scores, labels, NULL), ROWS);
    assert_close(eg_correct_examples(&batch, N, scores), B, 0);
    close_scene(&s);
}

/* An ensemble predicts the mean of its members' probabilities, row by row. */
static void an_ensemble_averages_rows(void **state)
{
    (void)state;
    scene s;
    eg_real scores[ROWS * N];
    assert_ok(open_scene(&s, (const char *const[]){"model", "positions", "learner", "ensemble",
                                                   "learner.members", "2", NULL, NULL}));
    assert_ok(s.learner->ops->predict(s.learner, &batch, scores));
    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;
        for (size_t j = 0; j < N; j++) {
            sum += (double)scores[r * N + j];
        }
        assert_close(sum, 1, 1e-6);
    }
    close_scene(&s);
}

static void correct_rows_are_counted(void **state)
{
    (void)state;
    /* right: rows 0, 2 of the first example, 4 of the second */
    const eg_real scores[ROWS * N] = {9, 0, 0, 0, /**/ 9, 0, 0, 0, /**/ 0, 9, 0, 0,
                                      0, 9, 0, 0, /**/ 0, 0, 9, 0, /**/ 0, 0, 9, 0};
    size_t examples_of[N] = {0};
    size_t correct_of[N] = {0};
    assert_int_equal(eg_count_correct_batch(&batch, N, scores), 3);
    assert_close(eg_correct_examples(&batch, N, scores), 2.0 / T + 1.0 / T, 1e-15);
    assert_int_equal(eg_count_correct_of(ROWS, N, scores, labels, NULL, examples_of, correct_of),
                     3);
    const size_t all[N] = {2, 1, 2, 1};
    const size_t right[N] = {1, 1, 1, 0};
    assert_memory_equal(examples_of, all, sizeof all);
    assert_memory_equal(correct_of, right, sizeof right);
}

/* Active outputs hold for all positions, or for those of an example. */
static void losses_over_active_outputs(void **state)
{
    (void)state;
    static const uint32_t low[] = {0, 1, 3};
    static const uint32_t high[] = {0, 2};
    const eg_active tasks[] = {{3, low}, {2, high}};
    const uint32_t row_task[B] = {0, 1};
    const eg_component *kind = eg_family_find(&eg_loss_family, "cross_entropy");
    const eg_loss *loss = (const eg_loss *)(const void *)kind;
    eg_real y[ROWS * N];
    eg_real dy[ROWS * N];
    double expected = 0;
    for (size_t i = 0; i < (size_t)ROWS * N; i++) {
        y[i] = (eg_real)sin((double)i);
    }
    for (size_t r = 0; r < ROWS; r++) {
        const eg_active *active = &tasks[r / T];
        double sum = 0;
        for (size_t k = 0; k < active->count; k++) {
            sum += exp((double)y[r * N + active->output[k]]);
        }
        expected += (log(sum) - (double)y[r * N + labels[r]]) / ROWS;
    }
    eg_batch mixed = batch;
    mixed.row_task = row_task;
    mixed.task_active = tasks;
    eg_masked_loss masked = {0};
    assert_ok(eg_masked_loss_init(&masked, ROWS, N));
    assert_close(eg_masked_loss_of(&masked, loss, &mixed, N, y, dy), expected, 1e-6);
    assert_true(dy[2] == 0 && dy[ROWS * N - 3] == 0); /* outputs that do not take part */
    assert_true(dy[0] < 0);
    eg_masked_loss_clear(&masked);
}

static void what_has_one_label_is_refused(void **state)
{
    (void)state;
    scene s;
    assert_fails(open_scene(&s, (const char *const[]){"model", "positions", "learner", "replay",
                                                      NULL, NULL}),
                 EG_INVALID, "learner replay learns examples with one label, and those of stream");
    close_scene(&s);
    assert_fails(open_scene(&s, (const char *const[]){"model", "positions", "learner", "ensemble",
                                                      "learner.of", "ewc", NULL, NULL}),
                 EG_INVALID, "learner ewc learns examples with one label");
    close_scene(&s);
    assert_fails(open_scene(&s, (const char *const[]){"model", "mlp", NULL, NULL}), EG_INVALID,
                 "model = mlp makes 4 outputs of an example, and those of stream");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_positions_of_examples),
        cmocka_unit_test(the_loss_is_the_mean_over_rows),
        cmocka_unit_test(an_ensemble_averages_rows),
        cmocka_unit_test(correct_rows_are_counted),
        cmocka_unit_test(losses_over_active_outputs),
        cmocka_unit_test(what_has_one_label_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
