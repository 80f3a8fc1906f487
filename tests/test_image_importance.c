/** Importances of the parameters of convolutions and batch normalisation: against one forward and backward, by
 *  running statistics, for every single example and class. In double precision. */
#include "image_scene.h"

#include <math.h>
#include <string.h>

enum { SEED = 7, SAMPLES = 11 };

#define SAMPLED "learner.samples", "11"

/* What is differentiated for an example with scores y, of several rounds. */
typedef void (*error_of)(const eg_real *y, uint32_t label, size_t round, eg_real *dy);

static void log_probability(const eg_real *y, size_t of, double weight, eg_real *dy)
{
    double sum = 0;
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        sum += exp((double)y[j]);
    }
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        dy[j] = (eg_real)(weight * (exp((double)y[j]) / sum - (j == of ? 1 : 0)));
    }
}

static void exact(const eg_real *y, uint32_t label, size_t round, eg_real *dy)
{
    double sum = 0;
    (void)label;
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        sum += exp((double)y[j]);
    }
    log_probability(y, round, sqrt(exp((double)y[round]) / sum), dy);
}

static void empirical(const eg_real *y, uint32_t label, size_t round, eg_real *dy)
{
    (void)round;
    log_probability(y, label, 1, dy);
}

static void length(const eg_real *y, uint32_t label, size_t round, eg_real *dy)
{
    (void)label;
    (void)round;
    for (size_t j = 0; j < SCENE_CLASSES; j++) {
        dy[j] = 2 * y[j];
    }
}

/* expected [param_count]: of the first SAMPLES examples of the last of two epochs. */
static void expect(const learner_scene *s, size_t rounds, bool square, error_of error,
                   double *expected)
{
    eg_net *net = scene_net(s);
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, 1, true));
    size_t steps = eg_stream_steps(s->stream, 0);
    size_t seen = 0;
    for (size_t step = steps / 2; step < steps && seen < SAMPLES; step++) {
        eg_batch batch;
        eg_cursor_get(s->cursor, 0, step, &batch);
        for (size_t b = 0; b < batch.size && seen < SAMPLES; b++, seen++) {
            const eg_real *y =
                eg_net_forward(net, workspace, EG_MODE_PROBE, 1, batch.x + b * net->inputs, NULL);
            for (size_t round = 0; round < rounds; round++) {
                eg_real dy[SCENE_CLASSES];
                error(y, batch.label[b], round, dy);
                eg_net_backward(net, workspace, dy, NULL);
                for (size_t i = 0; i < net->param_count; i++) {
                    double g = (double)net->grads[i];
                    expected[i] += (square ? g * g : fabs(g)) / SAMPLES;
                }
            }
        }
    }
    eg_workspace_free(workspace);
}

static void check(const char *const *words, size_t rounds, bool square, error_of error)
{
    learner_scene s = image_scene_open(words, SEED);
    scene_create(&s);
    eg_net *net = scene_net(&s);
    double *expected = NULL;
    double *buffers = NULL;
    assert_true(eg_net_has_per_example(net));
    assert_ok(eg_alloc(&expected, net->param_count, sizeof *expected));
    assert_ok(eg_alloc(&buffers, net->buffer_count, sizeof *buffers));
    for (size_t step = 0; step < eg_stream_steps(s.stream, 0); step++) {
        (void)scene_step(&s, 0, step);
    }
    memcpy(buffers, net->buffers, net->buffer_count * sizeof *buffers);
    scene_end(&s, 0);
    assert_memory_equal(buffers, net->buffers, net->buffer_count * sizeof *buffers);
    expect(&s, rounds, square, error, expected);
    const eg_real *importance = scene_regularised(&s)->terms[0].importance;
    size_t positive = 0;
    for (size_t i = 0; i < net->param_count; i++) {
        assert_close((double)importance[i], expected[i], 1e-10 * fmax(1, expected[i]));
        positive += expected[i] > 1e-9 ? 1 : 0;
    }
    assert_true(2 * positive > eg_parameter_table_size(&net->table, EG_ROLE_COUNT));
    eg_free(expected);
    eg_free(buffers);
    scene_close(&s);
}

static void residual_networks(void **state)
{
    (void)state;
    check(SCENE(RESIDUAL, "learner", "ewc", SAMPLED), SCENE_CLASSES, true, exact);
    check(SCENE(RESIDUAL, "learner", "online_ewc", SAMPLED), SCENE_CLASSES, true, exact);
    check(SCENE(RESIDUAL, "learner", "ewc", "learner.fisher", "empirical", SAMPLED), 1, true,
          empirical);
    check(SCENE(RESIDUAL, "learner", "mas", SAMPLED), 1, false, length);
}

static void flattened_images(void **state)
{
    (void)state;
#define FLAT                                                                                       \
    "model", "convnet", "model.layers",                                                            \
        "[conv 6 3x3 stride 2, activation, max_pool 2, batch_norm, linear 5, activation]"
    check(SCENE(FLAT, "learner", "ewc", SAMPLED), SCENE_CLASSES, true, exact);
    check(SCENE(FLAT, "learner", "mas", SAMPLED), 1, false, length);
}

/* The path of every parameter: s = - sum g dw, by a network that is trained alike. */
static void paths(void **state)
{
    (void)state;
    learner_scene s = image_scene_open(
        SCENE(RESIDUAL, "learner", "si", "learner.damping", "1e-3", "optimizer", "sgd"), SEED);
    learner_scene plain = image_scene_open(SCENE(RESIDUAL, "optimizer", "sgd"), SEED);
    scene_create(&s);
    scene_create(&plain);
    eg_net *net = image_scene_network(&plain).net;
    eg_real *start = NULL;
    eg_real *last = NULL;
    double *path = NULL;
    assert_ok(eg_alloc(&start, net->param_count, sizeof *start));
    assert_ok(eg_alloc(&last, net->param_count, sizeof *last));
    assert_ok(eg_alloc(&path, net->param_count, sizeof *path));
    memcpy(start, net->params, net->param_count * sizeof *start);
    for (size_t step = 0; step < eg_stream_steps(s.stream, 0); step++) {
        memcpy(last, net->params, net->param_count * sizeof *last);
        (void)scene_step(&s, 0, step);
        (void)scene_step(&plain, 0, step);
        for (size_t i = 0; i < net->param_count; i++) {
            double change = (double)net->params[i] - (double)last[i];
            path[i] += change * change / 0.02; /* g = - change / lr */
        }
    }
    scene_end(&s, 0);
    const eg_real *importance = scene_regularised(&s)->terms[0].importance;
    for (size_t i = 0; i < net->param_count; i++) {
        double distance = (double)net->params[i] - (double)start[i];
        double expected = path[i] / (distance * distance + 1e-3);
        assert_close((double)importance[i], expected, 1e-9 * fmax(1, expected));
    }
    eg_free(start);
    eg_free(last);
    eg_free(path);
    scene_close(&s);
    scene_close(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_networks),
        cmocka_unit_test(flattened_images),
        cmocka_unit_test(paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
