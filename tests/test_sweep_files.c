/** The sweep files that come with engram: all are valid, have the points counted here by hand, and say so
 *  in their `doc`; the overrides they suggest for a quick try work. */
#include "sweep_cases.h"
#include "testing.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/sweep.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static eg_plan *load(const sweep_case *one, bool quick)
{
    char path[512];
    assert_in_range(snprintf(path, sizeof path, "%s/sweeps/%s", EG_SOURCE_DIR, one->path), 1,
                    sizeof path - 1);
    size_t count = 0;
    while (quick && count < OVERRIDES_MAX && one->overrides[count] != NULL) {
        count++;
    }
    eg_plan *plan = NULL;
    assert_ok(eg_plan_load(&plan, path, one->overrides, count));
    return plan;
}

/* Whether the words "= COUNT trials" stand in the text, possibly on two lines. */
static bool says(const char *doc, size_t count)
{
    char words[32];
    (void)snprintf(words, sizeof words, "= %zu", count);
    for (const char *at = strstr(doc, words); at != NULL; at = strstr(at + 1, words)) {
        const char *next = at + strlen(words);
        if (!isspace((unsigned char)*next)) {
            continue;
        }
        next += strspn(next, " \n");
        if (strncmp(next, "trials", strlen("trials")) == 0) {
            return true;
        }
    }
    return false;
}

static void test_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        eg_plan *plan = load(&cases[i], false);
        size_t trials = cases[i].points * cases[i].seeds;
        if (plan->point_count != cases[i].points || plan->trial_count != trials) {
            fail_msg("%s: %zu points, %zu trials; expected %zu and %zu", cases[i].path,
                     plan->point_count, plan->trial_count, cases[i].points, trials);
        }
        /* The one thing to warn of is that the paper selects on the test set, and that one seed, as
         * smoke variants have, or two say little. */
        assert_int_equal(plan->duplicates, 0);
        for (size_t w = 0; w < plan->warning_count; w++) {
            if (strstr(plan->warnings[w], "protocol test") == NULL &&
                (cases[i].seeds > 2 || strstr(plan->warnings[w], "per point: too few") == NULL)) {
                fail_msg("%s: warning: %s", cases[i].path, plan->warnings[w]);
            }
        }
        assert_int_equal(plan->select_best * plan->select_seed_count, cases[i].more);
        if (!says(plan->doc, trials + cases[i].more)) {
            fail_msg("%s: `doc` does not say \"= %zu trials\"", cases[i].path,
                     trials + cases[i].more);
        }
        eg_plan_free(plan);
    }
}

static void test_quick_variants(void **state)
{
    (void)state;
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        if (cases[i].left == 0) {
            continue;
        }
        eg_plan *plan = load(&cases[i], true);
        if (plan->trial_count != cases[i].left) {
            fail_msg("%s: the quick variant has %zu trials; expected %zu", cases[i].path,
                     plan->trial_count, cases[i].left);
        }
        for (size_t o = 0; o < OVERRIDES_MAX && cases[i].overrides[o] != NULL; o++) {
            if (strstr(plan->doc, cases[i].overrides[o]) == NULL) {
                fail_msg("%s: `doc` does not mention %s", cases[i].path, cases[i].overrides[o]);
            }
        }
        eg_plan_free(plan);
    }
}

/* A new sweep file must be added to the list above; a base.yaml is for including only. */
static void test_every_file_is_listed(void **state)
{
    (void)state;
    glob_t found;
    size_t bases = 0;
    assert_int_equal(glob(EG_SOURCE_DIR "/sweeps/*.yaml", 0, NULL, &found), 0);
    assert_int_equal(glob(EG_SOURCE_DIR "/sweeps/*/*.yaml", GLOB_APPEND, NULL, &found), 0);
    for (size_t f = 0; f < found.gl_pathc; f++) {
        const char *path = found.gl_pathv[f] + strlen(EG_SOURCE_DIR "/sweeps/");
        const char *name = strrchr(path, '/');
        bool listed = name != NULL && strcmp(name, "/base.yaml") == 0;
        bases += listed ? 1 : 0;
        for (size_t i = 0; i < EG_COUNT(cases); i++) {
            listed = listed || strcmp(path, cases[i].path) == 0;
        }
        if (!listed) {
            fail_msg("sweeps/%s is not tested", path);
        }
    }
    assert_int_equal(found.gl_pathc, EG_COUNT(cases) + bases);
    globfree(&found);
}

/* The table in sweeps/README.md has a row for every file, with the counts that `engram plan` prints. */
static void test_readme_counts(void **state)
{
    (void)state;
    unsigned char *bytes = NULL;
    size_t size = 0;
    assert_ok(eg_load_file(&bytes, &size, EG_SOURCE_DIR "/sweeps/README.md", "the README"));
    char *text = calloc(1, size + 1);
    assert_non_null(text);
    memcpy(text, bytes, size);
    eg_free(bytes);
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        const sweep_case *one = &cases[i];
        char cell[64];
        char counts[128];
        char more[32] = "";
        (void)snprintf(cell, sizeof cell, "| `%s` |", one->path);
        if (one->more > 0) {
            (void)snprintf(more, sizeof more, " + %zu", one->more);
        }
        (void)snprintf(counts, sizeof counts, "| %zu × %zu%s = %zu", one->points, one->seeds, more,
                       one->points * one->seeds + one->more);
        const char *row = strstr(text, cell);
        const char *found = row == NULL ? NULL : strstr(row, counts);
        if (found == NULL || found > row + strcspn(row, "\n")) {
            fail_msg("sweeps/README.md has no row of %s with %s", one->path, counts);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_quick_variants),
        cmocka_unit_test(test_every_file_is_listed),
        cmocka_unit_test(test_readme_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
