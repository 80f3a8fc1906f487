/** Sums of |w| that the updates keep up, for utilities: against those of a pass over the weights. 144
 *  inputs and 120 units in 128 lanes are 18,432 weights: large. In single precision. */
#include "learner_scene.h"

#include "engram/units.h"
#include "learner/utility.h"

#include <math.h>
#include <string.h>

enum { SEED = 3, UNITS = 120 };

#define WIDE(...)                                                                                  \
    SCENE("dataset.side", "12", "model.hidden", "[120, 100]", "model.activation", "relu",          \
          "stream.batch", "1", __VA_ARGS__)

typedef struct scene {
    learner_scene learning; /* the plain learner */
    eg_learner_network at;
    eg_utility utility;       /* follows the updates */
    eg_unit_magnitudes plain; /* reads the weights */
} scene;

static void open_scene(scene *s, const char *const *words)
{
    const eg_utility_rule rule = {
        .kind = EG_UTILITY_ADAPTABLE_CONTRIBUTION, .decay = .9, .maturity = 5};
    s->learning = scene_open(words, SEED);
    scene_create(&s->learning);
    assert_true(s->learning.learner->ops->network(s->learning.learner, 0, &s->at));
    assert_ok(eg_utility_init(&s->utility, &s->at, &rule));
    assert_ok(eg_utility_follow(&s->utility));
    assert_ok(eg_unit_magnitudes_init(&s->plain, s->at.net, true, true));
}

static void close_scene(scene *s)
{
    eg_utility_clear(&s->utility);
    eg_unit_magnitudes_clear(&s->plain);
    scene_close(&s->learning);
}

static void any_step(learner_scene *s, size_t t)
{
    size_t steps = eg_stream_steps(s->stream, 0);
    (void)scene_step(s, t / steps % 3, t % steps);
}

/* Takes both. The largest relative difference of a unit's mean incoming weight; outgoing ones are
 * the same. */
static double difference(scene *s)
{
    double most = 0;
    eg_utility_begin(&s->utility);
    eg_unit_magnitudes_take(&s->plain);
    for (size_t i = 0; i < s->plain.units; i++) {
        double expected = (double)s->plain.in[i];
        double relative = fabs((double)s->utility.magnitudes.in[i] - expected) / expected;
        most = relative > most ? relative : most;
        assert_true(expected > 0 && s->utility.magnitudes.out[i] == s->plain.out[i]);
    }
    return most;
}

static eg_column_magnitudes *kept_of(scene *s)
{
    assert_int_equal(s->utility.magnitudes.kept_count, 1); /* the second layer is small */
    return &s->utility.magnitudes.kept[0];
}

static void renew_unit(eg_net *net, size_t unit)
{
    eg_plane_run run;
    assert_true(eg_net_unit_run(net, 0, EG_UNIT_INCOMING, unit, 0, &run));
    for (size_t i = 0; i < run.count; i++) {
        net->params[run.first + i * run.stride] = (eg_real)(i % 7) / 8 - (eg_real)0.4;
    }
    eg_net_touch(net);
}

/* Thousands of updates, over the one at which sums are added up anew; then units are replaced in
 * between. */
static void sums_follow_plain_descent(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, WIDE("optimizer.lr", "0.01"));
    eg_column_magnitudes *kept = kept_of(&s);
    assert_true(kept->first == 0 && kept->rows == 144 && kept->width == 128 && kept->lost);
    assert_true(difference(&s) == 0);
    double before = kept->sum[0];
    for (size_t t = 0; t < EG_UNIT_MAGNITUDES_RENEWAL - 1; t++) {
        any_step(&s.learning, t);
        assert_false(kept->lost);
        assert_true(difference(&s) < 1e-6);
    }
    assert_true(fabs(kept->sum[0] - before) > 1e-3); /* and there was something to follow */
    any_step(&s.learning, 0);
    assert_true(difference(&s) == 0);
    for (size_t t = 0; t < 2000; t++) {
        any_step(&s.learning, t);
        bool renews = t % 30 == 29;
        if (renews) {
            renew_unit(s.at.net, t % UNITS);
        }
        double off = difference(&s);
        assert_true(off < 1e-6 && (off == 0 || !renews));
    }
    close_scene(&s);
}

/* Any other update says that it did not keep them, and then they are those of a pass. */
static void other_updates_lose_them(void **state)
{
    (void)state;
    const char *const *const others[] = {
        WIDE("optimizer", "adam"),
        WIDE("optimizer", "sgdm"),
        WIDE("optimizer.weight_decay", "0.01"),
        WIDE("optimizer.weight_decay", "0.01", "optimizer.decay", "decoupled"),
        WIDE("optimizer.clip", "0.001"),
        WIDE("optimizer.clip_norm", "0.1"),
        WIDE("learner", "l2_init"),
    };
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        scene s;
        open_scene(&s, others[i]);
        for (size_t t = 0; t < 20; t++) {
            assert_true(difference(&s) == 0);
            any_step(&s.learning, t % 4);
            assert_true(kept_of(&s)->lost);
        }
        close_scene(&s);
    }
}

/* Two that follow the same matrix: one is kept up, the other knows that it is not. */
static void two_that_follow(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, WIDE("optimizer.lr", "0.01"));
    eg_unit_magnitudes second;
    assert_ok(eg_unit_magnitudes_init(&second, s.at.net, true, false));
    assert_ok(eg_unit_magnitudes_keep(&second));
    eg_optimizer_follow(s.at.optimizer, &second.kept[0]);
    for (size_t t = 0; t < 20; t++) {
        assert_true(difference(&s) < 1e-6);
        eg_unit_magnitudes_take(&second);
        for (size_t u = 0; u < UNITS; u++) {
            assert_close((double)second.in[u], (double)s.plain.in[u], 1e-6);
        }
        any_step(&s.learning, t);
        assert_true(kept_of(&s)->lost != second.kept[0].lost);
    }
    eg_unit_magnitudes_clear(&second);
    close_scene(&s);
}

/* 20-5-1 and the like are read as ever. */
static void small_networks_keep_none(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, SCENE("model.hidden", "[5]", "stream.batch", "1"));
    assert_int_equal(s.utility.magnitudes.kept_count, 0);
    any_step(&s.learning, 0);
    assert_true(difference(&s) == 0);
    eg_writer writer = {0};
    eg_unit_magnitudes_write(&s.utility.magnitudes, &writer);
    assert_int_equal(writer.size, 0);
    close_scene(&s);
}

#define CBP(...) WIDE("optimizer.lr", "0.01", "learner", "continual_backprop", __VA_ARGS__)

static eg_writer written(const learner_scene *s)
{
    eg_writer writer = {0};
    s->learner->ops->write(s->learner, &writer);
    assert_ok(eg_writer_status(&writer));
    return writer;
}

/* Continual backpropagation, killed after every fifth update, ends in the same bytes. */
static void a_checkpoint_keeps_them(void **state)
{
    (void)state;
    const char *const *words = CBP("learner.replacement_rate", "0.0005", "learner.maturity", "20");
    learner_scene whole = scene_open(words, SEED);
    learner_scene parts = scene_open(words, SEED);
    double replaced[2] = {0};
    scene_create(&whole);
    scene_create(&parts);
    for (size_t t = 0; t < 300; t++) {
        any_step(&whole, t);
        any_step(&parts, t);
        if (t % 5 == 0) {
            eg_writer writer = written(&parts);
            eg_learner_free(parts.learner);
            scene_create(&parts);
            eg_reader reader = eg_reader_make(writer.data, writer.size);
            assert_ok(parts.learner->ops->read(parts.learner, &reader));
            assert_ok(eg_reader_status(&reader, true));
            eg_writer_clear(&writer);
        }
        eg_writer a = written(&whole);
        eg_writer b = written(&parts);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        eg_writer_clear(&a);
        eg_writer_clear(&b);
    }
    assert_true(eg_learner_replaced(whole.learner, replaced) && replaced[0] > 3);
    scene_close(&whole);
    scene_close(&parts);
}

/* Sums that were lost when a checkpoint was made are added up afterwards; impossible ones are
 * refused. */
static void sums_that_are_not_there(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, WIDE("optimizer.lr", "0.01"));
    (void)difference(&s);
    renew_unit(s.at.net, 1);
    eg_writer writer = {0};
    eg_unit_magnitudes *magnitudes = &s.utility.magnitudes;
    eg_unit_magnitudes_write(magnitudes, &writer);
    assert_int_equal(writer.size, 8);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_unit_magnitudes_read(magnitudes, &reader));
    assert_true(difference(&s) == 0);
    for (size_t byte = 1; byte < 8; byte += 4) {
        writer.data[byte] = 0x7f;
        reader = eg_reader_make(writer.data, writer.size);
        assert_fails(eg_unit_magnitudes_read(magnitudes, &reader), EG_INVALID, "sums of weights");
        writer.data[byte] = 0;
    }
    eg_writer_clear(&writer);
    close_scene(&s);
}

/* Where no unit is ever old enough, weights are those of plain backpropagation to the bit. */
static void following_changes_no_weight(void **state)
{
    (void)state;
    learner_scene plain = scene_open(WIDE("optimizer.lr", "0.01"), SEED);
    learner_scene cbp = scene_open(CBP("learner.maturity", "1000000"), SEED);
    eg_learner_network at[2];
    scene_create(&plain);
    scene_create(&cbp);
    for (size_t t = 0; t < 300; t++) {
        any_step(&plain, t);
        any_step(&cbp, t);
    }
    assert_true(plain.learner->ops->network(plain.learner, 0, &at[0]));
    assert_true(cbp.learner->ops->network(cbp.learner, 0, &at[1]));
    assert_memory_equal(at[0].net->params, at[1].net->params,
                        at[0].net->param_count * sizeof(eg_real));
    scene_close(&plain);
    scene_close(&cbp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_follow_plain_descent),
        cmocka_unit_test(other_updates_lose_them),
        cmocka_unit_test(two_that_follow),
        cmocka_unit_test(small_networks_keep_none),
        cmocka_unit_test(a_checkpoint_keeps_them),
        cmocka_unit_test(sums_that_are_not_there),
        cmocka_unit_test(following_changes_no_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
