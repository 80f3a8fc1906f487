/** Random bits of a journal and of a results file change: readers refuse it, or miss what was there and say
 *  so, but never show another value. $ENGRAM_FLIPS says how many times (default 400, the full count is
 *  10000), $ENGRAM_SEED where to begin. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "plans.h"
#include "stores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/** What became of the flips. */
typedef struct tally {
    size_t refused, warned, unseen;
} tally;

/** The results that are there are the right ones. */
static void look(tally *t, const char *file, const eg_plan *plan, bool padded)
{
    eg_results *results = NULL;
    eg_status status = eg_results_load(&results, file);
    if (status.code != EG_OK) {
        assert_int_equal(status.code, EG_INVALID);
        assert_true(strlen(status.message) > 10);
        t->refused++;
        return;
    }
    size_t missing = 0;
    for (size_t i = 0; i < plan->trial_count; i++) {
        const eg_result *result = eg_test_find(results, plan, i);
        if (result->status == EG_TRIAL_PENDING) {
            missing++;
        } else {
            eg_test_compare(plan, i, result, padded);
        }
    }
    assert_true(missing == 0 || results->warning_count > 0);
    *(results->warning_count > 0 ? &t->warned : &t->unseen) += 1;
    eg_results_free(results);
}

static void flip_file(tally *t, const char *changed, const char *read, const eg_plan *plan,
                      bool padded)
{
    size_t size = 0;
    unsigned char *bytes = eg_test_read_file(changed, &size);
    uint64_t flips = number("ENGRAM_FLIPS", 400);
    uint64_t seed = number("ENGRAM_SEED", 1);
    eg_rng rng = eg_rng_make(seed, EG_PURPOSE_TEST, padded ? 1 : 0);
    for (uint64_t i = 0; i < flips; i++) {
        size_t bit = eg_rng_below(&rng, (uint32_t)(8 * size));
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        eg_test_write_file(changed, bytes, size);
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        look(t, read, plan, padded);
    }
    print_message(
        "%llu flips from seed %llu in %zu bytes: %zu refused, %zu noticed, %zu without effect\n",
        (unsigned long long)flips, (unsigned long long)seed, size, t->refused, t->warned,
        t->unseen);
    eg_free(bytes);
}

static void test_journal(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    tally t = {0};
    eg_test_run(eg_test_path(eg_test_place, "tiny.h5"), plan, 0, 6);
    flip_file(&t, eg_test_path(eg_test_place, "tiny.journal"),
              eg_test_path(eg_test_place, "tiny.h5"), plan, false);
    assert_int_equal(t.unseen, 0);  /* every byte of it is in a frame with a checksum */
    assert_int_equal(t.refused, 0); /* header and plan are there twice */
    assert_true(t.warned > 0);
    eg_plan_free(plan);
}

static void test_results_file(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(eg_test_sweep, NULL);
    tally t = {0};
    const char *file = eg_test_path(eg_test_place, "tiny.h5");
    eg_test_run(file, plan, 0, 6);
    assert_int_equal(unlink(eg_test_path(eg_test_place, "tiny.journal")), 0);
    flip_file(&t, file, file, plan, true);
    assert_int_equal(t.warned, 0);
    assert_true(t.refused > 100 * t.unseen); /* these were in the checksum's own mark */
    eg_plan_free(plan);
}

#define flips_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        flips_test(test_journal),
        flips_test(test_results_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
