/** Capacity: what is counted of a network, and what the measure makes of it. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/learner.h"
#include "engram/measure.h"
#include "learner/capacity.h"

#include <math.h>

/* Three tasks of two classes, 9 inputs: a trunk of 9*4 weights and 4 biases, and 5 numbers per
 * output. */
#define SMALL                                                                                      \
    "dataset=synthetic\ndataset.classes=6\ndataset.side=3\ndataset.examples=60\n"                  \
    "dataset.test_examples=30\nstream=split\nstream.tasks=3\nstream.batch=8\nmodel=mlp\n"          \
    "model.hidden=[4]\nmodel.weight_norm=[]\nmodel.bias=true\nmeasures=[default, capacity]\n"

static eg_settings *settings_of(const char *text)
{
    eg_settings *settings = NULL;
    assert_ok(eg_settings_parse(&settings, eg_trial_schema(), text));
    assert_ok(eg_trial_check(settings));
    return settings;
}

static void heads_are_those_of_learned_tasks(void **state)
{
    (void)state;
    static const char *const texts[] = {
        SMALL "stream.active=task\n",
        SMALL "stream.active=task\nlearner=redo\nlearner.of=l2\n", /* passed on */
        SMALL "stream.active=all\n",                               /* one head for all tasks */
    };
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        eg_settings *settings = settings_of(texts[i]);
        const eg_view root = eg_settings_root(settings);
        eg_dataset *dataset = NULL;
        eg_stream *stream = NULL;
        eg_learner *learner = NULL;
        assert_ok(eg_dataset_open(&dataset, &root));
        assert_ok(eg_stream_create(&stream, &root, dataset, 1, 0));
        const eg_learner_setup setup = {
            .root = &root, .shape = stream->shape, .seed = 1, .block = 10, .stream = stream};
        assert_ok(eg_learner_create(&learner, &setup));
        eg_learner_network network;
        assert_true(learner->ops->network(learner, 0, &network));
        assert_int_equal(eg_trunk_size(network.net, EG_ROLE_WEIGHT), 36);
        assert_int_equal(eg_trunk_size(network.net, EG_ROLE_BIAS), 4);
        for (size_t learned = 0; learned <= 3; learned++) {
            const size_t by_task[] = {0, 10, 20, 30};
            size_t heads = i == 2 && learned > 0 ? 30 : by_task[learned];
            eg_learner_capacity capacity = {.stored = 0};
            assert_int_equal(eg_heads_size(network.net, stream, learned), heads);
            assert_true(eg_learner_get_capacity(learner, learned, &capacity));
            assert_true(capacity.base == 40 + (double)heads);
            assert_true(capacity.stored == capacity.base);
        }
        eg_learner_free(learner);
        eg_stream_free(stream);
        eg_dataset_free(dataset);
        eg_settings_free(settings);
    }
}

/* One network is 100 % of one; who does not count has none. */
static void measured_after_every_phase(void **state)
{
    (void)state;
    static const char *const texts[] = {SMALL "stream.active=task\n",
                                        SMALL "stream.active=task\nlearner=ensemble\n"};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        saved_scene s = saved_scene_open(settings_of(texts[i]));
        eg_record *record = saved_scene_whole(&s);
        const eg_array *capacity = eg_record_find(record, "capacity");
        assert_non_null(capacity);
        assert_int_equal(capacity->count, 3);
        for (size_t t = 0; t < 3; t++) {
            assert_true(i == 0 ? capacity->data[t] == 100 : isnan(capacity->data[t]) != 0);
        }
        eg_record_free(record);
        saved_scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_those_of_learned_tasks),
        cmocka_unit_test(measured_after_every_phase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
