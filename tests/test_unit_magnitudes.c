/** Mean absolute weights of hidden units against the sums over their runs, for all layouts. In double
 *  precision. */
#include "small_net.h"

#include "engram/graph.h"
#include "engram/random.h"
#include "math/shared/absolute.h"
#include "nn/shared/unit_magnitudes.h"

#include <math.h>

/* The definition. */
static double mean_of(const eg_net *net, size_t hidden, eg_unit_side side, size_t unit)
{
    double sum = 0;
    size_t count = 0;
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, side, unit, k, &run); k++) {
        for (size_t i = 0; run.role == EG_ROLE_WEIGHT && i < run.count; i++) {
            sum += fabs((double)net->params[run.first + i * run.stride]);
            count++;
        }
    }
    return count > 0 ? sum / (double)count : 0;
}

/* Weights that are used: each as often as it counts, and no others. */
static double weights_of(const eg_net *net)
{
    double count = 0;
    for (size_t h = 0; h < net->hidden_count; h++) {
        eg_plane_run run;
        for (size_t u = 0; u < net->hidden[h].units; u++) {
            for (size_t side = 0; side < 2; side++) {
                eg_unit_side which = side == 0 ? EG_UNIT_INCOMING : EG_UNIT_OUTGOING;
                for (size_t k = 0; eg_net_unit_run(net, h, which, u, k, &run); k++) {
                    count += run.role == EG_ROLE_WEIGHT ? (double)run.count : 0;
                }
            }
        }
    }
    return count;
}

/* Takes the network. */
static void check(eg_net *net)
{
    eg_unit_magnitudes all;
    eg_unit_magnitudes in;
    eg_unit_magnitudes out;
    assert_ok(eg_unit_magnitudes_init(&all, net, true, true));
    assert_ok(eg_unit_magnitudes_init(&in, net, true, false));
    assert_ok(eg_unit_magnitudes_init(&out, net, false, true));
    for (size_t time = 0; time < 2; time++) {
        eg_unit_magnitudes_take(&all);
        eg_unit_magnitudes_take(&in);
        eg_unit_magnitudes_take(&out);
        for (size_t h = 0, i = 0; h < net->hidden_count; h++) {
            for (size_t u = 0; u < net->hidden[h].units; u++, i++) {
                assert_close((double)all.in[i], mean_of(net, h, EG_UNIT_INCOMING, u), 1e-13);
                assert_close((double)all.out[i], mean_of(net, h, EG_UNIT_OUTGOING, u), 1e-13);
                assert_close((double)in.in[i], (double)all.in[i], 1e-13);
                assert_close((double)out.out[i], (double)all.out[i], 1e-13);
                assert_true(all.in[i] > 0 && all.out[i] > 0 && in.out[i] == 0 && out.in[i] == 0);
            }
        }
        for (size_t i = 0; i < net->param_count; i++) {
            net->params[i] *= -3;
        }
    }
    assert_close(all.read, weights_of(net), 0);
    assert_close(in.read + out.read, all.read, 0);
    eg_unit_magnitudes_clear(&all);
    eg_unit_magnitudes_clear(&in);
    eg_unit_magnitudes_clear(&out);
    eg_net_free(net);
}

static void rows_and_panels(void **state)
{
    (void)state;
    for (size_t panels = 0; panels < 2; panels++) {
        check(small_net(WIDTHS(11, 3, 5, 2), panels == 1, EG_INITIALIZER_UNIFORM, "relu"));
        check(small_net(WIDTHS(5, 100, 70, 33, 10), panels == 1, EG_INITIALIZER_UNIFORM, "relu"));
        check(small_net(WIDTHS(3, 1, 1, 1), panels == 1, EG_INITIALIZER_UNIFORM, "relu"));
        check(small_net(WIDTHS(1, 2, 1, 4, 1), panels == 1, EG_INITIALIZER_UNIFORM, "relu"));
        check(small_net(WIDTHS(9, 300, 2), panels == 1, EG_INITIALIZER_UNIFORM, "relu"));
        check(small_net(WIDTHS(4, 20, 30, 3), panels == 1, EG_INITIALIZER_UNIFORM, "crelu"));
    }
}

/* Every layer of weights is read once: the one in the middle gives both sides. */
static void one_pass_per_layer(void **state)
{
    (void)state;
    for (size_t panels = 0; panels < 2; panels++) {
        eg_net *net =
            small_net(WIDTHS(11, 100, 20, 2), panels == 1, EG_INITIALIZER_UNIFORM, "relu");
        eg_unit_magnitudes all;
        assert_ok(eg_unit_magnitudes_init(&all, net, true, true));
        size_t width = panels == 1 ? eg_linear_panels_width(100) : 100;
        size_t first = (100 + width - 1) / width;
        assert_true(all.count == first + 2);
        eg_unit_magnitudes_clear(&all);
        eg_net_free(net);
    }
}

/* Panels read hidden units: the outgoing weights of a unit are a row per panel. */
static void panels_behind_units(void **state)
{
    (void)state;
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_activation *relu =
        (const eg_activation *)eg_family_find(&eg_activation_family, "relu");
    const size_t width[] = {6, 150, 90, 4};
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    assert_ok(eg_alloc(&layers, 5, sizeof *layers));
    for (size_t i = 0; i < 3; i++) {
        assert_ok(eg_layer_linear_panels(&layers[2 * i], eg_shape_vector(width[i]), width[i + 1],
                                         EG_NORM_NONE, true, EG_INITIALIZER_UNIFORM));
        if (i < 2) {
            assert_ok(
                eg_layer_activation(&layers[2 * i + 1], relu, none, eg_shape_vector(width[i + 1])));
        }
    }
    assert_ok(eg_net_create(&net, layers, 5, SMALL_NET_SEED));
    check(net);
}

/* w [rows, columns] of a wider matrix; what is around it does not count. */
static void sums_of_a_matrix(void **state)
{
    (void)state;
    enum { PITCH = 57, ROWS_MAX = 9 };
    eg_real w[ROWS_MAX * PITCH];
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < ROWS_MAX * PITCH; i++) {
        w[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (size_t rows = 1; rows <= ROWS_MAX; rows++) {
        for (size_t columns = 1; columns <= PITCH; columns += 7) {
            eg_real row[2][ROWS_MAX] = {{0}};
            eg_real column[2][PITCH] = {{0}};
            column[0][0] = column[1][0] = 100; /* they are added to */
            eg_absolute_sums(rows, columns, PITCH, w, row[0], column[0]);
            eg_absolute_sums(rows, columns, PITCH, w, row[1], NULL);
            eg_absolute_sums(rows, columns, PITCH, w, NULL, column[1]);
            for (size_t r = 0; r < rows; r++) {
                double sum = 0;
                for (size_t c = 0; c < columns; c++) {
                    sum += fabs((double)w[r * PITCH + c]);
                }
                assert_close((double)row[0][r], sum, 1e-12);
                assert_close((double)row[1][r], sum, 1e-12);
            }
            for (size_t c = 0; c < PITCH; c++) {
                double sum = c == 0 ? 100 : 0;
                for (size_t r = 0; c < columns && r < rows; r++) {
                    sum += fabs((double)w[r * PITCH + c]);
                }
                assert_close((double)column[0][c], sum, 1e-12);
                assert_close((double)column[1][c], sum, 1e-12);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_panels),
        cmocka_unit_test(one_pass_per_layer),
        cmocka_unit_test(panels_behind_units),
        cmocka_unit_test(sums_of_a_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
