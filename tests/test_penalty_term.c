/** Quadratic penalties: by hand, their gradient, sums of several as one, and state. In double. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "learner/penalty_term.h"

#include <math.h>
#include <string.h>

enum { N = 40 };

static void draw(uint64_t index, double offset, eg_real *x)
{
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < N; i++) {
        x[i] = eg_rng_uniform(&rng) + offset;
    }
}

/* out += the gradient of the penalty, for parameters from `first` on. */
static void add_more(const eg_penalty_term *term, size_t first, size_t count, const eg_real *w,
                     eg_real *out)
{
    const eg_penalty penalty = eg_penalty_term_quadratic(term);
    double squares = eg_penalty_add(&penalty, first, count, w, out);
    double expected = 0;
    for (size_t i = 0; i < count; i++) {
        expected += out[i] * out[i];
    }
    assert_close(squares, expected, 1e-12 * expected);
}

/* out = g + the gradient. */
static void add(const eg_penalty_term *term, size_t first, size_t count, const eg_real *w,
                const eg_real *g, eg_real *out)
{
    memcpy(out, g, count * sizeof *g);
    add_more(term, first, count, w, out);
}

/* strength 3, importances (2, 0), anchor (1, 1), w = (1.5, 4): value 3/2 * 2 * 0.25 = 0.75; gradient
 * (3 * 2 * 0.5, 0) on top of g = (10, 20). Without importances 3/2 (0.25 + 9) and (1.5, 9). */
static void by_hand(void **state)
{
    (void)state;
    const eg_real f[] = {2, 0};
    const eg_real at[] = {1, 1};
    const eg_real w[] = {1.5, 4};
    const eg_real g[] = {10, 20};
    eg_real out[2] = {0};
    eg_penalty_term weighted;
    eg_penalty_term even;
    assert_ok(eg_penalty_term_init(&weighted, 2, 3, true));
    assert_ok(eg_penalty_term_init(&even, 2, 3, false));
    assert_false(weighted.active);
    assert_close(eg_penalty_term_value(&weighted, w), 0, 0);
    eg_penalty_term_follow(&weighted, 1, 1, f, at);
    eg_penalty_term_move(&even, at);
    assert_close(eg_penalty_term_value(&weighted, w), 0.75, 1e-15);
    add(&weighted, 0, 2, w, g, out);
    assert_close(out[0], 13, 1e-15);
    assert_close(out[1], 20, 1e-15);
    add_more(&weighted, 0, 1, w, out);
    assert_close(out[0], 16, 1e-15);
    assert_close(eg_penalty_term_value(&even, w), 13.875, 1e-15);
    add(&even, 0, 2, w, g, out);
    assert_close(out[0], 11.5, 1e-15);
    assert_close(out[1], 29, 1e-15);
    /* The gradient is zero at the anchor. */
    assert_close(eg_penalty_term_value(&weighted, at), 0, 0);
    add(&weighted, 0, 2, at, g, out);
    assert_true(out[0] == 10 && out[1] == 20);
    /* Half of the old importances and twice the new ones: (2/2 + 2*2, 0), around w. */
    eg_penalty_term_follow(&weighted, 0.5, 2, f, w);
    assert_close(weighted.importance[0], 5, 1e-15);
    assert_close(weighted.anchor[1], 4, 1e-15);
    eg_penalty_term_clear(&weighted);
    eg_penalty_term_clear(&even);
}

/* Terms 1 (w - 0)^2 and 3 (w - 4)^2: 4 (w - 3)^2 + 12; a parameter without importance moves update_terms. */
static void a_sum_of_two_by_hand(void **state)
{
    (void)state;
    const eg_real f[2][2] = {{1, 0}, {3, 0}};
    const eg_real at[2][2] = {{0, 5}, {4, 7}};
    const eg_real w[] = {1, 100};
    eg_penalty_term sum;
    assert_ok(eg_penalty_term_init(&sum, 2, 2, true));
    eg_penalty_term_merge(&sum, f[0], at[0]);
    assert_close(sum.rest, 0, 0);
    eg_penalty_term_merge(&sum, f[1], at[1]);
    assert_close(sum.importance[0], 4, 1e-15);
    assert_close(sum.anchor[0], 3, 1e-15);
    assert_close(sum.rest, 12, 1e-15);
    assert_close(sum.importance[1], 0, 0);
    assert_close(sum.anchor[1], 7, 1e-15);
    assert_close(eg_penalty_term_value(&sum, w), 1 + 27, 1e-15);
    eg_penalty_term_clear(&sum);
}

/** Slopes of the value, for the merged sum and its terms one after the other, in uneven blocks. */
static void gradient_and_sum(void **state)
{
    (void)state;
    enum { TERMS = 3 };
    eg_real f[N];
    eg_real at[N];
    eg_real w[N];
    eg_real g[N];
    eg_real out[N];
    eg_real merged[N];
    eg_penalty_term term[TERMS];
    eg_penalty_term sum;
    draw(0, -0.5, w);
    draw(1, 0, g);
    assert_ok(eg_penalty_term_init(&sum, N, 7, true));
    for (size_t t = 0; t < TERMS; t++) {
        assert_ok(eg_penalty_term_init(&term[t], N, 7, true));
        draw(2 + 2 * t, 0, f);
        draw(3 + 2 * t, -0.5, at);
        eg_penalty_term_merge(&term[t], f, at);
        eg_penalty_term_merge(&sum, f, at);
    }
    for (size_t first = 0; first < N; first += 17) {
        size_t count = N - first < 17 ? N - first : 17;
        add(&term[0], first, count, w + first, g + first, out + first);
        add_more(&term[1], first, count, w + first, out + first);
        add_more(&term[2], first, count, w + first, out + first);
    }
    add(&sum, 0, N, w, g, merged);
    const double h = 1e-5;
    for (size_t i = 0; i < N; i++) {
        double value[2] = {0, 0};
        double kept = w[i];
        double of_sum = 0;
        for (int side = 0; side < 2; side++) {
            w[i] = kept + (side == 0 ? h : -h);
            for (size_t t = 0; t < TERMS; t++) {
                value[side] += eg_penalty_term_value(&term[t], w);
            }
            of_sum = eg_penalty_term_value(&sum, w);
            assert_close(of_sum, value[side], 1e-13);
        }
        w[i] = kept;
        assert_close(out[i] - g[i], (value[0] - value[1]) / (2 * h), 1e-8);
        assert_close(merged[i], out[i], 1e-13);
    }
    for (size_t t = 0; t < TERMS; t++) {
        eg_penalty_term_clear(&term[t]);
    }
    eg_penalty_term_clear(&sum);
}

static void state_is_kept(void **state)
{
    (void)state;
    eg_real f[N];
    eg_real at[N];
    eg_real w[N];
    eg_penalty_term from;
    eg_penalty_term to;
    eg_penalty_term smaller;
    draw(0, 0, f);
    draw(1, 0, at);
    draw(2, 0, w);
    assert_ok(eg_penalty_term_init(&from, N, 7, true));
    assert_ok(eg_penalty_term_init(&to, N, 7, true));
    assert_ok(eg_penalty_term_init(&smaller, N - 1, 7, true));
    eg_penalty_term_merge(&from, f, at);
    eg_penalty_term_merge(&from, at, f);
    eg_writer writer = {0};
    eg_penalty_term_write(&from, &writer);
    assert_ok(eg_writer_status(&writer));
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_penalty_term_read(&to, &reader));
    assert_ok(eg_reader_status(&reader, true));
    assert_true(to.active && eg_penalty_term_value(&to, w) == eg_penalty_term_value(&from, w));
    reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_penalty_term_read(&smaller, &reader), EG_INVALID, "expected 39");
    writer.data[0] = 2;
    reader = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_penalty_term_read(&to, &reader), EG_INVALID, "state 2, expected 0 or 1");
    for (size_t size = 0; size < writer.size; size += 50) {
        reader = eg_reader_make(writer.data, size);
        assert_fails(eg_penalty_term_read(&to, &reader), EG_INVALID, "damaged data");
    }
    eg_writer_clear(&writer);
    eg_penalty_term_clear(&from);
    eg_penalty_term_clear(&to);
    eg_penalty_term_clear(&smaller);
}

/* Groups without any importance are known as zero: after a merge, another that gives the second group
 * one, a change of the importances and reading. */
static void zero_groups(void **state)
{
    (void)state;
    enum { LONG = 2 * EG_PENALTY_GROUP + 5 };
    eg_real f[LONG] = {0};
    const eg_real at[LONG] = {0};
    eg_penalty_term term;
    eg_penalty_term copy;
    eg_writer writer = {0};
    assert_ok(eg_penalty_term_init(&term, LONG, 1, true));
    assert_ok(eg_penalty_term_init(&copy, LONG, 1, true));
    f[LONG - 1] = 1;
    eg_penalty_term_merge(&term, f, at);
    assert_true(term.zero[0] && term.zero[1] && !term.zero[2]);
    f[EG_PENALTY_GROUP] = 1;
    eg_penalty_term_merge(&term, f, at);
    assert_true(term.zero[0] && !term.zero[1] && !term.zero[2]);
    f[LONG - 1] = 0;
    eg_penalty_term_follow(&term, 0, 1, f, at);
    assert_true(term.zero[0] && !term.zero[1] && term.zero[2]);
    eg_penalty_term_write(&term, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_penalty_term_read(&copy, &reader));
    assert_true(copy.zero[0] && !copy.zero[1] && copy.zero[2]);
    eg_writer_clear(&writer);
    eg_penalty_term_clear(&copy);
    eg_penalty_term_clear(&term);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),          cmocka_unit_test(a_sum_of_two_by_hand),
        cmocka_unit_test(gradient_and_sum), cmocka_unit_test(state_is_kept),
        cmocka_unit_test(zero_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
