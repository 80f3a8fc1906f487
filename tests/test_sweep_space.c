/** Plans whose points are suggested: the space, points one batch after the other, what is refused. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/space.h"
#include "plans.h"

#include <math.h>
#include <string.h>

static const char *const text =
    "name: t\n"
    "base: {dataset: synthetic, model.hidden: [8]}\n"
    "sample:\n"
    "  count: 5\n"
    "  batch: 2\n"
    "  seed: 11\n"
    "  settings:\n"
    "    optimizer.lr: {loguniform: [1e-4, 0.5]}\n"
    "    stream.batch: {int: [10, 40]}\n"
    "    model.activation: {choice: [relu, hard_ash: {alpha: [3, 4], z_k: 2}]}\n"
    "    optimizer.clip: {choice: [0, 0.5]}\n"
    "seeds: 2\n";

static eg_status parse(eg_plan **out, const char *sweep, const char *override)
{
    return eg_plan_parse_space(out, "t.yaml", sweep, strlen(sweep), &override,
                               override == NULL ? 0 : 1);
}

static eg_plan *space_of(const char *sweep)
{
    eg_plan *plan = NULL;
    assert_ok(parse(&plan, sweep, NULL));
    return plan;
}

static void refused(const char *sweep, const char *override, const char *words)
{
    eg_plan *plan = NULL;
    eg_status status = parse(&plan, sweep, override);
    assert_int_equal(status.code, EG_INVALID);
    assert_non_null(strstr(status.message, words));
    assert_null(plan);
}

static void test_variables(void **state)
{
    (void)state;
    size_t count = 0;
    eg_plan *plan = space_of(text);
    const eg_space_variable *variables = eg_plan_variables(plan, &count);
    assert_int_equal(count, 4);
    assert_int_equal(plan->point_count, 0);
    assert_int_equal(plan->trial_count, 0);
    assert_int_equal(plan->suggestions, 5);
    assert_int_equal(plan->batch, 2);
    assert_int_equal(eg_plan_space_seed(plan), 11);
    assert_int_equal(eg_plan_points_max(plan), 5);
    assert_string_equal(variables[0].name, "optimizer.lr");
    assert_int_equal(variables[0].kind, EG_VARIABLE_REAL);
    assert_true(variables[0].logarithmic);
    assert_close(variables[0].low, 1e-4, 0.0);
    assert_close(variables[0].high, 0.5, 0.0);
    assert_int_equal(variables[1].kind, EG_VARIABLE_INTEGER);
    assert_false(variables[1].logarithmic);
    assert_int_equal(variables[2].kind, EG_VARIABLE_CHOICE);
    assert_int_equal(variables[2].label_count, 3);
    assert_string_equal(variables[2].labels[0], "relu");
    assert_string_equal(variables[2].labels[1], "hard_ash alpha=3 z_k=2");
    assert_string_equal(variables[2].labels[2], "hard_ash alpha=4 z_k=2");
    assert_int_equal(variables[3].type, EG_TYPE_REAL);
    eg_plan_free(plan);
}

/** Points in the order of suggestion, a repeated one once, and with the ids that the same settings
 *  have in any other sweep. */
static void test_suggest(void **state)
{
    (void)state;
    eg_plan *plan = space_of(text);
    eg_plan *other = plan_of("name: t\n"
                             "base: {dataset: synthetic, model.hidden: [8], optimizer.clip: 0.5}\n"
                             "grid:\n"
                             "  optimizer.lr: 0.003\n"
                             "  stream.batch: 20\n"
                             "  model.activation: [hard_ash: {alpha: 4, z_k: 2}]\n"
                             "seeds: 2\n",
                             NULL);
    const eg_space_value first[] = {{.number = 0.003}, {.number = 20},  {.choice = 2},
                                    {.choice = 1},     {.number = 0.1}, {.number = 10},
                                    {.choice = 0},     {.choice = 0}};
    const eg_space_value second[] = {{.number = 0.1}, {.number = 10},   {.choice = 0},
                                     {.choice = 0},   {.number = 1e-4}, {.number = 40},
                                     {.choice = 0},   {.choice = 0},    {.number = 0.003},
                                     {.number = 20},  {.choice = 2},    {.choice = 1}};
    size_t points[3] = {9, 9, 9};
    assert_ok(eg_plan_suggest(plan, first, 2, points));
    assert_int_equal(points[0], 0);
    assert_int_equal(points[1], 1);
    assert_int_equal(plan->trial_count, 4);
    assert_int_equal(plan->trials[0].id, other->trials[0].id);
    assert_int_equal(plan->trials[1].id, other->trials[1].id);
    assert_ok(eg_plan_suggest(plan, second, 3, points));
    assert_int_equal(points[0], 1);
    assert_int_equal(points[1], 2);
    assert_int_equal(points[2], 0);
    assert_int_equal(plan->point_count, 3);
    assert_int_equal(plan->trial_count, 6);
    assert_int_equal(plan->first_count, 6);
    assert_int_equal(plan->trials[0].id, other->trials[0].id);
    for (size_t t = 0; t < plan->trial_count; t++) {
        assert_int_equal(plan->trials[t].point, t / 2);
        assert_int_equal(plan->trials[t].replicate, t % 2);
        assert_int_equal(eg_plan_find(plan, plan->trials[t].point, plan->trials[t].replicate), t);
    }
    assert_column(plan, "optimizer.lr", "0.003 0.1 0.0001");
    assert_column(plan, "model.activation.alpha", "4 - -");
    assert_int_equal(plan->swept_count, 4);
    eg_plan_free(plan);
    eg_plan_free(other);
}

static void test_bad_values(void **state)
{
    (void)state;
    eg_plan *plan = space_of(text);
    eg_space_value values[] = {{.number = 0.6}, {.number = 20}, {.choice = 0}, {.choice = 0}};
    size_t point = 0;
    assert_fails(eg_plan_suggest(plan, values, 1, &point), EG_INVALID,
                 "optimizer.lr = 0.6 is not in 0.0001 … 0.5");
    values[0].number = (double)NAN;
    assert_fails(eg_plan_suggest(plan, values, 1, &point), EG_INVALID, "is not in");
    eg_plan_free(plan);
}

static void test_refused(void **state)
{
    (void)state;
    refused("name: t\nbase: {dataset: synthetic}\n", NULL, "no `sample`");
    refused("name: t\nbase: {dataset: synthetic}\ngrid: {optimizer.lr: [0.1, 0.2]}\n"
            "sample: {count: 2, settings: {stream.batch: {int: [10, 40]}}}\n",
            NULL, "t.yaml:3:7: --ask: a tuner chooses what `sample` draws");
    refused("name: t\nbase: {dataset: synthetic}\n"
            "sample: {count: 2, settings: {optimizer.lr: {normal: [0.1, 0.01]}}}\n",
            NULL, "optimizer.lr: a tuner needs bounds");
    refused("name: t\nbase: {dataset: synthetic}\n"
            "sample: {count: 20000, settings: {optimizer.lr: {uniform: [0.1, 0.2]}}}\n",
            NULL, "at most 10000");
    refused(text, "optimizer.beta1=[0.5, 0.6]", "");
    refused("name: t\nbase: {dataset: synthetic}\n"
            "sample: {count: 2, settings: {optimizer.lr: {uniform: [0.1, 0.2]}}}\n",
            "optimizer.lr=0.1", "the command line gives all settings");
    refused("name: t\nbase: {dataset: synthetic}\nseeds: 4\n"
            "sample: {count: 8, settings: {optimizer.lr: {uniform: [0.1, 0.2]}}}\n"
            "stop: {halving_seeds: {eta: 2}}\n",
            NULL, "t.yaml:5:7: --ask: stop halving_seeds needs all points");
    refused("name: t\nbase: {dataset: synthetic}\n"
            "sample: {count: 2, batch: 0, settings: {optimizer.lr: {uniform: [0.1, 0.2]}}}\n",
            NULL, "sample.batch");
}

/** Without a tuner the batch says nothing. */
static void test_drawn(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(text, NULL);
    assert_int_equal(plan->point_count, 5);
    assert_null(plan->space);
    assert_int_equal(plan->suggestions, 0);
    assert_int_equal(eg_plan_points_max(plan), 5);
    eg_plan_free(plan);
}

/** Whatever allocation fails, nothing is left behind. */
static void test_memory(void **state)
{
    (void)state;
    size_t live = eg_memory_live_blocks();
    const eg_space_value values[] = {{.number = 0.1}, {.number = 20}, {.choice = 1}, {.choice = 0}};
    eg_code code = EG_MEMORY;
    for (size_t n = 1; code != EG_OK; n += 1 + n / 8) {
        eg_plan *plan = NULL;
        size_t point = 0;
        eg_memory_fail_after(n);
        eg_status status = parse(&plan, text, NULL);
        if (status.code == EG_OK) {
            status = eg_plan_suggest(plan, values, 1, &point);
        }
        eg_memory_fail_after(0);
        code = status.code;
        assert_true(code == EG_OK || code == EG_MEMORY);
        eg_plan_free(plan);
        assert_int_equal(eg_memory_live_blocks(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),  cmocka_unit_test(test_suggest),
        cmocka_unit_test(test_bad_values), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_drawn),      cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
