/** Optimizers made from settings, for tests of them. */
#ifndef ENGRAM_TESTS_OPTIMIZER_SCENE_H
#define ENGRAM_TESTS_OPTIMIZER_SCENE_H

#include "testing.h"

#include "engram/optimizer.h"

static const eg_param root[] = {
    {.name = "optimizer", .type = EG_TYPE_COMPONENT, .default_text = "sgd", .family = "optimizer"},
};
static const eg_family *const families[] = {&eg_optimizer_family, &eg_schedule_family};
static const eg_schema schema = {.root = root,
                                 .root_count = EG_COUNT(root),
                                 .families = families,
                                 .family_count = EG_COUNT(families)};

enum { ASSIGNMENTS_MAX = 10 };

static inline eg_status resolve(eg_settings **out, const char *const *words)
{
    eg_assignment all[ASSIGNMENTS_MAX];
    size_t count = 0;
    for (; words[2 * count] != NULL; count++) {
        assert_true(count < ASSIGNMENTS_MAX);
        all[count] = (eg_assignment){.name = words[2 * count], .value = words[2 * count + 1]};
    }
    return eg_settings_resolve(out, &schema, all, count);
}

/** A table of n parameters that are all weights; the block is static. */
static inline eg_parameter_table table_of(size_t n)
{
    static eg_parameter_block block;
    block = (eg_parameter_block){
        .name = "layer1.weight", .count = n, .units = 1, .fan_in = n, .lanes = 1};
    return (eg_parameter_table){.count = n, .block_count = 1, .blocks = &block};
}

/** The optimizer of "name", "value", "name", "value", …, NULL for the parameters of a table. */
static inline eg_optimizer *optimizer_for(const char *const *words, const eg_parameter_table *table)
{
    eg_settings *settings = NULL;
    eg_optimizer *optimizer = NULL;
    assert_ok(resolve(&settings, words));
    eg_view view = eg_settings_root(settings);
    assert_ok(eg_optimizer_create(&optimizer, &view, table, true, 1));
    eg_settings_free(settings);
    return optimizer;
}

/** The same for n parameters. */
static inline eg_optimizer *optimizer_of(const char *const *words, size_t n)
{
    const eg_parameter_table table = table_of(n);
    return optimizer_for(words, &table);
}

static inline eg_optimizer *decaying(const char *name, size_t n)
{
    const char *const words[] = {"optimizer", name, "optimizer.schedule", "exponential", NULL};
    return optimizer_of(words, n);
}

#endif
