/** What optimizers know of their parameters: which decay, which are forgotten, and what time it is. */
#include "optimizer_scene.h"

#include <string.h>

enum { N = 12 };

/* Weights [4] | biases [2] | padding [2] | scales [4], which are those of the outputs */
static const eg_parameter_block blocks[] = {
    {.name = "layer1.weight",
     .role = EG_ROLE_WEIGHT,
     .offset = 0,
     .count = 4,
     .units = 2,
     .fan_in = 2},
    {.name = "layer1.bias", .role = EG_ROLE_BIAS, .offset = 4, .count = 2, .units = 2, .fan_in = 1},
    {.name = "norm1.scale",
     .role = EG_ROLE_SCALE,
     .offset = 8,
     .count = 4,
     .units = 4,
     .fan_in = 1,
     .head = true},
};

static eg_optimizer *made_of(const char *const *words)
{
    eg_parameter_block copy[EG_COUNT(blocks)];
    memcpy(copy, blocks, sizeof copy);
    const eg_parameter_table table = {.count = N, .block_count = EG_COUNT(blocks), .blocks = copy};
    return optimizer_for(words, &table);
}

/* One update of parameters that are all 2 (padding 0) by gradients that are all 1 (padding 0). */
static void step(eg_optimizer *optimizer, eg_real *w)
{
    eg_real g[N];
    for (size_t i = 0; i < N; i++) {
        bool padding = i == 6 || i == 7;
        g[i] = padding ? 0 : 1;
        w[i] = padding ? 0 : 2;
    }
    eg_optimizer_step(optimizer, w, g);
}

static void assert_weights(const char *const *words, double weight, double bias, double scale)
{
    eg_optimizer *optimizer = made_of(words);
    eg_real w[N];
    step(optimizer, w);
    for (size_t i = 0; i < N; i++) {
        double expected = i < 4 ? weight : i < 6 ? bias : i < 8 ? 0 : scale;
        assert_close((double)w[i], expected, 1e-6);
    }
    eg_optimizer_free(optimizer);
}

#define SGD(...)                                                                                   \
    ((const char *const[]){"optimizer", "sgd", "optimizer.lr", "0.1", __VA_ARGS__, NULL})

/* Coupled: 2 - 0.1 (1 + 0.5 2) = 1.8; decoupled with sgd the same, for it is linear; spared: 1.9. The
 * norm of ten gradients is sqrt 10: bounded to half of it, 2 - 0.1 (0.5 + 0.5 2) = 1.85. */
static void weight_decay_by_hand(void **state)
{
    (void)state;
    const char *const *all = SGD("optimizer.weight_decay", "0.5");
    assert_weights(all, 1.8, 1.8, 1.8);
    const char *const *beside =
        SGD("optimizer.weight_decay", "0.5", "optimizer.decay", "decoupled");
    assert_weights(beside, 1.8, 1.8, 1.8);
    const char *const *spared =
        SGD("optimizer.weight_decay", "0.5", "optimizer.decay_spares", "[bias, scale]");
    assert_weights(spared, 1.8, 1.9, 1.9);
    const char *const *bounded = SGD("optimizer.weight_decay", "0.5", "optimizer.clip_norm",
                                     "1.581138830084190", "optimizer.decay_spares", "[scale]");
    assert_weights(bounded, 1.85, 1.85, 1.95);
    const char *const *trunk = SGD("optimizer.weight_decay", "0.5", "optimizer.decays", "trunk");
    assert_weights(trunk, 1.8, 1.8, 1.9);
    const char *const *trunk_beside =
        SGD("optimizer.weight_decay", "0.5", "optimizer.decays", "trunk", "optimizer.decay",
            "decoupled", "optimizer.decay_spares", "[bias]");
    assert_weights(trunk_beside, 1.8, 1.9, 1.9);
}

/* adagrad from 0: the first update is -lr whatever the gradient, so coupled decay makes no difference and
 * decoupled decay does: (1 - 0.1 0.5) 2 - 0.1 = 1.8. */
static void decoupled_decay_is_no_gradient(void **state)
{
    (void)state;
    const char *const coupled[] = {"optimizer",
                                   "adagrad",
                                   "optimizer.lr",
                                   "0.1",
                                   "optimizer.initial",
                                   "0",
                                   "optimizer.epsilon",
                                   "1e-12",
                                   "optimizer.weight_decay",
                                   "0.5",
                                   NULL};
    const char *const decoupled[] = {"optimizer",
                                     "adagrad",
                                     "optimizer.lr",
                                     "0.1",
                                     "optimizer.initial",
                                     "0",
                                     "optimizer.epsilon",
                                     "1e-12",
                                     "optimizer.weight_decay",
                                     "0.5",
                                     "optimizer.decay",
                                     "decoupled",
                                     NULL};
    assert_weights(coupled, 1.9, 1.9, 1.9);
    assert_weights(decoupled, 1.8, 1.8, 1.8);
}

/* sgdm with momentum 0.9: 2 - 0.1, then 2 - 0.1 1.9 where the first gradient is remembered. */
static void parameters_are_forgotten(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgdm", "optimizer.lr", "0.1", "optimizer.beta",
                                 "0.9",       NULL};
    eg_optimizer *optimizer = made_of(words);
    eg_real w[N];
    step(optimizer, w);
    eg_optimizer_reset(optimizer, 1, 2, 7); /* parameters 1 and 8 */
    step(optimizer, w);
    assert_close((double)w[0], 1.81, 1e-6);
    assert_close((double)w[1], 1.9, 1e-6);
    assert_close((double)w[8], 1.9, 1e-6);
    assert_close((double)w[9], 1.81, 1e-6);
    eg_optimizer_restart(optimizer);
    step(optimizer, w);
    assert_close((double)w[9], 1.9, 1e-6);
    eg_optimizer_free(optimizer);
}

/* A restarted optimizer makes the updates of a new one, those of its schedule and corrections too; phase 0
 * is no restart, and neither is any phase by default. */
static void phases_restart_if_asked(void **state)
{
    (void)state;
    for (int form = 0; form < 2; form++) {
        const char *const words[] = {"optimizer",
                                     "adam",
                                     "optimizer.schedule",
                                     "exponential",
                                     "optimizer.restart",
                                     form == 0 ? "phase" : "never",
                                     NULL};
        eg_optimizer *fresh = made_of(words);
        eg_optimizer *used = made_of(words);
        eg_real expected[N];
        eg_real w[N];
        eg_optimizer_begin_phase(used, 0, 10);
        step(used, w);
        eg_optimizer_begin_phase(used, 1, 10);
        step(fresh, expected);
        step(used, w);
        if (form == 0) {
            assert_memory_equal(w, expected, sizeof w);
        } else {
            assert_memory_not_equal(w, expected, sizeof w);
        }
        eg_optimizer_free(fresh);
        eg_optimizer_free(used);
    }
}

/* Two updates to an epoch, period 1, gamma 0.5: rates 0.1, 0.1, 0.05, and 0.1 in the next phase. What is
 * saved goes on in the same epoch. */
static void epochs_begin_anew_in_every_phase(void **state)
{
    (void)state;
    const char *const *words = SGD("optimizer.schedule", "epochs", "optimizer.schedule.gamma",
                                   "0.5", "optimizer.schedule.period", "1");
    eg_optimizer *optimizer = made_of(words);
    eg_optimizer *other = made_of(words);
    eg_writer writer = {0};
    eg_real w[N];
    for (size_t phase = 0; phase < 2; phase++) {
        eg_optimizer_begin_phase(optimizer, phase, 2);
        for (size_t s = 0; s < 2; s++) {
            step(optimizer, w);
            assert_close((double)w[0], 1.9, 1e-6);
        }
        eg_writer_reset(&writer);
        eg_optimizer_write(optimizer, &writer);
        step(optimizer, w);
        assert_close((double)w[0], 1.95, 1e-6);
    }
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_optimizer_read(other, &reader));
    step(other, w);
    assert_close((double)w[0], 1.95, 1e-6);
    eg_writer_clear(&writer);
    eg_optimizer_free(optimizer);
    eg_optimizer_free(other);
}

/* Period 4: rates 0.025, 0.05, and 0.025 again in the next phase; what is saved goes on there. */
static void the_rate_rises_in_every_phase(void **state)
{
    (void)state;
    const char *const *words = SGD("optimizer.lr", "0.1", "optimizer.schedule", "linear_warmup",
                                   "optimizer.schedule.period", "4");
    eg_optimizer *optimizer = made_of(words);
    eg_optimizer *other = made_of(words);
    eg_writer writer = {0};
    eg_real w[N];
    for (size_t phase = 0; phase < 2; phase++) {
        eg_optimizer_begin_phase(optimizer, phase, 2);
        step(optimizer, w);
        assert_close(eg_optimizer_rate(optimizer), 0.025, 1e-15);
    }
    eg_optimizer_write(optimizer, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_optimizer_read(other, &reader));
    step(other, w);
    assert_close(eg_optimizer_rate(other), 0.05, 1e-15);
    eg_writer_clear(&writer);
    eg_optimizer_free(optimizer);
    eg_optimizer_free(other);
}

/* The rates of class-incremental CIFAR-100: phases of 200 epochs, the second begins anew. */
static void rates_of_an_increment(void **state)
{
    (void)state;
    static const size_t epochs[] = {0, 59, 60, 119, 120, 159, 160, 199, 200};
    static const double rates[] = {0.1, 0.1, 0.02, 0.02, 0.004, 0.004, 0.0008, 0.0008, 0.1};
    eg_optimizer *optimizer =
        made_of(SGD("optimizer.lr", "0.1", "optimizer.schedule", "milestones"));
    eg_real w[N];
    for (size_t e = 0, found = 0; e <= 200; e++) {
        if (e % 200 == 0) {
            eg_optimizer_begin_phase(optimizer, e / 200, 3);
        }
        for (size_t s = 0; s < 3; s++) {
            step(optimizer, w);
            if (e == epochs[found]) {
                assert_close(eg_optimizer_rate(optimizer), rates[found], 1e-16);
            }
        }
        found += e == epochs[found] ? 1 : 0;
        assert_int_equal(found == EG_COUNT(epochs), e == 200);
    }
    eg_optimizer_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_decay_by_hand),
        cmocka_unit_test(rates_of_an_increment),
        cmocka_unit_test(decoupled_decay_is_no_gradient),
        cmocka_unit_test(parameters_are_forgotten),
        cmocka_unit_test(phases_restart_if_asked),
        cmocka_unit_test(epochs_begin_anew_in_every_phase),
        cmocka_unit_test(the_rate_rises_in_every_phase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
