/** The conformance suite of plug-ins, held against everything that is built in; arrays between guard
 *  pages; components from outside in the schema. What a plug-in can do wrong is in e2e/plugins.sh. */
#include "testing.h"

#include "engram/trial.h"
#include "plugin/conform.h"
#include "plugin/plugin_read.h"
#include "plugin/shared/plugin_load.h"

#include <stdlib.h>
#include <string.h>

/* Descriptors are a good one with something else in it. */
#pragma GCC diagnostic ignored "-Woverride-init"

/* Whoever is built in would be accepted as a plug-in: the suite refuses nothing that is sound. */
static void built_in_activations_conform(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_activation_family.member_count; m++) {
        const eg_activation *a = (const eg_activation *)eg_activation_family.members[m];
        const eg_plugin plugin = {EG_PLUGIN_BUILD, .activations = &a, .activation_count = 1};
        eg_conform_place place;
        print_message("%s\n", a->component.name);
        assert_ok(eg_plugin_validate(&plugin));
        if (strcmp(a->component.name, "lwta") == 0) { /* 50 groups fit none of the widths */
            assert_fails(eg_conform_float(&plugin, &place), EG_INVALID, "its defaults fit none of");
        } else if (strncmp(a->component.name, "topk", 4) != 0) { /* the same with k */
            assert_ok(eg_conform_float(&plugin, &place));
        }
    }
}

static void built_in_optimizers_conform(void **state)
{
    (void)state;
    size_t tried = 0;
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        const eg_optimizer_kind *o = (const eg_optimizer_kind *)eg_optimizer_family.members[m];
        const eg_plugin plugin = {EG_PLUGIN_BUILD, .optimizers = &o, .optimizer_count = 1};
        eg_conform_place place;
        print_message("%s\n", o->component.name);
        if (o->gather == NULL && o->counts_each == NULL) {
            assert_ok(eg_plugin_validate(&plugin));
            assert_ok(eg_conform_float(&plugin, &place));
            tried++;
        } else {
            assert_fails(eg_plugin_validate(&plugin), EG_INVALID, "are not for plug-ins");
        }
    }
    assert_true(tried >= 4);
}

static void built_in_schedules_conform(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_schedule_family.member_count; m++) {
        const eg_schedule *s = (const eg_schedule *)eg_schedule_family.members[m];
        const eg_plugin plugin = {EG_PLUGIN_BUILD, .schedules = &s, .schedule_count = 1};
        eg_conform_place place;
        bool numbers = true;
        for (size_t i = 0; i < s->component.param_count; i++) {
            numbers = numbers && !eg_type_is_list(s->component.params[i].type) &&
                      s->component.params[i].default_text != NULL;
        }
        print_message("%s\n", s->component.name);
        if (numbers) {
            assert_ok(eg_plugin_validate(&plugin));
            assert_ok(eg_conform_float(&plugin, &place));
        }
    }
}

static void guarded_arrays_notice(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < EG_COUNT(sizes); i++) {
        eg_guarded array;
        assert_ok(eg_guarded_create(&array, sizes[i]));
        unsigned char *bytes = array.data;
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(bytes[k], 0);
            bytes[k] = 1;
        }
        assert_true(eg_guarded_is_intact(&array));
        bytes[-1] = 1;
        assert_false(eg_guarded_is_intact(&array));
        eg_guarded_free(&array);
        eg_guarded_free(&array);
    }
}

static void nothing_of_a_kernel(const double *p, size_t n, const eg_real *x, eg_real *y,
                                eg_real *aux)
{
    (void)p, (void)n, (void)x, (void)y, (void)aux;
}

static void components_from_outside_are_members(void **state)
{
    (void)state;
    static const eg_activation first = {.component = {.name = "zzz", .doc = "x"},
                                        .forward = nothing_of_a_kernel};
    static const eg_activation second = {.component = {.name = "aaa", .doc = "x"},
                                         .forward = nothing_of_a_kernel};
    const eg_schema *schema = eg_trial_schema();
    const size_t before = eg_schema_family(schema, "activation")->member_count;
    const eg_assignment relu = {.name = "model.activation", .value = "relu"};
    const eg_assignment zzz = {.name = "model.activation", .value = "zzz"};
    const eg_assignment aaa = {.name = "model.activation", .value = "aaa"};
    eg_settings *settings = NULL;
    uint64_t ids[2];
    assert_ok(eg_settings_resolve(&settings, schema, &relu, 1));
    assert_ok(eg_trial_id(&ids[0], settings, 1));
    assert_fails(eg_settings_resolve(&(eg_settings *){NULL}, schema, &zzz, 1), EG_INVALID, "zzz");
    assert_ok(eg_trial_add_component("activation", &first.component, 17));
    assert_ok(eg_trial_add_component("activation", &second.component, 18));
    assert_fails(eg_trial_add_component("activation", &second.component, 18), EG_INVALID,
                 "activation aaa exists already");

    const eg_family *family = eg_schema_family(schema, "activation");
    assert_int_equal(family->member_count, before + 2);
    for (size_t i = 1; i < family->member_count; i++) {
        assert_true(strcmp(family->members[i - 1]->name, family->members[i]->name) < 0);
    }
    assert_int_equal(eg_trial_origin(&first.component), 17);
    assert_int_equal(eg_trial_origin(&second.component), 18);
    assert_int_equal(eg_trial_origin(eg_activation_family.members[0]), 0);

    /* Settings from before are valid, and their trials what they were. */
    assert_ok(eg_trial_id(&ids[1], settings, 1));
    assert_true(ids[0] == ids[1]);
    eg_settings_free(settings);
    assert_ok(eg_settings_resolve(&settings, schema, &zzz, 1));
    assert_ok(eg_trial_id(&ids[1], settings, 1));
    assert_true(ids[0] != ids[1]);
    eg_settings_free(settings);
    assert_ok(eg_settings_resolve(&settings, schema, &aaa, 1));
    eg_settings_free(settings);
}

/* What a descriptor may not say, one change at a time to one that is accepted. */
static void refuse_activation(const char *words, eg_activation a, eg_param parameter)
{
    const eg_activation *one = &a;
    if (a.component.params == NULL) {
        a.component.params = &parameter;
        a.component.param_count += 1;
    }
    const eg_plugin plugin = {EG_PLUGIN_BUILD, .activations = &one, .activation_count = 1};
    if (words == NULL) {
        assert_ok(eg_plugin_validate(&plugin));
    } else {
        assert_fails(eg_plugin_validate(&plugin), EG_INVALID, words);
    }
}

static void nothing_backward(const double *p, size_t n, const eg_real *x, const eg_real *y,
                             const eg_real *aux, const eg_real *dy, eg_real *dx)
{
    (void)p, (void)n, (void)x, (void)y, (void)aux, (void)dy, (void)dx;
}

#define ACTIVATION(...)                                                                            \
    ((eg_activation){.component = {.name = "good", .doc = "x"},                                    \
                     .forward = nothing_of_a_kernel,                                               \
                     .backward = nothing_backward,                                                 \
                     __VA_ARGS__})
#define PARAMETER(...)                                                                             \
    ((eg_param){                                                                                   \
        .name = "slope", .type = EG_TYPE_REAL, .doc = "x", .default_text = "1", __VA_ARGS__})

static void activations_are_refused_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", NULL};
    const eg_activation good = ACTIVATION(.high = 1);
    const eg_param plain = PARAMETER(.max = 2);
    refuse_activation(NULL, good, plain);
    refuse_activation("activation without a name: its name", ACTIVATION(.component.name = "Big"),
                      plain);
    refuse_activation("its name must be", ACTIVATION(.component.name = ""), plain);
    refuse_activation("activation good: doc must be", ACTIVATION(.component.doc = NULL), plain);
    refuse_activation("doc must be", ACTIVATION(.component.doc = "a\nb"), plain);
    refuse_activation("alias is not", ACTIVATION(.component.alias = "fine"), plain);
    refuse_activation("forward is missing", ACTIVATION(.forward = NULL), plain);
    refuse_activation("backward is missing", ACTIVATION(.backward = NULL), plain);
    refuse_activation("aux_count = 5 is more than 4", ACTIVATION(.aux_count = 5), plain);
    refuse_activation("parts = 9 is more than 8", ACTIVATION(.parts = 9), plain);
    refuse_activation("low must not be above high", ACTIVATION(.low = 2), plain);
    refuse_activation("9 parameters are more than 8", ACTIVATION(.component.param_count = 8),
                      plain);
    refuse_activation("a parameter's name must be", good, PARAMETER(.name = "a.b"));
    refuse_activation("parameter slope: its type must be", good, PARAMETER(.type = EG_TYPE_INTS));
    refuse_activation("names go with", good, PARAMETER(.names = names));
    refuse_activation("names go with", good, PARAMETER(.type = EG_TYPE_NAME));
    refuse_activation("slope: doc must be one line", good, PARAMETER(.doc = NULL));
    refuse_activation("min must not be above max", good, PARAMETER(.min = 3));
    refuse_activation("has no default_text", good, PARAMETER(.default_text = NULL));
    refuse_activation("slope = 1: must be", good, PARAMETER(.min = 2, .max = 3));
    refuse_activation("slope = x: must be", good, PARAMETER(.default_text = "x"));
    refuse_activation("keeps_results", good, PARAMETER(.keeps_results = true));
}

static void no_update(const eg_update *u)
{
    (void)u;
}

static double no_correction(const double *p, double t)
{
    (void)p;
    return t;
}

static void refuse_optimizer(const char *words, eg_optimizer_kind o)
{
    const eg_optimizer_kind *two[] = {&o, &o};
    const eg_plugin plugin = {EG_PLUGIN_BUILD, .optimizers = two, .optimizer_count = 2};
    assert_fails(eg_plugin_validate(&plugin), EG_INVALID, words);
}

static void other_kinds_are_refused_by_name(void **state)
{
    (void)state;
    const eg_component component = {.name = "good", .doc = "x"};
    const eg_param lr = PARAMETER(.name = "lr");
    const eg_component common = {.name = "good", .doc = "x", .params = &lr, .param_count = 1};
    refuse_optimizer("optimizer good: the plug-in has the name twice",
                     (eg_optimizer_kind){.component = component, .update = no_update});
    refuse_optimizer("optimizer good: update is missing",
                     (eg_optimizer_kind){.component = component});
    refuse_optimizer("slots = 4 is more than 3",
                     (eg_optimizer_kind){.component = component, .update = no_update, .slots = 4});
    refuse_optimizer("are not for plug-ins", (eg_optimizer_kind){.component = component,
                                                                 .update = no_update,
                                                                 .correction = no_correction});
    refuse_optimizer("parameter lr: every optimizer has one of this name",
                     (eg_optimizer_kind){.component = common, .update = no_update});

    const eg_schedule schedule = {.component = component};
    const eg_schedule *schedules[] = {&schedule, NULL};
    eg_plugin plugin = {EG_PLUGIN_BUILD, .schedules = schedules, .schedule_count = 1};
    assert_fails(eg_plugin_validate(&plugin), EG_INVALID, "schedule good: rate is missing");
    plugin.schedules = schedules + 1;
    assert_fails(eg_plugin_validate(&plugin), EG_INVALID, "schedule without a name: it is NULL");
    plugin.schedules = NULL;
    assert_fails(eg_plugin_validate(&plugin), EG_INVALID, "the array of kind schedule is missing");
    plugin.schedule_count = 65;
    assert_fails(eg_plugin_validate(&plugin), EG_INVALID, "65 components of kind schedule");
    plugin.schedule_count = 0;
    assert_fails(eg_plugin_validate(&plugin), EG_INVALID, "it has no component");
}

static void lists_are_read_with_care(void **state)
{
    (void)state;
    char *list = NULL;
    assert_ok(eg_plugin_list(&list));
    assert_string_equal(list, "");
    assert_ok(eg_plugin_expect(list));
    eg_free(list);
    assert_fails(eg_plugin_expect("12 /nowhere.so"), EG_INVALID, "names no plug-in");
    assert_fails(eg_plugin_expect("nonsense\n"), EG_INVALID, "names no plug-in");
    assert_fails(eg_plugin_expect("12 /nowhere.so\n"), EG_INVALID, "/nowhere.so does not exist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_activations_conform),
        cmocka_unit_test(built_in_optimizers_conform),
        cmocka_unit_test(built_in_schedules_conform),
        cmocka_unit_test(guarded_arrays_notice),
        cmocka_unit_test(activations_are_refused_by_name),
        cmocka_unit_test(other_kinds_are_refused_by_name),
        cmocka_unit_test(components_from_outside_are_members),
        cmocka_unit_test(lists_are_read_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
