/** Learners on networks of images, on a small made-up stream: three tasks of two of six classes, grey images of 8
 *  x 8. */
#ifndef ENGRAM_TESTS_IMAGE_SCENE_H
#define ENGRAM_TESTS_IMAGE_SCENE_H

#include "learner_scene.h"

/** Two stages of one block, 2 and 4 filters: 5 hidden layers. */
#define RESIDUAL "model", "resnet18", "model.width", "2", "model.blocks", "[1, 1]"

/** `more`: "name", "value", …, NULL; among them the model. */
static inline learner_scene image_scene_open(const char *const *more, uint64_t seed)
{
    static const eg_assignment small[] = {
        {.name = "dataset", .value = "synthetic"}, {.name = "dataset.classes", .value = "6"},
        {.name = "dataset.side", .value = "8"},    {.name = "dataset.examples", .value = "60"},
        {.name = "dataset.noise", .value = "0.4"}, {.name = "stream.tasks", .value = "3"},
        {.name = "stream.batch", .value = "8"},    {.name = "stream.epochs", .value = "2"},
        {.name = "optimizer", .value = "sgd"},     {.name = "optimizer.lr", .value = "0.02"},
    };
    learner_scene s = {.settings = small_settings(small, EG_COUNT(small), more)};
    s.root = eg_settings_root(s.settings);
    assert_ok(eg_dataset_open(&s.dataset, &s.root));
    scene_open_stream(&s, seed);
    s.setup =
        (eg_learner_setup){.shape = s.stream->shape, .seed = seed, .block = 50, .stream = s.stream};
    return s;
}

static inline eg_learner_network image_scene_network(const learner_scene *s)
{
    eg_learner_network at;
    assert_true(s->learner->ops->network(s->learner, 0, &at));
    return at;
}

/** Number of a block of parameters, "stem.weight". */
static inline size_t image_block(const eg_net *net, const char *name)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, name);
    assert_non_null(row);
    return (size_t)(row - net->table.blocks);
}

/** Its values row by row, to be freed: [units][fan_in]. */
static inline eg_real *image_values(const eg_net *net, const char *name)
{
    size_t block = image_block(net, name);
    const eg_parameter_block *row = &net->table.blocks[block];
    eg_real *values = NULL;
    assert_ok(eg_alloc(&values, row->units * row->fan_in, sizeof *values));
    eg_net_block_get(net, block, net->params, values);
    return values;
}

#endif
