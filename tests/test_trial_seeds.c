/** Seeds by purpose: what a pair of seeds changes in a trial, and that one seed for everything is what it was. */
#include "testing.h"

#include "saved_trials.h"

#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/params.h"
#include "engram/trial.h"

/** Every number up to the tenth diagonal is one pair's, and none is left out. */
static void pairs_are_numbered(void **state)
{
    (void)state;
    enum { DIAGONALS = 10, NUMBERS = DIAGONALS * (DIAGONALS + 1) / 2 };
    bool seen[NUMBERS] = {false};
    eg_settings *settings = saved_settings("seeding", "order_init");
    for (uint64_t d = 0; d < DIAGONALS; d++) {
        for (uint64_t init = 0; init <= d; init++) {
            const eg_trial_seeds pair = {.order = d - init, .init = init};
            uint64_t seed = eg_trial_seed_of(&pair);
            assert_in_range(seed, 0, NUMBERS - 1);
            assert_false(seen[seed]);
            seen[seed] = true;
            eg_trial_seeds back = eg_trial_seeds_of(settings, seed);
            assert_int_equal(back.order, pair.order);
            assert_int_equal(back.init, pair.init);
        }
    }
    /* The largest there may be fit into what every reader can hold. */
    static const uint64_t most = EG_PAIRED_SEED_MAX;
    const eg_trial_seeds largest[] = {{most, most}, {most, 0}, {0, most}, {most - 1, most}};
    for (size_t i = 0; i < EG_COUNT(largest); i++) {
        uint64_t seed = eg_trial_seed_of(&largest[i]);
        assert_true(seed < (uint64_t)1 << 53);
        eg_trial_seeds back = eg_trial_seeds_of(settings, seed);
        assert_int_equal(back.order, largest[i].order);
        assert_int_equal(back.init, largest[i].init);
    }
    eg_settings_free(settings);
}

static void one_seed_is_both(void **state)
{
    (void)state;
    eg_settings *settings = saved_settings(NULL, NULL);
    eg_trial_seeds seeds = eg_trial_seeds_of(settings, 12345);
    assert_int_equal(seeds.order, 12345);
    assert_int_equal(seeds.init, 12345);
    uint64_t id = 0;
    uint64_t with = 0;
    eg_settings *written = saved_settings("seeding", "one");
    assert_ok(eg_trial_id(&id, settings, 3));
    assert_ok(eg_trial_id(&with, written, 3));
    assert_int_equal(id, with);
    eg_settings_free(settings);
    eg_settings_free(written);
}

/** What a trial began with and saw, as hashes. */
typedef struct begun {
    uint64_t weights, examples;
} begun;

static eg_status take_weights(void *user, const eg_predictor *predictor)
{
    return eg_weights_hash(&((begun *)user)->weights, &predictor->weights);
}

static eg_status take_examples(void *user, const eg_traced_step *step)
{
    begun *b = user;
    uint32_t sum = (uint32_t)b->examples;
    sum = eg_crc32c(sum, step->batch->number, step->batch->size * sizeof *step->batch->number);
    b->examples = sum;
    return eg_ok();
}

static eg_record *run(begun *out, const eg_settings *settings, uint64_t seed)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    *out = (begun){0};
    const eg_trial_options options = {.objective = "average_accuracy",
                                      .trace = take_examples,
                                      .trace_user = out,
                                      .begun = take_weights,
                                      .learned_user = out};
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_run(&record, settings, seed, cache, &options));
    eg_dataset_cache_free(cache);
    return record;
}

static begun of_pair(const eg_settings *settings, uint64_t order, uint64_t init)
{
    begun out;
    const eg_trial_seeds pair = {.order = order, .init = init};
    eg_record *record = run(&out, settings, eg_trial_seed_of(&pair));
    assert_int_equal(eg_record_value(record, "order_seed"), order);
    assert_int_equal(eg_record_value(record, "init_seed"), init);
    eg_record_free(record);
    return out;
}

/** The order of the data and the initial weights vary apart. */
static void purposes_are_apart(void **state)
{
    (void)state;
    eg_settings *settings = saved_settings("seeding", "order_init");
    begun a = of_pair(settings, 2, 0);
    begun other_init = of_pair(settings, 2, 5);
    begun other_order = of_pair(settings, 3, 0);
    assert_true(a.examples == other_init.examples);
    assert_true(a.weights != other_init.weights);
    assert_true(a.examples != other_order.examples);
    assert_true(a.weights == other_order.weights);
    eg_settings_free(settings);
}

/** With the same number for both it is the trial of that seed, bit for bit. */
static void the_same_seed_twice(void **state)
{
    (void)state;
    eg_settings *one = saved_settings(NULL, NULL);
    eg_settings *two = saved_settings("seeding", "order_init");
    const eg_trial_seeds pair = {.order = 4, .init = 4};
    begun begins[2];
    eg_record *a = run(&begins[0], one, 4);
    eg_record *b = run(&begins[1], two, eg_trial_seed_of(&pair));
    assert_memory_equal(&begins[0], &begins[1], sizeof begins[0]);
    assert_int_equal(eg_record_count(b), eg_record_count(a) + 2); /* the two seeds */
    for (size_t i = 0; i < eg_record_count(a); i++) {
        const eg_array *array = eg_record_at(a, i);
        if (!eg_trial_variable(array->name)->volatile_) {
            assert_int_equal(eg_array_difference(array, eg_record_find(b, array->name)), SIZE_MAX);
        }
    }
    eg_record_free(a);
    eg_record_free(b);
    eg_settings_free(one);
    eg_settings_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_numbered),
        cmocka_unit_test(one_seed_is_both),
        cmocka_unit_test(purposes_are_apart),
        cmocka_unit_test(the_same_seed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
