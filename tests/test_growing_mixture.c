/** Growing mixtures of experts: which experts are split, that outputs stay, and what it costs. */
#include "learner_look.h"

#include "engram/mixture.h"
#include "learner/growth_scores.h"

#include <math.h>
#include <stdio.h>

enum { SEED = 4, HELD_OUT = 40 };

#define MIXTURE "learner", "growing_mixture"
#define SMALL                                                                                      \
    "model.hidden", "[5, 4]", "model.activation", "relu", "model.bias", "true",                    \
        "model.weight_norm", "[]", "optimizer", "adam", "optimizer.lr", "0.01"

/** On the stream of learner_scene.h with held-out examples. */
static learner_scene open_scene(const char *const *words)
{
    static const eg_assignment rest[] = {
        {.name = "dataset", .value = "synthetic"},   {.name = "dataset.classes", .value = "6"},
        {.name = "dataset.side", .value = "3"},      {.name = "dataset.examples", .value = "60"},
        {.name = "stream", .value = "mega_batches"}, {.name = "stream.batch", .value = "8"},
        {.name = "stream.chunks", .value = "6"},     {.name = "stream.epochs", .value = "2"},
    };
    learner_scene s = scene_open_settings(small_settings(rest, EG_COUNT(rest), words), SEED);
    scene_close_stream(&s);
    assert_ok(eg_stream_create(&s.stream, &s.root, s.dataset, SEED, 0.3));
    assert_ok(eg_cursor_open(&s.cursor, s.stream, &(eg_cursor_setup){.trains = true}));
    s.setup.stream = s.stream;
    s.setup.shape = s.stream->shape;
    return s;
}

static void begin(learner_scene *s, size_t phase)
{
    assert_ok(eg_learner_begin_phase(s->learner, phase));
}

static void learn(learner_scene *s, size_t phase)
{
    begin(s, phase);
    scene_learn(s, phase);
}

static size_t gates_of(const eg_net *net, const char *part)
{
    size_t count = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        const char *dot = strchr(net->nodes[i].name, '.');
        count +=
            strncmp(net->nodes[i].name, "gate", 4) == 0 && dot != NULL && strcmp(dot + 1, part) == 0
                ? 1
                : 0;
    }
    return count;
}

/* Scores of the first examples that are held out in phase 0. */
static void predict_held_out(learner_scene *s, eg_real *y)
{
    eg_cursor *cursor = NULL;
    eg_batch batch;
    size_t count = eg_stream_count(s->stream, EG_SUBSET_VALIDATION, 0);
    assert_true(count > 2 && count <= HELD_OUT);
    assert_ok(eg_cursor_open(&cursor, s->stream, &(eg_cursor_setup){.block = HELD_OUT}));
    eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, 0, 0, count, &batch);
    assert_ok(s->learner->ops->predict(s->learner, &batch, y));
    eg_cursor_close(cursor);
}

/* Growth ----------------------------------------------------------------------------------------- */

/* Relative to the largest output, in float. */
static void growth_changes_no_prediction(void **state)
{
    (void)state;
    static const char *const starts[] = {"one", "independent", "copies"};
    static const char *const gates[] = {"soft", "hard"};
    for (size_t i = 0; i < EG_COUNT(starts) * EG_COUNT(gates); i++) {
        learner_scene s =
            open_scene(SCENE(SMALL, MIXTURE, "learner.start", starts[i / 2], "learner.gate",
                             gates[i % 2], "learner.grow_every", "2"));
        size_t first = i / 2 == 0 ? 0 : 1; /* gates at the start */
        scene_create(&s);
        assert_int_equal(s.learner->hidden_layers, 2);
        learn(&s, 0);
        for (size_t phase = 1; phase < 6; phase++) {
            eg_real before[HELD_OUT * SCENE_CLASSES] = {0};
            eg_real after[HELD_OUT * SCENE_CLASSES] = {0};
            double most = 0;
            predict_held_out(&s, before);
            begin(&s, phase);
            predict_held_out(&s, after);
            for (size_t k = 0; k < EG_COUNT(before); k++) {
                most = fmax(most, fabs((double)before[k]));
            }
            for (size_t k = 0; k < EG_COUNT(before); k++) {
                assert_true(fabs((double)(after[k] - before[k])) < 1e-6 * most);
            }
            assert_int_equal(gates_of(net_of(&s), "layer1"), first + phase / 2);
            assert_int_equal(gates_of(net_of(&s), "layer2"), first + phase / 2);
            scene_learn(&s, phase);
        }
        double activity[2];
        eg_learner_activity(s.learner, activity);
        assert_true(activity[0] > 0 && activity[0] <= 1 && activity[1] > 0 && activity[1] <= 1);
        scene_close(&s);
    }
}

/* Until it grows, one expert is the network alone: the same bits. */
static void one_expert_is_plain(void **state)
{
    (void)state;
    learner_scene plain = open_scene(SCENE(SMALL, "model.dropout", "0.2"));
    learner_scene one =
        open_scene(SCENE(SMALL, "model.dropout", "0.2", MIXTURE, "learner.grow_every", "100"));
    scene_create(&plain);
    scene_create(&one);
    for (size_t phase = 0; phase < 3; phase++) {
        learn(&plain, phase);
        learn(&one, phase);
        const eg_net *net = net_of(&one);
        assert_int_equal(net->param_count, net_of(&plain)->param_count);
        assert_memory_equal(net->params, net_of(&plain)->params,
                            net->param_count * sizeof *net->params);
    }
    scene_close(&plain);
    scene_close(&one);
}

/* Two experts: with the same values, or with different ones. */
static void starts_with_two(void **state)
{
    (void)state;
    for (size_t copies = 0; copies < 2; copies++) {
        learner_scene s = open_scene(
            SCENE(SMALL, MIXTURE, "learner.start", copies == 1 ? "copies" : "independent"));
        scene_create(&s);
        size_t count = 0;
        const eg_real *left = block_of(net_of(&s), "expert2.layer2.weight", &count);
        const eg_real *right = block_of(net_of(&s), "expert3.layer2.weight", &count);
        assert_true((memcmp(left, right, count * sizeof *left) == 0) == (copies == 1));
        scene_close(&s);
    }
}

/* The expert that is split, worked out again from predictions of the gate and losses. */
static void check_choice(const char *by, const char *gate)
{
    learner_scene s = open_scene(SCENE(SMALL, MIXTURE, "learner.start", "independent",
                                       "learner.split_by", by, "learner.gate", gate));
    bool hard = strcmp(gate, "hard") == 0;
    bool by_loss = strcmp(by, "loss") == 0;
    double sum[2] = {0, 0};
    eg_real scores[HELD_OUT * SCENE_CLASSES];
    eg_cursor *cursor = NULL;
    eg_batch batch;
    scene_create(&s);
    learn(&s, 0);
    size_t count = eg_stream_count(s.stream, EG_SUBSET_VALIDATION, 1);
    assert_ok(eg_cursor_open(&cursor, s.stream, &(eg_cursor_setup){.block = HELD_OUT}));
    eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, 1, 0, count, &batch);
    assert_ok(s.learner->ops->predict(s.learner, &batch, scores));
    const eg_net *net = net_of(&s);
    eg_real w[2 * SCENE_INPUTS] = {0};
    eg_real bias[2] = {0};
    for (size_t b = 0; b < net->table.block_count; b++) {
        if (strcmp(net->table.blocks[b].name, "gate1.layer1.weight") == 0) {
            eg_net_block_get(net, b, net->params, w);
            eg_net_block_get(net, b + 1, net->params, bias);
        }
    }
    for (size_t b = 0; b < count; b++) {
        const eg_real *y = scores + b * SCENE_CLASSES;
        double z[2] = {(double)bias[0], (double)bias[1]};
        double all = 0;
        for (size_t k = 0; k < 2; k++) {
            for (size_t i = 0; i < SCENE_INPUTS; i++) {
                z[k] += (double)(w[k * SCENE_INPUTS + i] * batch.x[b * SCENE_INPUTS + i]);
            }
        }
        for (size_t c = 0; c < SCENE_CLASSES; c++) {
            all += exp((double)y[c]);
        }
        double weight = by_loss ? log(all) - (double)y[batch.label[b]] : 1;
        double left = hard ? (z[0] >= z[1] ? 1 : 0) : 1 / (1 + exp(z[1] - z[0]));
        sum[0] += weight * left;
        sum[1] += weight * (1 - left);
    }
    assert_true(fabs(sum[0] - sum[1]) > 1e-4);
    begin(&s, 1);
    const char *chosen = sum[0] >= sum[1] ? "gate2.layer1.weight" : "gate3.layer1.weight";
    assert_non_null(eg_parameter_table_find(&net_of(&s)->table, chosen));
    assert_int_equal(gates_of(net_of(&s), "layer1"), 2);
    eg_cursor_close(cursor);
    scene_close(&s);
}

static void the_expert_with_the_largest_sum_is_split(void **state)
{
    (void)state;
    check_choice("loss", "soft");
    check_choice("usage", "soft");
    check_choice("loss", "hard");
    check_choice("usage", "hard");
}

/* Sums 2, 5, 5: the first of the largest; NaN is larger than any. */
static void ties_go_to_the_first(void **state)
{
    (void)state;
    eg_mixture_part part = {.name = "layer1"};
    double sum[] = {2, 5, 5};
    const eg_mixture mixture = {.part_count = 1, .part = &part};
    const eg_growth_scores scores = {.mixture = &mixture, .count = 3, .sum = sum};
    assert_ok(eg_expert_tree_split(&part.tree, 1));
    assert_ok(eg_expert_tree_split(&part.tree, 3));
    assert_int_equal(eg_growth_scores_choice(&scores, 0), 6);
    sum[2] = (double)NAN;
    assert_int_equal(eg_growth_scores_choice(&scores, 0), 7);
    sum[2] = 2;
    sum[1] = 2;
    assert_int_equal(eg_growth_scores_choice(&scores, 0), 2);
    eg_expert_tree_clear(&part.tree);
}

/* With replay a phase holds out all examples so far, but growth looks at the new ones. */
static void growth_looks_at_what_is_new(void **state)
{
    (void)state;
    static const char *const replay[] = {"false", "true"};
    double flops[2];
    for (size_t r = 0; r < 2; r++) {
        learner_scene s = open_scene(SCENE(SMALL, MIXTURE, "stream.replay", replay[r]));
        scene_create(&s);
        size_t before = 0;
        for (size_t phase = 0; phase < 3; phase++) {
            size_t count = eg_stream_count(s.stream, EG_SUBSET_VALIDATION, phase);
            assert_int_equal(eg_stream_phase(s.stream, phase).held_out_before, r == 1 ? before : 0);
            begin(&s, phase);
            before = count;
        }
        flops[r] = eg_learner_extra_flops(s.learner);
        scene_close(&s);
    }
    assert_true(flops[0] > 0 && flops[0] == flops[1]);
}

/* Costs ------------------------------------------------------------------------------------------- */

/* 9-5-4-6: multiply-adds of experts, gates and the head. */
enum { EXPERTS = 9 * 5 + 5 * 4, GATES = 9 * 2 + 5 * 2, HEAD = 4 * 6, FIRST_LAYER = 9 * 5 };

static eg_learner_costs costs_of(const learner_scene *s)
{
    eg_learner_costs costs = {.parameters = 0};
    assert_true(eg_learner_add_costs(s->learner, &costs));
    return costs;
}

/* Of n experts, all of them run; what reads the input gives it no gradient. */
static void soft_gates_cost_all_experts(void **state)
{
    (void)state;
    double macs = 0;
    double flops = 0;
    learner_scene s = open_scene(SCENE(SMALL, MIXTURE));
    scene_create(&s);
    for (size_t phase = 0; phase < 4; phase++) {
        const double n = (double)phase + 1;
        const double forward = HEAD + n * EXPERTS + (n - 1) * GATES;
        const double back = 2 * forward - n * FIRST_LAYER - (n - 1) * 9 * 2;
        const eg_phase about = eg_stream_phase(s.stream, phase);
        const double examples = (double)(about.examples * about.epochs);
        const double shown = (double)eg_stream_count(s.stream, EG_SUBSET_VALIDATION, phase);
        learn(&s, phase);
        flops += phase > 0 ? 2 * shown * (forward - EXPERTS - GATES) : 0;
        flops += 2 * examples * (forward + back);
        macs += examples * forward;
        const eg_learner_costs costs = costs_of(&s);
        assert_close(costs.predict_macs, forward, 0);
        assert_close(costs.train_macs, macs, 0);
        assert_close(costs.train_flops, flops, 0);
        assert_close(costs.validation_flops, 0, 0);
        assert_close(costs.parameters,
                     (9 + 1) * 5 + (5 + 1) * 4 + (4 + 1) * 6 +
                         (n - 1) * ((9 + 1) * 5 + (5 + 1) * 4 + (9 + 1) * 2 + (5 + 1) * 2),
                     0);
        scene_replace(&s);
    }
    scene_close(&s);
}

/* One gate on every way: one expert; behind a second gate on one of them the ways that are taken
 * count. */
static void hard_gates_cost_the_way_taken(void **state)
{
    (void)state;
    learner_scene s =
        open_scene(SCENE(SMALL, MIXTURE, "learner.start", "copies", "learner.gate", "hard"));
    scene_create(&s);
    const double forward = HEAD + EXPERTS + GATES;
    const double back = 2 * forward - FIRST_LAYER - 9 * 2;
    assert_close(costs_of(&s).predict_macs, forward, 0);
    learn(&s, 0);
    const eg_phase about = eg_stream_phase(s.stream, 0);
    const double examples = (double)(about.examples * about.epochs);
    const eg_learner_costs first = costs_of(&s);
    assert_close(first.predict_macs, forward, 0);
    assert_close(first.train_macs, examples * forward, 1e-15);
    assert_close(first.train_flops, 2 * examples * (forward + back), 1e-15);
    begin(&s, 1);
    assert_close(costs_of(&s).predict_macs, HEAD + EXPERTS + 1.5 * GATES, 1e-15);
    scene_learn(&s, 1);
    const eg_learner_costs second = costs_of(&s);
    assert_true(second.predict_macs > forward && second.predict_macs < forward + GATES);
    const double more = (double)(eg_stream_phase(s.stream, 1).examples * about.epochs);
    assert_close(second.train_macs - first.train_macs, more * second.predict_macs, 1e-12);
    scene_close(&s);
}

/* Carrying it elsewhere ---------------------------------------------------------------------------- */

/* A learner that has grown goes on from what it wrote, with the same bits. */
static void goes_on_from_a_checkpoint(void **state)
{
    (void)state;
    learner_scene whole = open_scene(SCENE(SMALL, MIXTURE));
    learner_scene parts = open_scene(SCENE(SMALL, MIXTURE));
    scene_create(&whole);
    scene_create(&parts);
    for (size_t phase = 0; phase < 4; phase++) {
        learn(&whole, phase);
        begin(&parts, phase);
        scene_replace(&parts);
        scene_learn(&parts, phase);
        scene_replace(&parts);
    }
    const eg_net *net = net_of(&whole);
    assert_int_equal(net->param_count, net_of(&parts)->param_count);
    assert_memory_equal(net->params, net_of(&parts)->params,
                        net->param_count * sizeof *net->params);
    scene_close(&whole);
    scene_close(&parts);
}

/* Trees follow from the names of the arrays. */
static void weights_say_the_trees(void **state)
{
    (void)state;
    learner_scene s = open_scene(SCENE(SMALL, MIXTURE));
    learner_scene other = open_scene(SCENE(SMALL, MIXTURE, "learner.start", "independent"));
    scene_create(&s);
    scene_create(&other);
    for (size_t phase = 0; phase < 4; phase++) {
        learn(&s, phase);
    }
    eg_weights weights = {0};
    assert_ok(eg_learner_get_weights(&weights, s.learner));
    assert_non_null(eg_weights_find(&weights, "network/gate1.layer1.weight"));
    assert_ok(eg_learner_set_weights(other.learner, &weights));
    eg_real a[HELD_OUT * SCENE_CLASSES] = {0};
    eg_real b[HELD_OUT * SCENE_CLASSES] = {0};
    predict_held_out(&s, a);
    predict_held_out(&other, b);
    assert_memory_equal(a, b, sizeof a);
    eg_weights_clear(&weights);
    scene_close(&s);
    scene_close(&other);
}

/* Damaged trees are refused, whatever is cut or changed. */
static void damaged_checkpoints(void **state)
{
    (void)state;
    learner_scene s = open_scene(SCENE(SMALL, MIXTURE));
    eg_writer writer = {0};
    scene_create(&s);
    learn(&s, 0);
    learn(&s, 1);
    s.learner->ops->write(s.learner, &writer);
    for (size_t at = 0; at < 40; at++) {
        eg_learner_free(s.learner);
        scene_create(&s);
        writer.data[at] ^= 0x55;
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        eg_status status = s.learner->ops->read(s.learner, &reader);
        assert_true(status.code == EG_INVALID || at >= 32);
        writer.data[at] ^= 0x55;
    }
    eg_writer_clear(&writer);
    scene_close(&s);
}

/* Memory that runs out while it is made or grows, with early stopping around it, is one failure. */
static eg_status make_and_grow(learner_scene *s)
{
    EG_TRY(eg_learner_create(&s->learner, &s->setup));
    for (size_t phase = 0; phase < 3; phase++) {
        EG_TRY(eg_learner_begin_phase(s->learner, phase));
    }
    return eg_ok();
}

static void without_memory(void **state)
{
    (void)state;
    learner_scene s = open_scene(SCENE(SMALL, "learner", "early_stopping", "learner.of",
                                       "growing_mixture", "learner.of.start", "copies"));
    s.setup.root = &s.root;
    eg_status status = eg_fail(EG_MEMORY, "not tried");
    for (size_t n = 1; !eg_is_ok(&status); n++) {
        size_t live = eg_memory_live_blocks();
        s.learner = NULL;
        eg_memory_fail_after(n);
        status = make_and_grow(&s);
        eg_memory_fail_after(0);
        assert_true(eg_is_ok(&status) || status.code == EG_MEMORY);
        if (!eg_is_ok(&status)) {
            eg_learner_free(s.learner);
            assert_int_equal(eg_memory_live_blocks(), live);
        }
    }
    scene_close(&s);
}

/* What does not go together -------------------------------------------------------------------------- */

static void assert_refused(const char *const *words, const char *says)
{
    learner_scene s = open_scene(words);
    assert_fails(eg_trial_check(s.settings), EG_INVALID, says);
    scene_close(&s);
}

static void refusals(void **state)
{
    (void)state;
    assert_refused(SCENE(MIXTURE, "model", "linear"), "linear has no parts");
    assert_refused(SCENE(MIXTURE, "model.hidden", "[]"), "mlp has no parts");
    assert_refused(SCENE(MIXTURE, "model", "vgg", "model.blocks", "[2]"), "vgg has no parts");
    assert_refused(SCENE(MIXTURE, "measures", "[default, units]"),
                   "units needs hidden layers that");
    assert_refused(SCENE("learner", "early_stopping", "learner.of", "growing_mixture", "measures",
                         "[default, rank]"),
                   "rank needs hidden layers that");
    assert_refused(SCENE(MIXTURE, "protocol", "test"), "protocol = validation");
    assert_refused(SCENE("learner", "shrink_perturb", "learner.of", "growing_mixture"),
                   "changes its shape");
    assert_refused(SCENE("learner", "reset", "learner.of", "ensemble", "learner.of.of",
                         "early_stopping", "learner.of.of.of", "growing_mixture"),
                   "changes its shape");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_changes_no_prediction),
        cmocka_unit_test(one_expert_is_plain),
        cmocka_unit_test(starts_with_two),
        cmocka_unit_test(the_expert_with_the_largest_sum_is_split),
        cmocka_unit_test(ties_go_to_the_first),
        cmocka_unit_test(growth_looks_at_what_is_new),
        cmocka_unit_test(soft_gates_cost_all_experts),
        cmocka_unit_test(hard_gates_cost_the_way_taken),
        cmocka_unit_test(goes_on_from_a_checkpoint),
        cmocka_unit_test(weights_say_the_trees),
        cmocka_unit_test(damaged_checkpoints),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
