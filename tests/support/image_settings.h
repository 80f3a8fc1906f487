/** Networks of models of images from words, for tests. */
#ifndef ENGRAM_IMAGE_SETTINGS_H
#define ENGRAM_IMAGE_SETTINGS_H

#include "testing.h"

#include "engram/activation.h"
#include "engram/model.h"

static const eg_param image_root[] = {
    {.name = "model", .type = EG_TYPE_COMPONENT, .default_text = "cin_net", .family = "model"},
};
static const eg_family *const image_families[] = {&eg_activation_family, &eg_model_family};
static const eg_schema image_schema = {.root = image_root,
                                       .root_count = EG_COUNT(image_root),
                                       .families = image_families,
                                       .family_count = EG_COUNT(image_families)};

/** Settings of "name", "value", …, NULL. */
static inline eg_settings *image_settings(const char *const *words)
{
    enum { ASSIGNMENTS_MAX = 8 };
    eg_assignment all[ASSIGNMENTS_MAX] = {{0}};
    eg_settings *settings = NULL;
    size_t count = 0;
    for (; words[2 * count] != NULL; count++) {
        assert_true(count < ASSIGNMENTS_MAX);
        all[count] = (eg_assignment){.name = words[2 * count], .value = words[2 * count + 1]};
    }
    assert_ok(eg_settings_resolve(&settings, &image_schema, all, count));
    return settings;
}

/** Their network; what check and flops say without building it is what it says. */
static inline eg_net *image_net(const char *const *words, eg_shape input, size_t outputs,
                                size_t batch)
{
    eg_settings *settings = image_settings(words);
    const eg_view root = eg_settings_root(settings);
    const eg_view view = eg_view_inside(&root, "model");
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&root, "model");
    double flops = 0;
    eg_net *net = NULL;
    assert_ok(eg_model_build(&net, &root, input, outputs, batch, 1));
    assert_ok(eg_model_check(kind, &view, input, outputs));
    assert_ok(eg_model_flops(&flops, kind, &view, input, outputs));
    assert_close(flops, eg_net_flops(net), 0);
    eg_settings_free(settings);
    return net;
}

/** check and build must refuse these settings with the same words. */
static inline void image_refused(const char *const *words, eg_shape input, const char *part)
{
    eg_settings *settings = image_settings(words);
    const eg_view root = eg_settings_root(settings);
    const eg_view view = eg_view_inside(&root, "model");
    const eg_model_kind *kind = (const eg_model_kind *)eg_view_component(&root, "model");
    eg_net *net = NULL;
    assert_fails(eg_model_check(kind, &view, input, 3), EG_INVALID, part);
    const eg_status status = eg_model_build(&net, &root, input, 3, 32, 1);
    assert_true(status.settings[0] != '\0');
    assert_fails(status, EG_INVALID, part);
    assert_null(net);
    eg_settings_free(settings);
}

#endif
