/** A model with a row of outputs for every position of an example: a hidden layer over all of them. It sees
 *  what comes next, so it is for tests of everything but language. */
#ifndef ENGRAM_TESTS_POSITION_MODEL_H
#define ENGRAM_TESTS_POSITION_MODEL_H

#include "testing.h"

#include "engram/graph.h"
#include "engram/model.h"
#include "engram/trial.h"
#include "nn/layers.h"

enum { POSITION_UNITS = 12, POSITION_MEMBERS_MAX = 64 };

/** x [T numbers] -> relu(POSITION_UNITS) -> [T, outputs] */
static inline eg_status position_graph(eg_graph **out, const eg_view *view, eg_shape input,
                                       size_t outputs, size_t batch)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_component *relu = eg_family_find(&eg_activation_family, "relu");
    const eg_shape hidden = eg_shape_vector(POSITION_UNITS);
    eg_layer layer;
    (void)view, (void)batch;
    EG_TRY(eg_graph_create(out, input));
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_layer_linear(&layer, input, POSITION_UNITS, EG_NORM_NONE, true,
                                        EG_INITIALIZER_UNIFORM));
    EG_TRY_DONE(status, eg_graph_chain(*out, "units", &layer, NULL));
    EG_TRY_DONE(status, eg_layer_activation(&layer, (const eg_activation *)(const void *)relu, none,
                                            hidden));
    EG_TRY_DONE(status, eg_graph_chain(*out, "active", &layer, NULL));
    EG_TRY_DONE(status, eg_layer_linear(&layer, hidden, eg_shape_positions(input) * outputs,
                                        EG_NORM_NONE, true, EG_INITIALIZER_UNIFORM));
    EG_TRY_DONE(status, eg_graph_chain(*out, "head", &layer, NULL));
    return status;
done:
    eg_graph_free(*out);
    *out = NULL;
    return status;
}

static const eg_model_kind position_model = {
    .component = {.name = "positions", .doc = "a row of outputs for every position"},
    .graph = position_graph,
};

/** The schema of trials with this model, too. */
static inline const eg_schema *position_schema(void)
{
    static const eg_component *members[POSITION_MEMBERS_MAX];
    static const eg_family *families[POSITION_MEMBERS_MAX];
    static eg_family models;
    static eg_schema schema;
    schema = *eg_trial_schema();
    models = eg_model_family;
    assert_true(models.member_count < EG_COUNT(members));
    for (size_t i = 0; i < models.member_count; i++) {
        members[i] = models.members[i];
    }
    members[models.member_count++] = &position_model.component;
    models.members = members;
    assert_true(schema.family_count <= EG_COUNT(families));
    for (size_t f = 0; f < schema.family_count; f++) {
        const eg_family *family = schema.families[f];
        families[f] = family == &eg_model_family ? &models : family;
    }
    schema.families = families;
    return &schema;
}

#endif
