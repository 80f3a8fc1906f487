/** Optimizers against printed digits, in double: updates of one parameter from given gradients. */
#include "optimizer_scene.h"
#include "testing.h"

static void assert_path(const char *const *words, double start, size_t n, const double *gradients,
                        const double *expected, double tolerance)
{
    eg_optimizer *optimizer = optimizer_of(words, 1);
    eg_real w = (eg_real)start;
    for (size_t i = 0; i < n; i++) {
        eg_real g = (eg_real)gradients[i];
        eg_optimizer_step(optimizer, &w, &g);
        assert_close((double)w, expected[i], tolerance);
    }
    eg_optimizer_free(optimizer);
}

/* s = 0.1, d = sqrt 1e-6 / sqrt(0.1 + 1e-6); the mean square of d that is used is the old one. */
static void adadelta_by_hand(void **state)
{
    (void)state;
    static const double gradients[] = {1, 1, -2};
    static const double expected[] = {-0.0031622618489, -0.0064066736226, -0.0018587335336};
    const char *const words[] = {"optimizer", "adadelta", "optimizer.lr", "1", NULL};
    assert_path(words, 0, 3, gradients, expected, 1e-13);
}

/* Coupled decay: g = 0.5 + 1e-4. Nesterov: 1 - 0.01 (g + 0.9 g). */
static void momentum_by_hand(void **state)
{
    (void)state;
    static const double gradients[] = {0.5, 0.25};
    static const double plain[] = {0.994999, 0.987997105001};
    static const double nesterov[] = {0.9904981, 0.98169540805361};
    const char *words[] = {"optimizer",
                           "sgdm",
                           "optimizer.lr",
                           "0.01",
                           "optimizer.beta",
                           "0.9",
                           "optimizer.weight_decay",
                           "1e-4",
                           "optimizer.nesterov",
                           "false",
                           NULL};
    assert_path(words, 1, 2, gradients, plain, 1e-12);
    words[9] = "true";
    assert_path(words, 1, 2, gradients, nesterov, 1e-14);
}

/* v = 0.1: 1 / (sqrt 0.1 + 1e-8) = 3.16227756; then v = 0.115, m = 0.1 3.16227756 + 1.47441951.
 * Inside the root, epsilon 0.3: 1 / sqrt 0.4, then 0.1 of it and 0.5 / sqrt 0.415 more.
 * Outside and without momentum: 1 / (sqrt 0.1 + 1e-8), then 0.5 / (sqrt 0.115 + 1e-8). */
static void rmsprop_forms_by_hand(void **state)
{
    (void)state;
    static const double gradients[] = {1, 0.5};
    static const double expected[] = {-0.00316227756, -0.00495292483};
    const char *words[] = {"optimizer",
                           "rmsprop",
                           "optimizer.lr",
                           "1e-3",
                           "optimizer.rho",
                           "0.9",
                           "optimizer.momentum",
                           "0.1",
                           "optimizer.epsilon_outside",
                           "true",
                           "optimizer.epsilon",
                           "1e-8",
                           NULL};
    assert_path(words, 0, 2, gradients, expected, 1e-11);
    static const double inside[] = {-1.5811388300842e-3, -2.5154032387989e-3};
    words[9] = "false";
    words[11] = "0.3";
    assert_path(words, 0, 2, gradients, inside, 1e-12);
    static const double outside[] = {-0.00316227756, -0.00463669707};
    words[7] = "0";
    words[9] = "true";
    words[11] = "1e-8";
    assert_path(words, 0, 2, gradients, outside, 1e-11);
}

/* Without momentum there is no plane for it, and what is saved is as long as it was. */
static void rmsprop_keeps_what_it_needs(void **state)
{
    (void)state;
    const char *words[] = {"optimizer", "rmsprop", "optimizer.momentum", "0", NULL};
    size_t sizes[2];
    for (size_t i = 0; i < 2; i++) {
        words[3] = i == 0 ? "0" : "0.5";
        eg_settings *settings = settings_from(&schema, words);
        eg_view root_view = eg_settings_root(settings);
        assert_int_equal(eg_optimizer_traits_of(&root_view).slots, i + 1);
        eg_settings_free(settings);
        eg_optimizer *optimizer = optimizer_of(words, 7);
        eg_writer writer = {0};
        eg_optimizer_write(optimizer, &writer);
        sizes[i] = writer.size;
        eg_writer_clear(&writer);
        eg_optimizer_free(optimizer);
    }
    assert_int_equal(sizes[1] - sizes[0], 7 * sizeof(eg_real));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adadelta_by_hand),
        cmocka_unit_test(momentum_by_hand),
        cmocka_unit_test(rmsprop_forms_by_hand),
        cmocka_unit_test(rmsprop_keeps_what_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
