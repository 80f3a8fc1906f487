/** The seeds by purpose of a trial, where there are such. */
#include "engram/measure.h"

#include <string.h>

static const eg_variable order_seed = {
    .name = "order_seed",
    .wide = true,
    .unit = "1",
    .doc = "seed of what the stream draws: the order of tasks, classes and examples"};
static const eg_variable init_seed = {
    .name = "init_seed",
    .wide = true,
    .unit = "1",
    .doc = "seed of what the learner draws: initial weights, dropout, noise"};

static const eg_variable *const list[] = {&order_seed, &init_seed, NULL};

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    (void)now;
    const eg_measure_setup *setup = measure->setup;
    EG_TRY(eg_record_scalar(setup->record, &order_seed, (double)setup->order_seed));
    return eg_record_scalar(setup->record, &init_seed, (double)setup->init_seed);
}

static bool by_default(const eg_measure_scope *scope)
{
    return strcmp(eg_view_value(scope->root, "seeding")->text, "one") != 0;
}

static const eg_measure_ops ops = {.end_trial = end_trial};

const eg_measure_kind eg_measure_seeds = {
    .component = {.name = "seeds",
                  .doc =
                      "the seeds of the order of the data and of the initial weights; by default "
                      "where they are apart (seeds: {order: …, init: …})"},
    .order = 17,
    .variables = list,
    .size = sizeof(eg_measure),
    .ops = &ops,
    .by_default = by_default,
};
