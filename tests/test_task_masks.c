/** Masks of tasks: which weights are chosen, on blocks written down by hand, and the ways masks go in and out. */
#include "subnetwork_scene.h"

#include "learner/task_masks.h"

/* A learner of any kind, for its network: layer1.weight [7, 9], layer2.weight [5, 7], layer3 the head. */
static learner_scene opened(void)
{
    return subnetwork_open(SCENE("learner", "plain"));
}

static const eg_parameter_block *block_named(const eg_net *net, const char *name)
{
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, name);
    assert_non_null(block);
    return block;
}

static size_t bits_in(const uint64_t *mask, const eg_parameter_block *block)
{
    size_t count = 0;
    for (size_t i = 0; i < block->count; i++) {
        count += eg_mask_has(mask, block->offset + i) ? 1 : 0;
    }
    return count;
}

static void only_weights_of_the_trunk_can_be_left_out(void **state)
{
    (void)state;
    learner_scene s = opened();
    scene_create(&s);
    const eg_net *net = scene_net(&s);
    eg_task_masks masks = {0};
    assert_ok(eg_task_masks_init(&masks, net, 3));
    assert_int_equal(bits_in(masks.maskable, block_named(net, "layer1.weight")), 7 * 9);
    assert_int_equal(bits_in(masks.maskable, block_named(net, "layer2.weight")), 5 * 7);
    assert_int_equal(bits_in(masks.maskable, block_named(net, "layer3.weight")), 0);
    assert_int_equal(bits_in(masks.maskable, block_named(net, "layer1.bias")), 0);
    eg_task_masks_clear(&masks);
    scene_close(&s);
}

/* A block of 2 units of 3 inputs in rows: 0.5 -3 1 | 2 -1 0.25. */
static void the_largest_are_chosen(void **state)
{
    (void)state;
    const eg_parameter_block block = {.units = 2, .fan_in = 3, .count = 6, .lanes = 1};
    const eg_real score[] = {0.5, -3, 1, 2, -1, 0.25};
    eg_real scratch[6];
    eg_mask_choice choice = {.block = &block, .score = score, .scratch = scratch};
    uint64_t chosen = 0;
    eg_mask_choose(&choice, 2, &chosen);
    assert_int_equal(chosen, 1 << 3 | 1 << 2);
    choice.magnitude = true;
    chosen = 0;
    eg_mask_choose(&choice, 2, &chosen);
    assert_int_equal(chosen, 1 << 1 | 1 << 3);
    /* 1 and -1 are equal: the first one. */
    chosen = 0;
    eg_mask_choose(&choice, 3, &chosen);
    assert_int_equal(chosen, 1 << 1 | 1 << 3 | 1 << 2);
    /* Only among some: 0.5, 1, -1 and 0.25. What was chosen stays. */
    const uint64_t among = 1 << 0 | 1 << 2 | 1 << 4 | 1 << 5;
    choice.among = &among;
    assert_int_equal(eg_mask_candidates(&choice), 4);
    chosen = 1 << 1;
    eg_mask_choose(&choice, 3, &chosen);
    assert_int_equal(chosen, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 0);
    chosen = 0;
    eg_mask_choose(&choice, 0, &chosen);
    assert_int_equal(chosen, 0);
    eg_mask_choose(&choice, 9, &chosen);
    assert_int_equal(chosen, among);
}

/* 3 units in panels of 2 lanes: the last lane of the second panel is padding, and is never chosen. */
static void padding_is_not_chosen(void **state)
{
    (void)state;
    const eg_parameter_block block = {.units = 3, .fan_in = 2, .count = 8, .lanes = 2};
    const eg_real score[] = {1, 2, 3, 4, 5, 9, 6, 9};
    eg_real scratch[8];
    const eg_mask_choice choice = {.block = &block, .score = score, .scratch = scratch};
    uint64_t chosen = 0;
    assert_int_equal(eg_mask_candidates(&choice), 6);
    eg_mask_choose(&choice, 3, &chosen);
    assert_int_equal(chosen, 1 << 6 | 1 << 4 | 1 << 3);
}

static void masks_are_applied_and_joined(void **state)
{
    (void)state;
    const uint64_t mask[] = {UINT64_C(1) << 63 | 1, 1};
    eg_real w[70];
    eg_real out[70];
    for (size_t i = 0; i < 70; i++) {
        w[i] = (eg_real)(i + 1);
    }
    eg_mask_apply(70, mask, w, out);
    for (size_t i = 0; i < 70; i++) {
        assert_true(out[i] == (i == 0 || i == 63 || i == 64 ? w[i] : 0));
    }
    uint64_t maskable = 0x7F;
    uint64_t bits[] = {0xF1, 0xF2, 0xF4};
    uint8_t known[] = {1, 0, 1};
    const eg_task_masks masks = {
        .tasks = 3, .count = 8, .words = 1, .maskable = &maskable, .bits = bits, .known = known};
    uint64_t others = 0;
    assert_true(eg_task_masks_others(&masks, 1, &others));
    assert_int_equal(others, 0x75);
    assert_true(eg_task_masks_others(&masks, 2, &others));
    assert_int_equal(others, 0x71);
    assert_true(eg_task_masks_used(&masks, 1) == 4);
    assert_true(eg_task_masks_used(&masks, 3) == 5);
    known[2] = 0;
    assert_false(eg_task_masks_others(&masks, 0, &others));
    assert_int_equal(others, 0);
}

/* Weights 63 + 35 of the trunk, 7 + 5 biases; heads of two outputs with 5 weights and a bias. */
static void capacity_is_counted(void **state)
{
    (void)state;
    learner_scene s = opened();
    scene_create(&s);
    const eg_net *net = scene_net(&s);
    eg_task_masks masks = {0};
    eg_learner_capacity capacity;
    assert_ok(eg_task_masks_init(&masks, net, 3));
    const size_t first = block_named(net, "layer1.weight")->offset;
    for (size_t t = 0; t < 2; t++) { /* weights 0, 1 and 0, 2 of some */
        masks.known[t] = 1;
        eg_mask_add(eg_task_mask(&masks, t), first);
        eg_mask_add(eg_task_mask(&masks, t), first + 1 + t);
    }
    eg_task_masks_capacity(&masks, net, s.stream, 1, &capacity);
    assert_close(capacity.base, 98 + 12 + 12, 0);
    assert_close(capacity.stored, 2 + 12 + 12 + 98.0 / 32, 0);
    eg_task_masks_capacity(&masks, net, s.stream, 2, &capacity);
    assert_close(capacity.base, 98 + 12 + 24, 0);
    assert_close(capacity.stored, 3 + 12 + 24 + 2 * 98.0 / 32, 0);
    eg_task_masks_clear(&masks);
    scene_close(&s);
}

static void fill(eg_task_masks *masks, size_t task, size_t every)
{
    masks->known[task] = 1;
    for (size_t k = 0; k < masks->words; k++) {
        eg_task_mask(masks, task)[k] = ~masks->maskable[k];
    }
    for (size_t i = 0; i < masks->count; i += every) {
        eg_mask_add(eg_task_mask(masks, task), i);
    }
    for (size_t i = 0; i < masks->count; i++) { /* none of padding, whose bits are 1 anyway */
        if (!eg_mask_has(masks->maskable, i)) {
            eg_mask_add(eg_task_mask(masks, task), i);
        }
    }
}

static void assert_same_masks(const eg_task_masks *a, const eg_task_masks *b)
{
    assert_memory_equal(a->known, b->known, a->tasks);
    for (size_t t = 0; t < a->tasks; t++) {
        for (size_t i = 0; a->known[t] != 0 && i < a->count; i++) {
            assert_true(eg_mask_has(eg_task_mask(a, t), i) == eg_mask_has(eg_task_mask(b, t), i));
        }
    }
}

static void masks_are_written_and_read(void **state)
{
    (void)state;
    learner_scene s = opened();
    scene_create(&s);
    eg_task_masks masks = {0};
    eg_task_masks other = {0};
    assert_ok(eg_task_masks_init(&masks, scene_net(&s), 3));
    assert_ok(eg_task_masks_init(&other, scene_net(&s), 3));
    fill(&masks, 0, 2);
    fill(&masks, 2, 3);
    eg_writer writer = {0};
    eg_task_masks_write(&masks, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_task_masks_read(&other, &reader));
    assert_ok(eg_reader_status(&reader, true));
    assert_same_masks(&masks, &other);

    /* As arrays, and without a task that was taken away. */
    eg_weights weights = {0};
    eg_weights_pass pass = {.weights = &weights};
    assert_ok(eg_task_masks_weights(&masks, &pass, scene_net(&s), 1));
    assert_int_equal(weights.count, 4);
    const eg_weights_array *array = eg_weights_find(&weights, "task002/layer2.weight");
    assert_non_null(array);
    assert_int_equal(array->extent[0], 5);
    assert_int_equal(array->extent[1], 7);
    pass.into_learner = true;
    fill(&other, 1, 5);
    assert_ok(eg_task_masks_weights(&other, &pass, scene_net(&s), 1));
    assert_same_masks(&masks, &other);
    (void)strcpy(weights.arrays[0].name, "gone1");
    (void)strcpy(weights.arrays[1].name, "gone2");
    assert_ok(eg_task_masks_weights(&other, &pass, scene_net(&s), 1));
    masks.known[0] = 0;
    assert_same_masks(&masks, &other);

    /* Between steps the task under way has arrays, too: of 1 as long as it has no mask. */
    eg_weights again = {0};
    pass = (eg_weights_pass){.weights = &again, .again = true};
    assert_ok(eg_task_masks_weights(&masks, &pass, scene_net(&s), 1));
    assert_int_equal(again.count, 4);
    array = eg_weights_find(&again, "task001/layer1.weight");
    assert_true(array->values[0] == 1 && array->values[1] == 1);
    pass.into_learner = true;
    fill(&other, 1, 5);
    assert_ok(eg_task_masks_weights(&other, &pass, scene_net(&s), 1));
    assert_same_masks(&masks, &other);
    fill(&masks, 1, 4);
    pass.into_learner = false;
    assert_ok(eg_task_masks_weights(&masks, &pass, scene_net(&s), 1));
    pass.into_learner = true;
    assert_ok(eg_task_masks_weights(&other, &pass, scene_net(&s), 1));
    assert_same_masks(&masks, &other);
    eg_weights_clear(&again);

    /* What does not fit. */
    pass = (eg_weights_pass){.weights = &weights, .into_learner = true};
    weights.arrays[3].values[0] = 0.5;
    assert_fails(eg_task_masks_weights(&other, &pass, scene_net(&s), 1), EG_INVALID, "0 or 1");
    eg_reader few = eg_reader_make(writer.data, writer.size - 1);
    assert_int_equal(eg_task_masks_read(&other, &few).code, EG_INVALID);
    writer.data[8] = 7;
    eg_reader marked = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_task_masks_read(&other, &marked), EG_INVALID, "expected 0 or 1");
    writer.data[0] = 9;
    eg_reader more = eg_reader_make(writer.data, writer.size);
    assert_fails(eg_task_masks_read(&other, &more), EG_INVALID, "9 tasks, expected 3");
    eg_writer_clear(&writer);
    eg_weights_clear(&weights);
    eg_task_masks_clear(&masks);
    eg_task_masks_clear(&other);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_weights_of_the_trunk_can_be_left_out),
        cmocka_unit_test(the_largest_are_chosen),
        cmocka_unit_test(padding_is_not_chosen),
        cmocka_unit_test(masks_are_applied_and_joined),
        cmocka_unit_test(capacity_is_counted),
        cmocka_unit_test(masks_are_written_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
