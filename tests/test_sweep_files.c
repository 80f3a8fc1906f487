/** The sweep files that come with engram: all are valid, have the points counted here by hand, and say so
 *  in their `doc`; the overrides they suggest for a quick try work. */
#include "testing.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/sweep.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACTIVATIONS = 6 + 6 + 5 + 5 + 3 + 4, OPTIMIZERS = 3 + 25 + 24 + 12 + 3, OVERRIDES_MAX = 8 };

typedef struct sweep_case {
    const char *path;
    size_t points, seeds;
    size_t more;                          /**< trials of the second stage */
    const char *overrides[OVERRIDES_MAX]; /**< a quick variant … */
    size_t left; /**< … with so many trials; 0: the file is quick itself */
} sweep_case;

#define TENTH "seeds=1", "dataset.limit=6000"
#define SHORT_TASKS(tasks, examples)                                                               \
    "seeds=1", "stream.tasks=" tasks, "stream.change_after=" examples
#define ONE_FURTHER "select={best: 1, seeds: 1}"
#define SHORT_STREAM "seeds=3", "stream.examples=100000"
#define SHORT_PAIRS "seeds=1", "stream.tasks=1", "stream.epochs=1", "eval.epochs=1"
#define SHORT_CLASSES "seeds=1", "stream.tasks=1", "stream.epochs=1", "model.width=8"

static const sweep_case cases[] = {
    {.path = "quickstart.yaml", .points = 4 * 2, .seeds = 3},
    {.path = "hard-ash/headline.yaml",
     .points = (6 + 6 + 5 + 1) * 3,
     .seeds = 3,
     .more = 7,
     .overrides = {TENTH, "name=try"},
     .left = 54},
    {.path = "hard-ash/table3.yaml",
     .points = ACTIVATIONS * OPTIMIZERS,
     .seeds = 5,
     .overrides = {TENTH, "name=pair", "model.activation=relu", "optimizer=sgd"},
     .left = 1},
    {.path = "hard-ash/table3-smoke.yaml", .points = 9 * 5, .seeds = 1},
    {.path = "hard-ash/fig1.yaml", .points = 9 + 4, .seeds = 5, .overrides = {TENTH}, .left = 13},
    {.path = "hard-ash/table6-iid.yaml",
     .points = 18 + 3 + 1 + 4,
     .seeds = 5,
     .overrides = {TENTH},
     .left = 26},
    {.path = "hard-ash/table7-adam-bias.yaml",
     .points = 6 * 24 * 2,
     .seeds = 5,
     .overrides = {TENTH, "model.activation.alpha=4", "model.activation.z_k=2.3"},
     .left = 48},
    {.path = "hard-ash/sgd-decay.yaml", .points = 6, .seeds = 5, .overrides = {TENTH}, .left = 6},
    {.path = "hard-ash/table6-all.yaml",
     .points = 9 * 5 + 9 * (1 + 4 + 1 + 1 + 2),
     .seeds = 5,
     .overrides = {"seeds=1", "dataset.limit=3000"},
     .left = 126},
    {.path = "hard-ash/weight-norm.yaml",
     .points = 3 * 2 * 7,
     .seeds = 5,
     .overrides = {TENTH},
     .left = 42},
    {.path = "hard-ash/sparsity.yaml",
     .points = 4 * 6,
     .seeds = 5,
     .overrides = {TENTH},
     .left = 24},
    {.path = "hard-ash/sgd-decay-sensitivity.yaml",
     .points = 5 * 5 * 3,
     .seeds = 3,
     .overrides = {TENTH},
     .left = 75},
    {.path = "hard-ash/permuted-rate.yaml",
     .points = 3 * 8,
     .seeds = 3,
     .overrides = {TENTH, "stream.tasks=3"},
     .left = 24},
    {.path = "hard-ash/permuted-zk.yaml",
     .points = 9 + 1,
     .seeds = 3,
     .overrides = {TENTH, "stream.tasks=3"},
     .left = 10},
    {.path = "hard-ash/permuted-alpha.yaml",
     .points = 7,
     .seeds = 3,
     .overrides = {TENTH, "stream.tasks=3"},
     .left = 7},
    {.path = "class-incremental/elephant.yaml",
     .points = 4 * 3,
     .seeds = 3,
     .overrides = {TENTH},
     .left = 12},
    {.path = "class-incremental/finetune.yaml",
     .points = 3,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.epochs=20", "name=try"},
     .left = 3},
    {.path = "class-incremental/flymodel.yaml",
     .points = 9,
     .seeds = 3,
     .overrides = {"name=try", "only={learner.units: 1000, learner.ones: 64}"},
     .left = 3},
    {.path = "class-incremental/sdmlp.yaml",
     .points = 4 + 2 + 1,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.epochs=20", "model.switch_count=200000", "optimizer.lr=0.5",
                   "only={model.inhibition: gaba}"},
     .left = 2},
    {.path = "class-incremental/sdmlp-ewc.yaml",
     .points = 4 * 2,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=20", "model.switch_count=200000", "seeds=1",
                   "only={optimizer: sgd}"},
     .left = 4},
    {.path = "class-incremental/table1.yaml",
     .points = 4 + 4 + 1 + 3 + 2 + 1,
     .seeds = 3,
     .overrides = {"name=sdmlp", "seeds=1", "only={model: sdmlp, learner: plain}"},
     .left = 2},
    {.path = "class-incremental/table1-short.yaml",
     .points = 4 + 3 + 3 + 4 + 3 + 1 + 1 + 4 + 3 + 2 + 1,
     .seeds = 3,
     .overrides = {TENTH, "name=try"},
     .left = 29},
    {.path = "class-incremental/ewc.yaml",
     .points = 2 * 2 + 9 * 8 + 6,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=2", "learner.lambda=1e5",
                   "only={dataset.scale: unit, learner.beta: 0.005}"},
     .left = 3},
    {.path = "class-incremental/ewc-exact.yaml",
     .points = 5 * 2,
     .seeds = 3,
     .overrides = {"name=try", "seeds=1", "stream.epochs=1"},
     .left = 5},
    {.path = "class-incremental/online_ewc.yaml",
     .points = 3 * 6 + 3 * 6,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=2", "learner.lambda=3e5",
                   "only={learner.beta: 0.005, learner.gamma: 1}"},
     .left = 3},
    {.path = "class-incremental/mas.yaml",
     .points = 14 + 6,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=2", "learner.lambda=3", "only={learner.group: 1}"},
     .left = 3},
    {.path = "class-incremental/si.yaml",
     .points = 2 * 8,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=2", "seeds=1"},
     .left = 16},
    {.path = "class-incremental/l2.yaml",
     .points = 3 * 6,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=2", "seeds=1"},
     .left = 18},
    {.path = "class-incremental/replay.yaml",
     .points = 4,
     .seeds = 3,
     .overrides = {"name=try", "stream.epochs=2", "seeds=1"},
     .left = 4},
    {.path = "class-incremental/joint.yaml", .points = 3, .seeds = 3},
    {.path = "class-incremental/scenarios.yaml",
     .points = 2 + 2 + 2 + 2 * 2 + 3,
     .seeds = 3,
     .overrides = {TENTH, "name=try"},
     .left = 13},
    {.path = "loss-of-plasticity/scr.yaml",
     .points = (6 + 1) * 3,
     .seeds = 30,
     .overrides = {SHORT_STREAM},
     .left = 21 * 3},
    {.path = "loss-of-plasticity/scr-all-bits.yaml",
     .points = (2 + 1) * 3,
     .seeds = 30,
     .overrides = {SHORT_STREAM},
     .left = 9 * 3},
    {.path = "loss-of-plasticity/scr-cbp.yaml",
     .points = 4 * 2,
     .seeds = 30,
     .overrides = {SHORT_STREAM},
     .left = 8 * 3},
    {.path = "loss-of-plasticity/opm-small-bp.yaml",
     .points = 3,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.tasks=3"},
     .left = 3},
    {.path = "loss-of-plasticity/opm-small-methods.yaml",
     .points = 1 + 3 + 3 + 3 + 3 + 2 + 1 + 1,
     .seeds = 3,
     .overrides = {SHORT_TASKS("2", "5000")},
     .left = 17},
    {.path = "loss-of-plasticity/methods.yaml",
     .points = 4 + 1 + 1 + 1 + 1 + 2 + 1 + 1 + 2 + 2 + 1 + 2,
     .seeds = 3,
     .overrides = {SHORT_TASKS("2", "5000")},
     .left = 19},
    {.path = "loss-of-plasticity/scr-snp.yaml",
     .points = 6,
     .seeds = 30,
     .overrides = {SHORT_STREAM},
     .left = 6 * 3},
    {.path = "loss-of-plasticity/scr-paper.yaml",
     .points = 18 * 2 + 5 + 6 * 6 + 3 + 6 * 6 * 2 + 5 * 2,
     .seeds = 100,
     .overrides = {"seeds=1", "stream.examples=20000"},
     .left = 162},
    {.path = "loss-of-plasticity/opm-fast.yaml",
     .points = 3 + 1 + 3,
     .seeds = 5,
     .overrides = {"seeds=1", "stream.tasks=3"},
     .left = 7},
    {.path = "loss-of-plasticity/opm-width.yaml",
     .points = 3,
     .seeds = 30,
     .overrides = {SHORT_TASKS("2", "200")},
     .left = 3},
    {.path = "loss-of-plasticity/opm-rate.yaml",
     .points = 3,
     .seeds = 30,
     .overrides = {SHORT_TASKS("1", "300")},
     .left = 1},
    {.path = "loss-of-plasticity/opm-paper-bp.yaml",
     .points = 3,
     .seeds = 30,
     .overrides = {SHORT_TASKS("2", "300")},
     .left = 3},
    {.path = "loss-of-plasticity/opm-paper-snp.yaml",
     .points = 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_TASKS("2", "300"), ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/opm-paper-dropout.yaml",
     .points = 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_TASKS("2", "300"), ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/opm-paper-norm.yaml",
     .points = 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_TASKS("2", "300"), ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/opm-paper-adam.yaml",
     .points = 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_TASKS("2", "300"), ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/opm-paper-l2.yaml",
     .points = 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_TASKS("2", "300"), ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/opm-paper-cbp.yaml",
     .points = 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_TASKS("2", "300"), ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/scr-rivals.yaml",
     .points = 6 * 3 + 7,
     .seeds = 30,
     .overrides = {SHORT_STREAM},
     .left = 25 * 3},
    {.path = "loss-of-plasticity/cin-paper-bp.yaml",
     .points = 3,
     .seeds = 30,
     .overrides = {SHORT_PAIRS},
     .left = 3},
    {.path = "loss-of-plasticity/cin-paper-l2.yaml",
     .points = 4 * 4,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_PAIRS, ONE_FURTHER},
     .left = 16},
    {.path = "loss-of-plasticity/cin-paper-snp.yaml",
     .points = 2 * 3 * 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_PAIRS, ONE_FURTHER},
     .left = 18},
    {.path = "loss-of-plasticity/cin-paper-cbp.yaml",
     .points = 2 * 3,
     .seeds = 10,
     .more = 20,
     .overrides = {SHORT_PAIRS, ONE_FURTHER},
     .left = 6},
    {.path = "loss-of-plasticity/cin-paper-linear.yaml",
     .points = 3,
     .seeds = 30,
     .overrides = {SHORT_PAIRS},
     .left = 3},
    {.path = "loss-of-plasticity/cin-mini.yaml",
     .points = 2 * 4 + 2 + 1,
     .seeds = 2,
     .overrides = {"seeds=1", "stream.tasks=2", "stream.epochs=1"},
     .left = 11},
    {.path = "loss-of-plasticity/cin-mini-imagenet.yaml",
     .points = 2 * 4 + 2 + 1,
     .seeds = 2,
     .overrides = {"seeds=1", "stream.tasks=2", "stream.epochs=1"},
     .left = 11},
    {.path = "loss-of-plasticity/cin-synth.yaml",
     .points = 2 * 4 + 2 + 1,
     .seeds = 2,
     .overrides = {"seeds=1", "stream.tasks=2", "stream.epochs=1", "dataset.classes=4"},
     .left = 11},
    {.path = "loss-of-plasticity/cic-paper-base.yaml",
     .points = 3,
     .seeds = 15,
     .more = 15,
     .overrides = {SHORT_CLASSES, ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/cic-paper-snp.yaml",
     .points = 3,
     .seeds = 15,
     .more = 15,
     .overrides = {SHORT_CLASSES, ONE_FURTHER},
     .left = 3},
    {.path = "loss-of-plasticity/cic-paper-cbp.yaml",
     .points = 3 * 2,
     .seeds = 15,
     .more = 15,
     .overrides = {SHORT_CLASSES, ONE_FURTHER},
     .left = 6},
    {.path = "loss-of-plasticity/cic-paper-head-reset.yaml",
     .points = 1,
     .seeds = 30,
     .overrides = {SHORT_CLASSES},
     .left = 1},
    {.path = "loss-of-plasticity/cic-paper-retrained.yaml",
     .points = 1,
     .seeds = 30,
     .overrides = {SHORT_CLASSES},
     .left = 1},
    {.path = "loss-of-plasticity/cic-mini.yaml",
     .points = 5,
     .seeds = 2,
     .overrides = {"seeds=1", "stream.tasks=2", "stream.epochs=1", "model.width=4"},
     .left = 5},
    {.path = "alma/mnist-c.yaml",
     .points = 2 * 4,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.epochs=2"},
     .left = 8},
    {.path = "alma/mnist-q.yaml",
     .points = 2 * 4 + 2 * 2,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.epochs=1", "stream.wait=[25, 50]"},
     .left = 2 * (2 + 2)},
    {.path = "alma/mnist-f.yaml",
     .points = 5 * 8 * 2 + 5 * 2 * 2,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.epochs=1", "stream.wait=[100, 500]", "model.hidden=[4, 4]"},
     .left = 2 * 2 + 2 * 2},
    {.path = "alma/cifar-q.yaml",
     .points = 3 * 5 + 3,
     .seeds = 2,
     .overrides = {"seeds=1", "stream.epochs=1", "model.width=4", "stream.wait=[10, 20]",
                   "stream.subset=1000"},
     .left = 2 + 2},
    {.path = "alma/cifar-f.yaml",
     .points = 5 * 7 * 2 + 5 * 2 * 2,
     .seeds = 3,
     .overrides = {"seeds=1", "stream.epochs=1", "model.width=4", "stream.wait=[50, 100]",
                   "stream.subset=1000"},
     .left = 2 * 2 + 2 * 2},
};

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
