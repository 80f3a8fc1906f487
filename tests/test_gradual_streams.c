/** Streams whose tasks are not sharp, blurry and boundary_free: which examples come when, on a tiny case, and that
 *  trials of them are continued at any minibatch. */
#include "testing.h"

#include "saved_trials.h"

#include "engram/memory.h"
#include "engram/params.h"
#include "engram/stream.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

enum { EXAMPLES = 400, TASKS = 5, EPOCHS = 2 };

/** A stream and the labels of its minibatches. */
typedef struct scene {
    eg_settings *settings;
    eg_dataset_cache *cache;
    const eg_dataset *dataset;
    eg_stream *stream;
    eg_cursor *cursor;
} scene;

static eg_settings *settings_of(const char *stream, const char *name, const char *value)
{
    const eg_assignment all[] = {
        {.name = "dataset", .value = "synthetic"},
        {.name = "dataset.examples", .value = "400"},
        {.name = "dataset.test_examples", .value = "50"},
        {.name = "dataset.side", .value = "4"},
        {.name = "stream", .value = stream},
        {.name = "stream.batch", .value = "7"},
        {.name = "stream.epochs", .value = "2"},
        {.name = "model.hidden", .value = "[4]"},
        {.name = name, .value = value},
    };
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, EG_COUNT(all)));
    return settings;
}

static scene open_scene(const char *stream, const char *name, const char *value, uint64_t seed)
{
    scene s = {.settings = settings_of(stream, name, value)};
    eg_view root = eg_settings_root(s.settings);
    const eg_cursor_setup setup = {.trains = true, .block = 10};
    assert_ok(eg_dataset_cache_create(&s.cache));
    assert_ok(eg_dataset_cache_get(s.cache, &root, &s.dataset));
    assert_ok(eg_stream_create(&s.stream, &root, s.dataset, seed, 0));
    assert_ok(eg_cursor_open(&s.cursor, s.stream, &setup));
    return s;
}

static void close_scene(scene *s)
{
    eg_cursor_close(s->cursor);
    eg_stream_free(s->stream);
    eg_dataset_cache_free(s->cache);
    eg_settings_free(s->settings);
}

/** The task whose classes an example is of: two of the ten in their order. */
static size_t task_of(const scene *s, uint32_t number)
{
    return s->dataset->train.label[number] / 2;
}

/** Examples of the first epoch of a phase, in order; how many. */
static size_t epoch_of(const scene *s, size_t phase, size_t epoch, uint32_t out[EXAMPLES])
{
    size_t count = 0;
    size_t steps = eg_stream_phase(s->stream, phase).steps;
    for (size_t step = epoch * steps; step < (epoch + 1) * steps; step++) {
        eg_batch batch;
        eg_cursor_get(s->cursor, phase, step, &batch);
        assert_true(count + batch.size <= EXAMPLES);
        memcpy(out + count, batch.number, batch.size * sizeof *out);
        count += batch.size;
    }
    return count;
}

/** Every example is in one phase, and of each task's the share `blur` in others, dealt evenly. */
static void blurry_shares(void **state)
{
    (void)state;
    static const struct {
        const char *blur;
        double share;
    } rows[] = {{"0", 0}, {"10", 0.1}, {"30", 0.3}, {"100", 1}};
    for (size_t r = 0; r < EG_COUNT(rows); r++) {
        scene s = open_scene("blurry", "stream.blur", rows[r].blur, 3);
        size_t own[TASKS] = {0};
        size_t counts[TASKS][TASKS] = {{0}}; /* [phase][task] */
        bool seen[EXAMPLES] = {false};
        assert_int_equal(s.stream->shape.phases, TASKS);
        for (size_t i = 0; i < EXAMPLES; i++) {
            own[task_of(&s, (uint32_t)i)]++;
        }
        for (size_t p = 0; p < TASKS; p++) {
            uint32_t numbers[EXAMPLES];
            size_t count = epoch_of(&s, p, 0, numbers);
            for (size_t i = 0; i < count; i++) {
                assert_false(seen[numbers[i]]);
                seen[numbers[i]] = true;
                counts[p][task_of(&s, numbers[i])]++;
            }
        }
        for (size_t t = 0; t < TASKS; t++) {
            size_t moved = (size_t)floor(rows[r].share * (double)own[t] + 0.5);
            size_t least = moved / (TASKS - 1);
            for (size_t p = 0; p < TASKS; p++) {
                if (p == t) {
                    assert_int_equal(counts[p][t], own[t] - moved);
                } else {
                    assert_in_range(counts[p][t], least, least + (moved % (TASKS - 1) > 0));
                }
            }
        }
        assert_int_equal(eg_stream_phase(s.stream, 1).task, rows[r].share > 0 ? EG_NO_TASK : 1);
        close_scene(&s);
    }
}

/** Without a blur it is split, minibatch by minibatch. */
static void blurry_without_blur(void **state)
{
    (void)state;
    scene a = open_scene("blurry", "stream.blur", "0", 5);
    scene b = open_scene("split", "stream.tasks", "5", 5);
    for (size_t p = 0; p < TASKS; p++) {
        uint32_t x[EXAMPLES];
        uint32_t y[EXAMPLES];
        size_t count = epoch_of(&a, p, 1, x);
        assert_int_equal(count, epoch_of(&b, p, 1, y));
        assert_memory_equal(x, y, count * sizeof *x);
    }
    close_scene(&a);
    close_scene(&b);
}

/** Mean place of each task's examples in the order of an epoch, as a share of it. */
static void mean_times(const scene *s, size_t epoch, double mean[TASKS], double deviation[TASKS])
{
    uint32_t numbers[EXAMPLES];
    size_t count[TASKS] = {0};
    bool seen[EXAMPLES] = {false};
    double square[TASKS] = {0};
    memset(mean, 0, TASKS * sizeof *mean);
    assert_int_equal(epoch_of(s, 0, epoch, numbers), EXAMPLES);
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t t = task_of(s, numbers[i]);
        double time = ((double)i + 0.5) / EXAMPLES;
        assert_false(seen[numbers[i]]);
        seen[numbers[i]] = true;
        count[t]++;
        mean[t] += time;
        square[t] += time * time;
    }
    for (size_t t = 0; t < TASKS; t++) {
        mean[t] /= (double)count[t];
        deviation[t] = sqrt(square[t] / (double)count[t] - mean[t] * mean[t]);
    }
}

/** One phase without a task; tasks come around the middle of their share, each with others around it. */
static void gradual_changes(void **state)
{
    (void)state;
    scene s = open_scene("boundary_free", "stream.spread", "0.5", 3);
    double mean[TASKS];
    double deviation[TASKS];
    assert_int_equal(s.stream->shape.phases, 1);
    assert_int_equal(s.stream->shape.tasks, TASKS);
    assert_int_equal(eg_stream_phase(s.stream, 0).task, EG_NO_TASK);
    for (size_t epoch = 0; epoch < EPOCHS; epoch++) {
        mean_times(&s, epoch, mean, deviation);
        for (size_t t = 0; t < TASKS; t++) {
            /* Means of 80 draws of deviation 0.1 are within 0.034 of theirs in 99.7 of 100 cases; in the tasks at
             * the ends the cut moves them inwards, by up to 0.023. */
            assert_true(fabs(mean[t] - (0.1 + 0.2 * (double)t)) < 0.06);
            assert_true(deviation[t] > 0.05 && deviation[t] < 0.15);
        }
    }
    close_scene(&s);
}

/** Almost no spread: task after task. Very much: as good as shuffled. */
static void sharp_and_flat(void **state)
{
    (void)state;
    double mean[TASKS];
    double deviation[TASKS];
    scene s = open_scene("boundary_free", "stream.spread", "0.001", 3);
    uint32_t numbers[EXAMPLES];
    assert_int_equal(epoch_of(&s, 0, 0, numbers), EXAMPLES);
    for (size_t i = 1; i < EXAMPLES; i++) {
        assert_true(task_of(&s, numbers[i]) >= task_of(&s, numbers[i - 1]));
    }
    close_scene(&s);
    s = open_scene("boundary_free", "stream.spread", "100", 3);
    mean_times(&s, 0, mean, deviation);
    for (size_t t = 0; t < TASKS; t++) {
        assert_true(fabs(mean[t] - 0.5) < 0.1);
    }
    close_scene(&s);
}

/** Epochs, and seeds, are different draws; a jump leads to the same minibatch. */
static void keyed(void **state)
{
    (void)state;
    static const char *const streams[][3] = {{"blurry", "stream.blur", "30"},
                                             {"boundary_free", "stream.spread", "0.5"}};
    for (size_t i = 0; i < EG_COUNT(streams); i++) {
        scene s = open_scene(streams[i][0], streams[i][1], streams[i][2], 3);
        scene other = open_scene(streams[i][0], streams[i][1], streams[i][2], 4);
        uint32_t first[EXAMPLES];
        uint32_t second[EXAMPLES];
        size_t count = epoch_of(&s, 0, 0, first);
        assert_int_equal(epoch_of(&s, 0, 1, second), count);
        assert_memory_not_equal(first, second, count * sizeof *first);
        (void)epoch_of(&other, 0, 0, second);
        assert_memory_not_equal(first, second, count * sizeof *first);
        eg_batch batch;
        eg_cursor_get(s.cursor, 0, 2, &batch);
        assert_memory_equal(batch.number, first + 14, batch.size * sizeof *first);
        close_scene(&s);
        close_scene(&other);
    }
}

static void continued_anywhere(void **state)
{
    (void)state;
    static const char *const streams[] = {"blurry", "boundary_free"};
    for (size_t i = 0; i < EG_COUNT(streams); i++) {
        saved_scene s = saved_scene_open(saved_settings("stream", streams[i]));
        saved_scene_interrupt(&s, streams[i]);
        saved_scene_close(&s);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *stream, *name, *value, *error;
    } rows[] = {
        {"boundary_free", "learner", "ewc",
         "learner ewc does something where a task begins or ends"},
        {"boundary_free", "learner", "shrink_perturb", "announces no such boundary"},
        {"boundary_free", "learner", "plain", NULL},
        {"boundary_free", "learner", "replay", NULL},
        {"blurry", "learner", "ewc", NULL},
        {"blurry", "learner", "hat", "does not tell it"},
        {"boundary_free", "stream.tasks", "3", "expected a divisor of 10"},
        {"blurry", "stream.tasks", "3", "expected a divisor of 10"},
        {"boundary_free", "stream.order_file", "x.csv", "says itself in which order"},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        eg_settings *settings = settings_of(rows[i].stream, rows[i].name, rows[i].value);
        eg_status status = eg_trial_check(settings);
        if (rows[i].error == NULL) {
            assert_ok(status);
        } else {
            assert_fails(status, EG_INVALID, rows[i].error);
        }
        eg_settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blurry_shares),   cmocka_unit_test(blurry_without_blur),
        cmocka_unit_test(gradual_changes), cmocka_unit_test(sharp_and_flat),
        cmocka_unit_test(keyed),           cmocka_unit_test(continued_anywhere),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
