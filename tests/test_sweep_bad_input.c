/** Bad sweep files: one clear message each. Every folder in data/sweeps/bad holds a sweep file and `expected`:
 *  the parts of the message, one a line. Besides, broken and truncated files, and memory that runs out. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/sweep.h"
#include "plans.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES_AT_LEAST = 100, TEXT_SIZE = 4096 };

static bool check_parts(const char *name, const char *path, const char *message)
{
    char line[TEXT_SIZE];
    bool good = true;
    size_t parts = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_error("%s: no file 'expected'\n", name);
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        parts++;
        if (strstr(message, line) == NULL) {
            print_error("%s: \"%s\" is not in \"%s\"\n", name, line, message);
            good = false;
        }
    }
    (void)fclose(file);
    return good && parts > 0;
}

static void test_bad_files(void **state)
{
    (void)state;
    DIR *directory = opendir(EG_TEST_DATA "/sweeps/bad");
    assert_non_null(directory);
    size_t cases = 0;
    size_t wrong = 0;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[TEXT_SIZE];
        char expected[TEXT_SIZE];
        (void)snprintf(path, sizeof path, EG_TEST_DATA "/sweeps/bad/%s/sweep.yaml", entry->d_name);
        (void)snprintf(expected, sizeof expected, EG_TEST_DATA "/sweeps/bad/%s/expected",
                       entry->d_name);
        size_t before = eg_memory_live_blocks();
        eg_plan *plan = NULL;
        eg_status status = eg_plan_load(&plan, path, NULL, 0);
        bool good = status.code == EG_INVALID && plan == NULL;
        if (!good) {
            print_error("%s: code %d\n", entry->d_name, (int)status.code);
        }
        good = check_parts(entry->d_name, expected, status.message) && good;
        wrong += !good;
        cases++;
        eg_plan_free(plan);
        assert_int_equal(eg_memory_live_blocks(), before);
    }
    (void)closedir(directory);
    assert_int_equal(wrong, 0);
    assert_true(cases >= CASES_AT_LEAST);
}

/* Nearly every part of the grammar, and few points. */
static const char medium[] =
    "name: medium\n"
    "doc: |\n  words\n  on lines\n"
    "base: &b {stream.batch: 16, optimizer: {adam: {lr: 1e-3}}, eval: {every: 5}}\n"
    "grid:\n"
    "  model.hidden: [[10], [20, 20]]\n"
    "  model.activation: [relu, hard_ash: {alpha: [3, 4]}]\n"
    "zip:\n  z: {stream.epochs: [1, 2], optimizer.clip: [0, 0.5]}\n"
    "when:\n  - if: {model.activation: relu}\n    grid: {optimizer.beta1: {linspace: [0.5, 0.9, "
    "2]}}\n"
    "exclude:\n  - {optimizer.beta1: {at_least: 0.9}, stream.epochs: [1, 3]}\n"
    "sample: {count: 2, method: halton, seed: 3, settings: {optimizer.lr: {loguniform: [1e-4, "
    "1e-2]}}}\n"
    "blocks:\n  one: {base: {optimizer.lr: 1}, grid: {stream.tasks: {range: [1, 2, 1]}}}\n"
    "seeds: [4, 2, 7]\n"
    "objective: {variable: final_accuracy, goal: maximise}\n"
    "protocol: {first_tasks: {k: 1}}\n"
    "stop: {early_cut: {after: 2, below: 0.5}}\n"
    "select: {best: 2, seeds: 5}\n";

static const char *const medium_overrides[] = {"stream.batch=8", "seeds=3",
                                               "optimizer.clip=[0.25, 0.5]", NULL};

static void test_medium_is_good(void **state)
{
    (void)state;
    eg_plan *plan = plan_of(medium, NULL);
    /* (relu with two beta1, hard_ash with two alpha) x hidden 2 x zip 2 x samples 2, and 2 of the block. With
     * one epoch, beta1 = 0.9 is excluded: one of relu, both of hard_ash, the whole block. */
    assert_int_equal(plan->excluded, (1 + 2) * 2 * 2 + 2);
    assert_int_equal(plan->point_count, 4 * 2 * 2 * 2 - (1 + 2) * 2 * 2);
    eg_plan_free(plan);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    size_t before = eg_memory_live_blocks();
    /* Every allocation of the reading part; of the later ones, which repeat for every point, a few percent. */
    for (size_t n = 1;; n += 1 + n / 64) {
        eg_plan *plan = NULL;
        eg_memory_fail_after(n);
        eg_status status =
            eg_plan_parse(&plan, "t.yaml", medium, strlen(medium), medium_overrides, 3);
        eg_memory_fail_after(0);
        assert_true((status.code == EG_OK) == (plan != NULL));
        eg_plan_free(plan);
        assert_int_equal(eg_memory_live_blocks(), before);
        if (status.code == EG_OK) {
            assert_true(n > 100);
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
    }
}

/** Whatever is cut off or changed, the answer is a plan or one message, and nothing is left behind. */
static void check_text(const char *text, size_t size)
{
    size_t before = eg_memory_live_blocks();
    char *copy = malloc(size == 0 ? 1 : size); /* of exactly this size, for the sanitizer */
    assert_non_null(copy);
    memcpy(copy, text, size);
    eg_plan *plan = NULL;
    eg_status status = eg_plan_parse(&plan, "t.yaml", copy, size, NULL, 0);
    assert_true(status.code == EG_OK || status.code == EG_INVALID);
    assert_true((status.code == EG_OK) == (plan != NULL));
    if (status.code == EG_INVALID) {
        assert_memory_equal(status.message, "t.yaml", 6);
    }
    eg_plan_free(plan);
    free(copy);
    assert_int_equal(eg_memory_live_blocks(), before);
}

static void test_truncations(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof medium; size++) {
        check_text(medium, size); /* the last one ends in a NUL byte */
    }
}

static void test_wrong_characters(void **state)
{
    (void)state;
    static const char wrong[] = "[]{}:,-#&*!|>'\"%@`\t\n 0x\xff";
    char text[sizeof medium];
    for (size_t i = 0; i + 1 < sizeof medium; i++) {
        memcpy(text, medium, sizeof medium);
        text[i] = wrong[i * 7 % (sizeof wrong - 1)];
        check_text(text, sizeof medium - 1);
    }
}

static void test_long_names(void **state)
{
    (void)state;
    char text[2000] = "name: t\nbase: {";
    size_t used = strlen(text);
    memset(text + used, 'a', 900);
    strcpy(text + used + 900, ": 1}\n");
    assert_fails(plan_status(text, NULL), EG_INVALID, "t.yaml:2:8: unknown setting 'aaaa");
    strcpy(text + used + 900, ".lr: {b: {c: 1}}}\n");
    assert_fails(plan_status(text, NULL), EG_INVALID, "t.yaml:2:");
    memcpy(text, "name: aaaaaaaa", 14);
    strcpy(text + 300, "\n");
    assert_fails(plan_status(text, NULL), EG_INVALID, "must be 1 to 100 letters");
}

/** A check of settings against each other is placed where the first of them that is at fault was given. */
static void test_where_settings_clash(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"name: t\nbase:\n  model: {sdmlp: {hidden: 20}}\n  model.k: 30\n",
         "t.yaml:4:3: model.k = 30 is more than the 20 hidden units"},
        /* model.k = 10 is a default, so nobody can look there. */
        {"name: t\nbase:\n  model: sdmlp\n  model.hidden: 5\n",
         "t.yaml:4:3: model.k = 10 is more than the 5 hidden units"},
        {"name: t\nbase: {learner: ewc}\ngrid:\n  learner.group: [1, 2]\n",
         "t.yaml:4:22: learner.fisher = exact weights"},
        {"name: t\nbase: {model.activation: lwta}\ngrid:\n  model.hidden: [[100], [70]]\n",
         "t.yaml:2:8: model.activation = lwta in hidden layer 1: groups = 50 does not divide"},
        {"name: t\nbase:\n  model.activation: {lwta: {groups: 7}}\n",
         "t.yaml:3:29: model.activation = lwta in hidden layer 1: groups = 7 does not divide"},
        {"name: t\nprotocol: test\nbase:\n  learner: {ensemble: {of: early_stopping}}\n",
         "t.yaml:2:11: learner = ensemble looks at held-out"},
        {"name: t\nbase:\n  learner: {reset: {of: flymodel}}\n",
         "t.yaml:3:21: learner.of = flymodel: learner flymodel has no network"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_fails(plan_status(cases[i].text, NULL), EG_INVALID, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_medium_is_good),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_truncations),
        cmocka_unit_test(test_wrong_characters),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_where_settings_clash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
