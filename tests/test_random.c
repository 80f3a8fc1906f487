/** Keyed randomness: the published known answers, reproducibility, independence, distributions. */
#include "testing.h"

#include "engram/random.h"

#include <math.h>
#include <string.h>

static eg_rng raw(const uint32_t counter[4], const uint32_t key[2])
{
    eg_rng rng = {.used = 4};
    memcpy(rng.counter, counter, sizeof rng.counter);
    memcpy(rng.key, key, sizeof rng.key);
    return rng;
}

/** Random123's kat_vectors, philox4x32 with 10 rounds. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } vectors[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        eg_rng rng = raw(vectors[i].counter, vectors[i].key);
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(eg_rng_u32(&rng), vectors[i].out[k]);
        }
    }
}

static void test_counter_carries(void **state)
{
    (void)state;
    const uint32_t counter[4] = {0xffffffff, 4, 0, 0};
    const uint32_t carried[4] = {0, 5, 0, 0};
    const uint32_t key[2] = {1, 2};
    eg_rng a = raw(counter, key);
    eg_rng b = raw(carried, key);
    for (size_t k = 0; k < 4; k++) {
        (void)eg_rng_u32(&a);
    }
    assert_int_equal(eg_rng_u32(&a), eg_rng_u32(&b));
}

static void test_keys_separate(void **state)
{
    (void)state;
    eg_rng a = eg_rng_make(1, EG_PURPOSE_INIT, 0);
    eg_rng same = eg_rng_make(1, EG_PURPOSE_INIT, 0);
    eg_rng others[] = {eg_rng_make(2, EG_PURPOSE_INIT, 0), eg_rng_make(1, EG_PURPOSE_ORDER, 0),
                       eg_rng_make(1, EG_PURPOSE_INIT, 1),
                       eg_rng_make(1, EG_PURPOSE_INIT, (uint64_t)1 << 32),
                       eg_rng_make((uint64_t)1 << 32 | 1, EG_PURPOSE_INIT, 0)};
    uint64_t first = eg_rng_u64(&a);
    assert_true(first == eg_rng_u64(&same));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(first != eg_rng_u64(&others[i]));
    }
}

static void test_distributions(void **state)
{
    (void)state;
    enum { N = 200000 };
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < N; i++) {
        double u = eg_rng_uniform(&rng);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    /* Standard errors are 0.29/sqrt(N) = 6.5e-4 and 0.30/sqrt(N); five of them. */
    assert_close(sum / N, 0.5, 3.3e-3);
    assert_close(squares / N, 1.0 / 3.0, 3.4e-3);
    sum = squares = 0;
    for (int i = 0; i < N; i++) {
        double x = eg_rng_normal(&rng);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
    }
    assert_close(sum / N, 0, 0.0112);
    assert_close(squares / N, 1, 0.0159);
}

static void test_below_is_even(void **state)
{
    (void)state;
    enum { N = 70000 };
    eg_rng rng = eg_rng_make(4, EG_PURPOSE_TEST, 0);
    int counts[7] = {0};
    for (int i = 0; i < N; i++) {
        uint32_t value = eg_rng_below(&rng, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_close(counts[i] / 10000.0, 1, 0.047); /* five standard errors */
    }
    assert_int_equal(eg_rng_below(&rng, 1), 0);
    /* With n = 2^31 + 1 almost half of all words must be rejected: the mean shows it. */
    double sum = 0;
    for (int i = 0; i < N; i++) {
        uint32_t value = eg_rng_below(&rng, 0x80000001U);
        assert_true(value < 0x80000001U);
        sum += value / 2147483649.0;
    }
    assert_close(sum / N, 0.5, 0.0055);
}

static void test_shuffle_is_a_permutation(void **state)
{
    (void)state;
    uint32_t index[100];
    int seen[100] = {0};
    int moved = 0;
    for (uint32_t i = 0; i < 100; i++) {
        index[i] = i;
    }
    eg_rng rng = eg_rng_make(5, EG_PURPOSE_ORDER, 0);
    eg_rng_shuffle(&rng, 100, index);
    for (uint32_t i = 0; i < 100; i++) {
        seen[index[i]]++;
        moved += index[i] != i;
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(seen[i], 1);
    }
    assert_true(moved > 80);
    /* All six orders of three come up evenly. */
    int orders[6] = {0};
    for (int k = 0; k < 6000; k++) {
        uint32_t three[3] = {0, 1, 2};
        eg_rng_shuffle(&rng, 3, three);
        orders[three[0] * 2 + (three[1] > three[2])]++;
    }
    for (int i = 0; i < 6; i++) {
        assert_in_range(orders[i], 850, 1150);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers), cmocka_unit_test(test_counter_carries),
        cmocka_unit_test(test_keys_separate), cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_below_is_even), cmocka_unit_test(test_shuffle_is_a_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
