/** The transformer over tokens in tests: from settings, and a small one with a minibatch. */
#ifndef ENGRAM_TESTS_SWITCH_SCENE_H
#define ENGRAM_TESTS_SWITCH_SCENE_H

#include "testing.h"
#include "words.h"

#include "engram/activation.h"
#include "engram/memory.h"
#include "engram/model.h"
#include "engram/random.h"

#include <math.h>
#include <string.h>

static const eg_param root[] = {
    {.name = "model",
     .type = EG_TYPE_COMPONENT,
     .default_text = "switch_transformer",
     .family = "model"},
};
static const eg_family *const families[] = {&eg_activation_family, &eg_model_family};
static const eg_schema schema = {.root = root,
                                 .root_count = EG_COUNT(root),
                                 .families = families,
                                 .family_count = EG_COUNT(families)};

enum { SEED = 5 };

/* With T positions and V tokens. */
static inline eg_net *build(const char *const *words, size_t positions, size_t tokens)
{
    eg_settings *settings = settings_from(&schema, words);
    eg_view view = eg_settings_root(settings);
    eg_net *net = NULL;
    assert_ok(eg_model_build(&net, &view, (eg_shape){positions, 1, 1}, tokens, 32, SEED));
    eg_settings_free(settings);
    return net;
}

enum { T = 6, V = 11, B = 3, BATCH_TOKENS = B * T };

/* A small one, whose weights are large enough for everything to be felt. */
static const char *const small[] = {"model.width",
                                    "8",
                                    "model.depth",
                                    "2",
                                    "model.heads",
                                    "2",
                                    "model.experts",
                                    "3",
                                    "model.mixtures",
                                    "[2]",
                                    "model.hidden",
                                    "16",
                                    "model.balance",
                                    "0",
                                    NULL};

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    eg_real x[BATCH_TOKENS], dy[BATCH_TOKENS * V];
} scene;

static inline void scene_init(scene *s, const char *const *words)
{
    eg_rng rng = eg_rng_make(SEED, EG_PURPOSE_TEST, 1);
    s->net = build(words, T, V);
    assert_ok(eg_workspace_create(&s->workspace, s->net, B, true));
    for (size_t b = 0; b < s->net->table.block_count; b++) {
        const eg_parameter_block *block = &s->net->table.blocks[b];
        for (size_t i = 0; i < block->count; i++) {
            const bool padding = eg_parameter_unit(block, i) >= block->units;
            eg_real *w = &s->net->params[block->offset + i];
            *w = padding ? 0
                         : *w * 15 + (eg_real)(block->role == EG_ROLE_WEIGHT ? 0 : 0.2) *
                                         (eg_real)eg_rng_normal(&rng);
            *w = block->role == EG_ROLE_SCALE ? *w / 15 : *w;
        }
    }
    eg_net_touch(s->net);
    for (size_t n = 0; n < BATCH_TOKENS; n++) {
        s->x[n] = (eg_real)eg_rng_below(&rng, V);
    }
    for (size_t n = 0; n < (size_t)BATCH_TOKENS * V; n++) {
        s->dy[n] = (eg_real)eg_rng_normal(&rng);
    }
}

static inline void scene_clear(scene *s)
{
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
}

#endif
