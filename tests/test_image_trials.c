/** Whole trials of convolutional networks: every learner and every measure, on made-up images. */
#include "testing.h"
#include "told_tasks.h"

#include "engram/learner.h"
#include "engram/measure.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SETTINGS_MAX = 32 };

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    (void)progress;
    return true;
}

static const eg_assignment cin_net[] = {
    {.name = "model", .value = "cin_net"},
    {.name = "model.filters", .value = "[3, 4, 2]"},
    {.name = "model.hidden", .value = "[6, 5]"},
    {.name = "dataset.side", .value = "32"},
};
static const eg_assignment resnet18[] = {
    {.name = "model", .value = "resnet18"},
    {.name = "model.widths", .value = "[3, 4]"},
    {.name = "model.blocks", .value = "[1, 2]"},
    {.name = "dataset.side", .value = "8"},
};
static const eg_assignment listed[] = {
    {.name = "model", .value = "convnet"},
    {.name = "model.layers",
     .value = "[conv 4 3 pad same, layer_norm, crelu, max_pool 3 stride 2 pad same, dropout 0.1, "
              "conv 3 3 stride 2, tanh, linear 6, relu]"},
    {.name = "dataset.side", .value = "9"},
    {.name = "dataset.scale", .value = "unit"},
};
static const eg_assignment *const networks[] = {cin_net, resnet18, listed};

/** Settings of three tasks of two minibatches, and `more`: "name", "value", …, NULL. */
static eg_settings *settings_of(const eg_assignment network[4], const char *const *more)
{
    eg_assignment all[SETTINGS_MAX] = {
        {.name = "dataset", .value = "synthetic"},
        {.name = "dataset.channels", .value = "3"},
        {.name = "dataset.examples", .value = "24"},
        {.name = "dataset.test_examples", .value = "9"},
        {.name = "dataset.classes", .value = "3"},
        {.name = "stream", .value = "permuted"},
        {.name = "stream.tasks", .value = "3"},
        {.name = "stream.batch", .value = "8"},
        {.name = "optimizer", .value = "sgd"},
        {.name = "optimizer.lr", .value = "0.01"},
        {.name = "protocol.fraction", .value = "0.3"},
    };
    size_t count = 11;
    for (size_t i = 0; i < 4; i++) {
        all[count++] = network[i];
    }
    for (size_t i = 0; more[i] != NULL; i += 2) {
        assert_true(count < SETTINGS_MAX);
        all[count++] = (eg_assignment){.name = more[i], .value = more[i + 1]};
    }
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, count));
    return settings;
}

/** Takes the settings; what they cost is said before, and learning ends with numbers. */
static eg_record *run(eg_settings *settings)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    double cost = 0;
    const eg_trial_options options = {.objective = "final_accuracy", .poll = go_on};
    assert_ok(eg_trial_check(settings));
    assert_ok(eg_trial_cost(&cost, settings));
    assert_true(cost > 0);
    assert_ok(eg_dataset_cache_create(&cache));
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    assert_true(isfinite(eg_record_value(record, "final_accuracy")));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A learner that the settings of this test do not suit says so. */
static bool suits(const eg_assignment *network, const char *const *more)
{
    eg_settings *settings = settings_of(network, more);
    const eg_status status = eg_trial_check(settings);
    eg_settings_free(settings);
    return eg_is_ok(&status);
}

/* Whether tasks share one network in parts. They refuse running averages, and layers of fewer units
 * than there are tasks; test_subnetworks.c and test_apd_trials.c have them. */
static bool divides(const char *learner)
{
    static const char *const names[] = {"apd", "hat", "packnet", "progressive", "wsn"};
    bool found = false;
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        found = found || strcmp(learner, names[i]) == 0;
    }
    return found;
}

static void every_learner(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        size_t learned = 0;
        for (size_t i = 0; i < eg_learner_family.member_count; i++) {
            const char *name = eg_learner_family.members[i]->name;
            const char *const told[] = {"stream", "split", "stream.active", "task", NULL};
            const char *words[] = {"learner", name, NULL, NULL, NULL, NULL, NULL};
            memcpy(words + 2, told, needs_told_tasks(name) ? sizeof told : 0);
            if (!divides(name) && suits(networks[n], words)) {
                eg_record_free(run(settings_of(networks[n], words)));
                learned++;
            }
        }
        assert_true(learned + 3 + 5 >= eg_learner_family.member_count);
    }
}

/* All that apply to a stream of classes, over all layers. */
static void every_measure(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        size_t measured = 0;
        for (size_t i = 0; i < eg_measure_family.member_count; i++) {
            char list[80] = "[final_accuracy]";
            const char *name = eg_measure_family.members[i]->name;
            if (strcmp(name, "final_accuracy") != 0) {
                (void)snprintf(list, sizeof list, "[final_accuracy, %s]", name);
            }
            /* Ranks are of layers without places. */
            const bool ranks = strcmp(name, "rank") == 0;
            const char *const words[] = {"measures", list, ranks ? "measures.rank.layers" : NULL,
                                         "last", NULL};
            if (suits(networks[n], words)) {
                eg_record_free(run(settings_of(networks[n], words)));
                measured++;
            }
        }
        assert_true(measured > 15);
    }
}

/* Example by example, with the linear layers that are made for it behind the convolutions. */
static void one_example_at_a_time(void **state)
{
    (void)state;
    static const char *const learners[] = {"plain", "continual_backprop", "l2", "shrink_perturb"};
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        for (size_t i = 0; i < EG_COUNT(learners); i++) {
            eg_record_free(
                run(settings_of(networks[n], WORDS("stream.batch", "1", "learner", learners[i],
                                                   "optimizer.weight_decay", "0.001"))));
        }
    }
}

static void every_optimizer(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        for (size_t i = 0; i < eg_optimizer_family.member_count; i++) {
            const char *name = eg_optimizer_family.members[i]->name;
            eg_record_free(run(settings_of(networks[n], WORDS("optimizer", name))));
        }
    }
}

/* The size of blocks of an evaluation changes nothing that is counted. */
static void blocks_of_evaluations(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(networks); n++) {
        eg_record *one = run(settings_of(networks[n], WORDS("eval.block", "1")));
        eg_record *all = run(settings_of(networks[n], WORDS("eval.block", "500")));
        const eg_array *a = eg_record_find(one, "accuracy_matrix");
        const eg_array *b = eg_record_find(all, "accuracy_matrix");
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->data, b->data, a->count * sizeof *a->data);
        a = eg_record_find(one, "active_fraction");
        b = eg_record_find(all, "active_fraction");
        for (size_t i = 0; i < a->count; i++) {
            assert_true(isnan(b->data[i]) || fabs(a->data[i] - b->data[i]) < 1e-6);
        }
        eg_record_free(one);
        eg_record_free(all);
    }
}

/* Pixels of an image are permuted alike in all channels, and made into an image after it: a network
 * of 1x1 kernels and global pooling sees no difference between tasks. */
static void permuted_pixels_stay_pixels(void **state)
{
    (void)state;
    static const eg_assignment places[4] = {
        {.name = "model", .value = "convnet"},
        {.name = "model.layers", .value = "[conv 8 1, relu, global_pool]"},
        {.name = "dataset.side", .value = "6"},
        {.name = "dataset.noise", .value = "0.02"},
    };
    eg_record *record = run(settings_of(places, WORDS("stream.epochs", "1")));
    const eg_array *accuracy = eg_record_find(record, "accuracy_matrix");
    /* [evaluations, tasks]: an evaluation finds the same in all tasks. */
    for (size_t i = 0; i < accuracy->count; i++) {
        const double first = accuracy->data[i / 3 * 3];
        assert_true(isnan(accuracy->data[i]) || accuracy->data[i] == first);
    }
    assert_int_equal(accuracy->count % 3, 0);
    eg_record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_learner),         cmocka_unit_test(every_measure),
        cmocka_unit_test(one_example_at_a_time), cmocka_unit_test(every_optimizer),
        cmocka_unit_test(blocks_of_evaluations), cmocka_unit_test(permuted_pixels_stay_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
