/** Optimizers made from settings, for tests of them. */
#ifndef ENGRAM_TESTS_OPTIMIZER_SCENE_H
#define ENGRAM_TESTS_OPTIMIZER_SCENE_H

#include "words.h"

#include "engram/optimizer.h"

static const eg_param root[] = {
    {.name = "optimizer", .type = EG_TYPE_COMPONENT, .default_text = "sgd", .family = "optimizer"},
};
static const eg_family *const families[] = {&eg_optimizer_family, &eg_schedule_family};
static const eg_schema schema = {.root = root,
                                 .root_count = EG_COUNT(root),
                                 .families = families,
                                 .family_count = EG_COUNT(families)};

static inline eg_status resolve(eg_settings **out, const char *const *words)
{
    return resolve_words(out, &schema, words);
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
    eg_settings *settings = settings_from(&schema, words);
    eg_optimizer *optimizer = NULL;
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
