/** Small helpers for tests of sweep files; see plans.h. */
#include "testing.h"

#include "plans.h"

#include <stdio.h>
#include <string.h>

static size_t count_of(const char *const *overrides)
{
    size_t count = 0;
    while (overrides != NULL && overrides[count] != NULL) {
        count++;
    }
    return count;
}

eg_plan *eg_test_plan(const char *text, const char *const *overrides)
{
    eg_plan *plan = NULL;
    assert_ok(eg_plan_parse(&plan, "t.yaml", text, strlen(text), overrides, count_of(overrides)));
    return plan;
}

eg_status eg_test_plan_status(const char *text, const char *const *overrides)
{
    eg_plan *plan = NULL;
    eg_status status =
        eg_plan_parse(&plan, "t.yaml", text, strlen(text), overrides, count_of(overrides));
    assert_true((status.code == EG_OK) == (plan != NULL));
    eg_plan_free(plan);
    return status;
}

const char *eg_test_value(const eg_plan *plan, size_t point, const char *name)
{
    const eg_setting *setting = eg_settings_find(plan->points[point].settings, name);
    return setting != NULL ? setting->value.text : "-";
}

void eg_test_column(const eg_plan *plan, const char *name, const char *expected, const char *file,
                    int line)
{
    char column[8192] = "";
    for (size_t i = 0; i < plan->point_count; i++) {
        size_t used = strlen(column);
        (void)snprintf(column + used, sizeof column - used, "%s%s", i == 0 ? "" : " ",
                       eg_test_value(plan, i, name));
    }
    if (strcmp(column, expected) != 0) {
        print_error("%s is \"%s\", expected \"%s\"\n", name, column, expected);
        _fail(file, line);
    }
}
