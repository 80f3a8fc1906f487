/** Methods of anytime learning at macroscale over whole trials: which are the same, what each of them
 *  has, and what it costs. */
#include "testing.h"

#include "engram/trial.h"

#include <stdio.h>
#include <string.h>

/* Members of 64-8-8-10 have parameters of these, and multiply-adds of a forward. */
enum { CHUNKS = 8, WAIT = 2, EPOCHS = 5, PARAMETERS = 64 * 8 + 8 + 8 * 8 + 8 + 8 * 10 + 10 };

#define MLP(prefix)                                                                                \
    prefix "hidden=[8,8]\n" prefix "activation=relu\n" prefix "weight_norm=[]\n" prefix            \
           "bias=true\n" prefix "init=uniform\n"

static eg_record *run(const char *method)
{
    static const eg_trial_options options = {.objective = "cer"};
    char text[1200];
    eg_settings *settings = NULL;
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    (void)snprintf(text, sizeof text,
                   "dataset=synthetic\ndataset.side=8\ndataset.examples=320\ndataset.noise=0.9\n"
                   "dataset.test_examples=100\nstream=mega_batches\nstream.chunks=%d\n"
                   "stream.wait=%d\nstream.epochs=%d\nstream.batch=16\nprotocol.fraction=0.1\n"
                   "optimizer=adadelta\noptimizer.lr=1\noptimizer.restart=phase\n%s",
                   CHUNKS, WAIT, EPOCHS, method);
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_run(&record, settings, 3, cache, &options));
    assert_int_equal(eg_record_status(record), EG_TRIAL_DONE);
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

/* The first `count` numbers, or all. */
static void assert_same(const eg_record *a, const eg_record *b, const char *name, size_t count)
{
    const eg_array *x = eg_record_find(a, name);
    const eg_array *y = eg_record_find(b, name);
    assert_non_null(x);
    assert_non_null(y);
    assert_int_equal(x->count, y->count);
    count = count > 0 ? count : x->count;
    if (memcmp(x->data, y->data, count * sizeof *x->data) != 0) {
        fail_msg("%s differs", name);
    }
}

#define STOPPING(prefix) prefix "=early_stopping\n" prefix ".patience=2\n"

static const char alone[] = MLP("model.") STOPPING("learner");

/* One member of anything is the learner alone, in every number. */
static void one_member(void **state)
{
    (void)state;
    static const char *const same[] = {
        MLP("model.") "learner=ensemble\nlearner.members=1\n" STOPPING("learner.of"),
        MLP("model.") "learner=ensemble\nlearner.members=1\nlearner.average=votes\n" STOPPING(
            "learner.of"),
        "model=umix\nmodel.members=1\n" MLP("model.of.") STOPPING("learner"),
        MLP("model.") "learner=growing_ensemble\nlearner.grow_every=9\n" STOPPING("learner.of"),
        MLP("model.") STOPPING("learner") "learner.of=growing_mixture\nlearner.of.grow_every=9\n",
    };
    static const char *const names[] = {"anytime_error", "anytime_parameters",
                                        "comp_fwd_mac",  "comp_train_flop",
                                        "comp_val_flop", "inf_mac",
                                        "cer",           "steps",
                                        "flops",         "loss"};
    eg_record *one = run(alone);
    for (size_t i = 0; i < EG_COUNT(same); i++) {
        eg_record *other = run(same[i]);
        for (size_t n = 0; n < EG_COUNT(names); n++) {
            assert_same(one, other, names[n], 0);
        }
        eg_record_free(other);
    }
    eg_record_free(one);
}

/* Members so far, at every mega-batch; the first of them arrive with nothing learned. */
static void assert_members(const eg_record *record, const size_t *members)
{
    const eg_array *parameters = eg_record_find(record, "anytime_parameters");
    const eg_array *inference = eg_record_find(record, "inf_mac");
    assert_int_equal(parameters->count, CHUNKS + 1);
    for (size_t t = 0; t <= CHUNKS; t++) {
        assert_close(parameters->data[t], (double)(members[t] * PARAMETERS), 0);
        assert_close(inference->data[t], (double)members[t] * (64 * 8 + 8 * 8 + 8 * 10), 0);
    }
}

/* All that is spent. */
static double spent(const eg_record *record, const char *name)
{
    const eg_array *array = eg_record_find(record, name);
    double sum = 0;
    for (size_t t = 0; t < array->count; t++) {
        sum += array->data[t];
    }
    return sum;
}

/* A warm member goes on as the learner alone: the first phase is the same, and so is what all phases
 * cost; what is deployed has a member more with each. */
static void growing(void **state)
{
    (void)state;
    static const size_t members[CHUNKS + 1] = {1, 1, 1, 1, 2, 2, 3, 3, 4};
    static const size_t seldom[CHUNKS + 1] = {2, 2, 2, 2, 2, 2, 4, 4, 4};
    static const char warm[] = MLP("model.") "learner=growing_ensemble\n" STOPPING("learner.of");
    eg_record *one = run(alone);
    eg_record *grown = run(warm);
    assert_same(one, grown, "anytime_error", 2 * WAIT);
    assert_same(one, grown, "comp_fwd_mac", 0);
    assert_same(one, grown, "comp_train_flop", 0);
    assert_same(one, grown, "loss", 0);
    assert_members(grown, members);
    eg_record_free(grown);
    /* Every phase has all of its epochs: 72 of 80 examples, 5 times. */
    grown = run(MLP("model.") "learner=growing_ensemble\nlearner.start=scratch\n");
    assert_same(one, grown, "anytime_parameters", 2 * WAIT);
    assert_members(grown, members);
    assert_close(spent(grown, "comp_fwd_mac"), 4.0 * EPOCHS * 72 * (64 * 8 + 8 * 8 + 8 * 10), 0);
    eg_record_free(grown);
    grown = run(MLP("model.") "learner=growing_ensemble\nlearner.add=2\nlearner.grow_every=2\n");
    assert_members(grown, seldom);
    assert_close(spent(grown, "comp_fwd_mac"), 8.0 * EPOCHS * 72 * (64 * 8 + 8 * 8 + 8 * 10), 0);
    eg_record_free(grown);
    eg_record_free(one);
}

/* Three members cost three times as much, together or apart. */
static void together_and_apart(void **state)
{
    (void)state;
    static const size_t members[CHUNKS + 1] = {3, 3, 3, 3, 3, 3, 3, 3, 3};
    static const char *const methods[] = {MLP("model.") "learner=ensemble\n",
                                          "model=umix\n" MLP("model.of.")};
    for (size_t i = 0; i < EG_COUNT(methods); i++) {
        eg_record *record = run(methods[i]);
        assert_members(record, members);
        assert_close(spent(record, "comp_fwd_mac"), 12.0 * EPOCHS * 72 * (64 * 8 + 8 * 8 + 8 * 10),
                     0);
        eg_record_free(record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_member),
        cmocka_unit_test(growing),
        cmocka_unit_test(together_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
