/** Resolving the points of a sweep one after the other: the same as each for itself, in little memory. */
#include "testing.h"

#include "base/shared/resolver.h"
#include "base/shared/settings_help.h"
#include "engram/memory.h"
#include "engram/settings.h"

#include <string.h>

/* A small world: shapes with parameters of their own. --------------------------------------------- */

static const eg_param circle_params[] = {
    {.name = "radius",
     .type = EG_TYPE_REAL,
     .default_text = "1",
     .min = 0,
     .max = 10,
     .doc = "radius"},
};
static const eg_param polygon_params[] = {
    {.name = "sides",
     .type = EG_TYPE_INTS,
     .default_text = "[3, 4]",
     .min = 3,
     .max = 1e6,
     .doc = "sides"},
    {.name = "groups", .type = EG_TYPE_GROUPS, .default_text = "[]", .doc = "groups"},
};
static const eg_param blob_params[] = {
    {.name = "waves", .type = EG_TYPE_INT, .min = 1, .max = 100, .doc = "number of waves"},
};
static const eg_component circle = {.name = "circle", .params = circle_params, .param_count = 1};
static const eg_component polygon = {.name = "polygon", .params = polygon_params, .param_count = 2};
static const eg_component blob = {.name = "blob", .params = blob_params, .param_count = 1};
static const eg_component *const shapes[] = {&blob, &circle, &polygon};
static const eg_family shape = {.name = "shape", .members = shapes, .member_count = 3};
static const eg_param root[] = {
    {.name = "shape",
     .type = EG_TYPE_COMPONENT,
     .default_text = "circle",
     .family = "shape",
     .doc = "shape"},
    {.name = "count", .type = EG_TYPE_INT, .default_text = "7", .doc = "count"},
    {.name = "late", .type = EG_TYPE_INT, .default_text = "0", .doc = "late", .added_later = true},
    {.name = "more",
     .type = EG_TYPE_COMPONENTS,
     .default_text = "[]",
     .family = "shape",
     .doc = "further shapes"},
};
static const eg_family *const families[] = {&shape};
static const eg_schema schema = {
    .root = root, .root_count = 4, .families = families, .family_count = 1};

/* Points of a sweep: values, lists, components, names given twice, an unknown name, one that is missing, damage. */
static const char circle_text[] = "circle";
static const char polygon_text[] = "polygon";
static const char blob_text[] = "blob";
static const eg_assignment points[][4] = {
    {{"shape", circle_text, {0}}, {"count", "2", {0}}, {"shape.radius", "1", {0}}},
    {{"shape", circle_text, {0}}, {"count", "2", {0}}, {"shape.radius", "3", {0}}},
    {{"shape", circle_text, {0}}, {"count", "5", {0}}, {"shape.radius", "1.0", {0}}},
    {{"shape", polygon_text, {0}}, {"count", "5", {0}}, {"shape.sides", "[3, 5]", {0}}},
    {{"shape", polygon_text, {0}}, {"count", "2", {0}}, {"shape.sides", "[3, 4, 9]", {0}}},
    {{"shape", polygon_text, {0}}, {"count", "5", {0}}, {"shape.sides", "[3, 5]", {0}}},
    {{"shape", polygon_text, {0}}, {"count", "5", {0}}, {"shape.groups", "[[1], [2, 3]]", {0}}},
    {{"shape", circle_text, {0}}, {"count", "5", {0}}, {"shape.sides", "[3, 5]", {0}}},
    {{"count", "5", {0}}, {"count", "6", {0}}, {"late", "1", {0}}},
    {{"count", "8", {0}}, {"count", "9", {0}}, {"late", "1", {0}}},
    {{"shape", blob_text, {0}}, {"count", "2", {0}}, {"late", "2", {0}}},
    {{"shape", blob_text, {0}}, {"count", "3", {0}}, {"late", "2", {0}}},
    {{"shape", blob_text, {0}}, {"count", "3", {0}}, {"late", "many", {"f", 3, 4}}},
    {{"shape", blob_text, {0}}, {"count", "x", {"f", 1, 2}}, {"late", "many", {"f", 3, 4}}},
    {{"shape", circle_text, {0}}, {"count", "2", {0}}, {"shape.radius", "-3", {"f", 5, 6}}},
    {{"shape", circle_text, {0}}, {"count", "2", {0}}, {"shape.radius", "3", {0}}},
    {{"more", "[circle]", {0}}, {"count", "2", {0}}, {"more.circle.radius", "3", {0}}},
    {{"more", "[circle, polygon]", {0}}, {"count", "2", {0}}, {"more.circle.radius", "3", {0}}},
    {{"more", "[polygon]", {0}}, {"count", "2", {0}}, {"more.circle.radius", "3", {0}}},
};
enum { WIDTH = 3 };

static void assert_same_settings(const eg_settings *a, const eg_settings *b)
{
    assert_int_equal(eg_settings_count(a), eg_settings_count(b));
    for (size_t i = 0; i < eg_settings_count(a); i++) {
        const eg_setting *x = eg_settings_at(a, i);
        const eg_setting *y = eg_settings_at(b, i);
        assert_string_equal(x->name, y->name);
        assert_ptr_equal(x->param, y->param);
        assert_int_equal(x->given, y->given);
        assert_string_equal(x->value.text, y->value.text);
        assert_int_equal(x->value.integer, y->value.integer);
        assert_close(x->value.real, y->value.real, 0);
        assert_ptr_equal(x->value.component, y->value.component);
        assert_int_equal(x->value.count, y->value.count);
        for (size_t k = 0; x->param->type == EG_TYPE_INTS && k < x->value.count; k++) {
            assert_int_equal(x->value.items[k], y->value.items[k]);
        }
        assert_ptr_equal(eg_settings_find(a, x->name), x);
        assert_int_equal(eg_settings_place(b, x->name), i);
    }
    assert_null(eg_settings_find(a, "shape.rad"));
}

/** Resolving point after point says what resolving each for itself says, and *kept, if there is one, the same. */
static void assert_resolves(eg_resolver *resolver, size_t point, eg_settings **kept)
{
    bool used[WIDTH] = {false}, expected_used[WIDTH] = {false};
    const eg_settings *settings = NULL;
    eg_settings *expected = NULL;
    eg_status missing = eg_ok(), expected_missing = eg_ok();
    eg_status wanted = eg_settings_resolve_known(&expected, &schema, points[point], WIDTH,
                                                 expected_used, &expected_missing);
    eg_status got = eg_resolver_resolve(resolver, points[point], WIDTH, used, &missing, &settings);
    assert_int_equal(got.code, wanted.code);
    assert_string_equal(got.message, wanted.message);
    *kept = NULL;
    if (wanted.code == EG_OK) {
        assert_string_equal(missing.message, expected_missing.message);
        assert_memory_equal(used, expected_used, sizeof used);
        assert_same_settings(settings, expected);
        assert_ok(eg_resolver_keep(resolver, kept));
    }
    eg_settings_free(expected);
}

/** Points that share what is the same are what they would be alone, whoever is released first. */
static void test_resolver(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    for (size_t first = 0; first < EG_COUNT(points); first++) {
        eg_settings *kept[EG_COUNT(points)];
        eg_resolver *resolver = NULL;
        assert_ok(eg_resolver_create(&resolver, &schema));
        for (size_t i = 0; i < EG_COUNT(points); i++) {
            assert_resolves(resolver, i, &kept[i]);
        }
        assert_true(eg_settings_alike(kept[0], kept[2]));
        assert_ptr_equal(eg_settings_find(kept[0], "shape.radius"),
                         eg_settings_find(kept[2], "shape.radius"));
        assert_false(eg_settings_alike(kept[2], kept[3]));
        eg_resolver_free(resolver);
        for (size_t i = 0; i < EG_COUNT(points); i++) {
            size_t which = (first + i) % EG_COUNT(points);
            eg_settings *expected = NULL;
            eg_status missing = eg_ok();
            bool used[WIDTH];
            if (kept[which] == NULL) {
                continue;
            }
            assert_ok(eg_settings_resolve_known(&expected, &schema, points[which], WIDTH, used,
                                                &missing));
            assert_same_settings(kept[which], expected);
            eg_settings_free(expected);
            eg_settings_free(kept[which]);
        }
    }
    assert_int_equal(eg_memory_live_blocks(), before);
}

/** More components than a resolver remembers. */
static void test_resolver_forgets(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    static char names[MANY][8];
    eg_resolver *resolver = NULL;
    eg_settings *first = NULL;
    size_t before = eg_memory_live_blocks();
    assert_ok(eg_resolver_create(&resolver, &schema));
    for (size_t i = 0; i < MANY; i++) {
        strcpy(names[i], i % 2 == 0 ? "circle" : "polygon");
        const eg_assignment assignments[] = {{"shape", names[i], {0}}, {"count", "3", {0}}};
        const eg_settings *settings = NULL;
        eg_status missing = eg_ok();
        bool used[2];
        assert_ok(eg_resolver_resolve(resolver, assignments, 2, used, &missing, &settings));
        assert_string_equal(eg_settings_find(settings, "shape")->value.text, names[i]);
        if (i == 0) {
            assert_ok(eg_resolver_keep(resolver, &first));
        }
    }
    assert_string_equal(eg_settings_find(first, "shape")->value.text, "circle");
    eg_settings_free(first);
    eg_resolver_free(resolver);
    assert_int_equal(eg_memory_live_blocks(), before);
}

static void test_resolver_out_of_memory(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    for (size_t n = 1, done = 0; done == 0; n++) {
        eg_resolver *resolver = NULL;
        eg_settings *kept[6] = {NULL};
        eg_memory_fail_after(n);
        eg_status status = eg_resolver_create(&resolver, &schema);
        for (size_t i = 0; i < 6 && status.code == EG_OK; i++) {
            const eg_settings *settings = NULL;
            eg_status missing = eg_ok();
            bool used[WIDTH];
            status = eg_resolver_resolve(resolver, points[i], WIDTH, used, &missing, &settings);
            if (status.code == EG_OK) {
                status = eg_resolver_keep(resolver, &kept[i]);
            }
        }
        eg_memory_fail_after(0);
        eg_resolver_free(resolver);
        for (size_t i = 0; i < 6; i++) {
            eg_settings_free(kept[i]);
        }
        assert_int_equal(eg_memory_live_blocks(), before);
        assert_true(status.code == EG_OK || status.code == EG_MEMORY);
        done = status.code == EG_OK && n > 10;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolver),
        cmocka_unit_test(test_resolver_forgets),
        cmocka_unit_test(test_resolver_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
