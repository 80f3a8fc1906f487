/** Adam where every parameter counts its own updates: the three forms, and parameters that begin again. In
 *  double precision. */
#include "optimizer_scene.h"

#include <math.h>
#include <string.h>

#define ADAM(...)                                                                                  \
    ((const char *const[]){"optimizer", "adam", "optimizer.lr", "0.01", __VA_ARGS__, NULL})

static const double gradients[] = {0.5, -0.25, 0.1};

static void step_all(eg_optimizer *optimizer, size_t n, eg_real *w, double gradient)
{
    eg_real g[4];
    for (size_t i = 0; i < n; i++) {
        g[i] = (eg_real)gradient;
    }
    eg_optimizer_step(optimizer, w, g);
}

static void assert_path(const char *const *words, const double *expected)
{
    eg_optimizer *optimizer = optimizer_of(words, 1);
    eg_real w = 1;
    for (size_t t = 0; t < EG_COUNT(gradients); t++) {
        step_all(optimizer, 1, &w, gradients[t]);
        assert_close((double)w, expected[t], 1e-9);
    }
    eg_optimizer_free(optimizer);
}

/* w 1, lr 0.01, gradients .5, -.25, .1: loss-of-plasticity's program replayed in float64. */
static void the_forms_by_hand(void **state)
{
    (void)state;
    assert_path(ADAM("optimizer.adam_form", "released"),
                (const double[]){.9999683772, .9999457521, .9998989830});
    assert_path(ADAM("optimizer.adam_form", "intended"),
                (const double[]){.9900000063, .9873366374, .9841842035});
    assert_path(ADAM("optimizer.adam_form", "textbook"),
                (const double[]){.9900000002, .9873366299, .9841841943});
}

/* released/intended = (1 - b1^t) sqrt(1 - b2^t): .00316 at t 1, .3085 at 100, .7952 at 1000, .9966 at 5000; far
 * beyond the end of the table both are 1. */
static void what_was_released_warms_up(void **state)
{
    (void)state;
    eg_optimizer *released = optimizer_of(ADAM("optimizer.adam_form", "released"), 1);
    eg_optimizer *intended = optimizer_of(ADAM("optimizer.adam_form", "intended"), 1);
    double ratio[] = {.00316, .0650, .3085, .7072, .7952, .9966, 1};
    size_t at[] = {1, 10, 100, 693, 1000, 5000, 200000};
    size_t next = 0;
    for (size_t t = 1; t <= 200000; t++) {
        eg_real a = 0;
        eg_real b = 0;
        step_all(released, 1, &a, 1);
        step_all(intended, 1, &b, 1);
        if (t == at[next]) {
            assert_close((double)(a / b), ratio[next], 6e-5);
            next++;
        }
    }
    assert_true(next == EG_COUNT(at));
    eg_optimizer_free(released);
    eg_optimizer_free(intended);
}

/* After reset and recount a parameter is as at the start; after reset alone its mean starts at 0 but its
 * count goes on, as that of the parameters beside it. */
static void a_parameter_begins_again(void **state)
{
    (void)state;
    enum { N = 4 };
    eg_optimizer *optimizer = optimizer_of(ADAM("optimizer.adam_form", "intended"), N);
    eg_optimizer *once = optimizer_of(ADAM("optimizer.adam_form", "intended"), 1);
    eg_real w[N] = {0};
    for (size_t t = 0; t < 50; t++) {
        step_all(optimizer, N, w, 1);
    }
    memset(w, 0, sizeof w);
    eg_optimizer_reset(optimizer, 1, 2, 2); /* 1 and 3 */
    eg_optimizer_recount(optimizer, 3, 1, 1);
    step_all(optimizer, N, w, -.5);
    eg_real first = 0;
    step_all(once, 1, &first, -.5);
    assert_true(w[3] == first);
    /* m .05, v .00025: .01 sqrt(1 - .999^51)/(1 - .9^51) .05/(sqrt .00025 + 1e-8) */
    double late = .01 * sqrt(1 - pow(.999, 51)) / (1 - pow(.9, 51)) * .05 / (sqrt(.00025) + 1e-8);
    assert_close((double)w[1], late, 1e-9);
    assert_true(w[0] == w[2] && w[0] != w[1]);
    eg_optimizer_free(optimizer);
    eg_optimizer_free(once);
}

/* Without bias correction nothing is corrected, and nothing counted. */
static void nothing_to_correct(void **state)
{
    (void)state;
    eg_optimizer *optimizer = optimizer_of(
        ADAM("optimizer.adam_form", "released", "optimizer.bias_correction", "false"), 1);
    eg_real w = 0;
    step_all(optimizer, 1, &w, .5);
    assert_close((double)w, -.01 * .05 / (sqrt(.00025) + 1e-8), 1e-9);
    eg_optimizer_free(optimizer);
}

static void counts_survive_a_checkpoint(void **state)
{
    (void)state;
    enum { N = 3 };
    const char *const *words = ADAM("optimizer.adam_form", "released");
    eg_optimizer *optimizer = optimizer_of(words, N);
    eg_optimizer *other = optimizer_of(words, N);
    eg_real w[N] = {0};
    for (size_t t = 0; t < 9; t++) {
        step_all(optimizer, N, w, .1 * (double)t);
        eg_optimizer_recount(optimizer, 1, 1, 1);
    }
    eg_writer writer = {0};
    eg_optimizer_write(optimizer, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_optimizer_read(other, &reader));
    assert_ok(eg_reader_status(&reader, true));
    eg_real again[N];
    memcpy(again, w, sizeof w);
    step_all(optimizer, N, w, .3);
    step_all(other, N, again, .3);
    assert_memory_equal(w, again, sizeof w);

    /* A count that is no index of the table: nothing has changed. */
    int32_t wild = -1;
    memcpy(writer.data + writer.size - sizeof wild, &wild, sizeof wild);
    reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_optimizer_read(other, &reader), EG_INVALID, "parameter 2");
    step_all(optimizer, N, w, .3);
    step_all(other, N, again, .3);
    assert_memory_equal(w, again, sizeof w);
    eg_writer_clear(&writer);
    eg_optimizer_free(optimizer);
    eg_optimizer_free(other);
}

static void what_a_reset_can_ask_for(void **state)
{
    (void)state;
    const struct {
        const char *const *words;
        eg_optimizer_traits expected;
    } cases[] = {
        {(const char *const[]){"optimizer", "sgd", NULL}, {.name = "sgd"}},
        {(const char *const[]){"optimizer", "sgdm", NULL},
         {.name = "sgdm", .slots = 1, .is_momentum = true}},
        {(const char *const[]){"optimizer", "adam", NULL}, {.name = "adam", .slots = 2}},
        {ADAM("optimizer.adam_form", "intended"),
         {.name = "adam", .slots = 2, .counts_each = true}},
    };
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        eg_settings *settings = NULL;
        assert_ok(resolve(&settings, cases[i].words));
        eg_view view = eg_settings_root(settings);
        eg_optimizer_traits traits = eg_optimizer_traits_of(&view);
        assert_string_equal(traits.name, cases[i].expected.name);
        assert_true(traits.slots == cases[i].expected.slots);
        assert_true(traits.is_momentum == cases[i].expected.is_momentum);
        assert_true(traits.counts_each == cases[i].expected.counts_each);
        eg_settings_free(settings);
    }
}

static void means_that_are_too_long(void **state)
{
    (void)state;
    eg_settings *settings = NULL;
    eg_optimizer *optimizer = NULL;
    const eg_parameter_table table = table_of(1);
    assert_ok(resolve(&settings,
                      ADAM("optimizer.adam_form", "intended", "optimizer.beta2", "0.99999999")));
    eg_view view = eg_settings_root(settings);
    assert_fails(eg_optimizer_create(&optimizer, &view, &table, false, 1), EG_INVALID, "too long");
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_by_hand),           cmocka_unit_test(what_was_released_warms_up),
        cmocka_unit_test(a_parameter_begins_again),    cmocka_unit_test(nothing_to_correct),
        cmocka_unit_test(counts_survive_a_checkpoint), cmocka_unit_test(what_a_reset_can_ask_for),
        cmocka_unit_test(means_that_are_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
