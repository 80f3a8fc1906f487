/** Listing examples by group and choosing those held out; see stream/example_lists.h. */
#include "stream/example_lists.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>

/* The choice must not depend on a trial's seed, or the seeds of a point would be compared on
 * different validation examples. */
static const uint64_t holdout_seed = 0;

size_t eg_example_list_count(const eg_example_list *list, size_t group)
{
    return list->begin[group + 1] - list->begin[group];
}

const uint32_t *eg_example_list_of(const eg_example_list *list, size_t group)
{
    return list->index + list->begin[group];
}

static size_t group_of_class(const size_t *group, size_t label)
{
    return group == NULL ? 0 : group[label];
}

/* Lists the examples whose `held` flag is `wanted` (NULL: all of them) by a counting sort. */
static eg_status list_examples(eg_example_list *out, const eg_examples *examples,
                               const uint8_t *held, uint8_t wanted, const size_t *group,
                               size_t groups)
{
    /* One place more than begin needs: while filling, begin[g + 1] is where group g goes on. */
    EG_TRY(eg_alloc(&out->begin, groups + 2, sizeof *out->begin));
    EG_TRY(eg_alloc(&out->index, examples->count, sizeof *out->index));
    for (size_t i = 0; i < examples->count; i++) {
        size_t g = group_of_class(group, examples->label[i]);
        if (g != EG_NO_GROUP && (held == NULL || held[i] == wanted)) {
            out->begin[g + 2]++;
        }
    }
    for (size_t g = 2; g < groups + 2; g++) {
        out->begin[g] += out->begin[g - 1];
    }
    for (size_t i = 0; i < examples->count; i++) {
        size_t g = group_of_class(group, examples->label[i]);
        if (g != EG_NO_GROUP && (held == NULL || held[i] == wanted)) {
            out->index[out->begin[g + 1]++] = (uint32_t)i;
        }
    }
    return eg_ok();
}

static size_t held_count(size_t count, double holdout)
{
    size_t held = (size_t)llround(holdout * (double)count);
    if (held == 0) {
        held = 1;
    }
    return held < count ? held : count - 1;
}

/* Flags the examples held out, class by class. */
static eg_status choose_held(uint8_t *held, const eg_dataset *dataset, double holdout)
{
    const eg_examples *train = &dataset->train;
    size_t *each = NULL;
    eg_example_list by_class = {NULL, NULL};
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&each, dataset->classes, sizeof *each));
    for (size_t c = 0; c < dataset->classes; c++) {
        each[c] = c;
    }
    EG_TRY_DONE(status, list_examples(&by_class, train, NULL, 0, each, dataset->classes));
    for (size_t c = 0; c < dataset->classes; c++) {
        uint32_t *index = by_class.index + by_class.begin[c];
        size_t count = eg_example_list_count(&by_class, c);
        if (count == 0) {
            continue;
        }
        eg_rng rng = eg_rng_make(holdout_seed, EG_PURPOSE_HOLDOUT, c);
        eg_rng_shuffle(&rng, count, index);
        for (size_t i = 0; i < held_count(count, holdout); i++) {
            held[index[i]] = 1;
        }
    }
done:
    eg_free(each);
    eg_free(by_class.index);
    eg_free(by_class.begin);
    return status;
}

static eg_status check_filled(const eg_example_list *list, size_t groups, const char *what)
{
    for (size_t g = 0; g < groups; g++) {
        if (eg_example_list_count(list, g) == 0) {
            return eg_fail_setting(
                "", "dataset stream",
                "stream: task %zu (from 0) has no %s examples; expected at least one of "
                "its classes in the dataset (is dataset.limit too small?)",
                g, what);
        }
    }
    return eg_ok();
}

eg_status eg_example_lists_init(eg_example_lists *out, const eg_dataset *dataset,
                                const size_t *group, size_t groups, double holdout)
{
    *out = (eg_example_lists){.groups = groups};
    uint8_t *held = NULL; /* [train.count] */
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&held, dataset->train.count, sizeof *held));
    if (holdout > 0) {
        EG_TRY_DONE(status, choose_held(held, dataset, holdout));
    }
    EG_TRY_DONE(status, list_examples(&out->train, &dataset->train, held, 0, group, groups));
    EG_TRY_DONE(status, list_examples(&out->validation, &dataset->train, held, 1, group, groups));
    EG_TRY_DONE(status, list_examples(&out->test, &dataset->test, NULL, 0, group, groups));
    EG_TRY_DONE(status, check_filled(&out->train, groups, "training"));
    EG_TRY_DONE(status, check_filled(&out->test, groups, "test"));
    if (holdout > 0) {
        EG_TRY_DONE(status, check_filled(&out->validation, groups, "validation"));
    }
done:
    eg_free(held);
    return status;
}

void eg_example_lists_clear(eg_example_lists *lists)
{
    eg_free(lists->train.index);
    eg_free(lists->train.begin);
    eg_free(lists->validation.index);
    eg_free(lists->validation.begin);
    eg_free(lists->test.index);
    eg_free(lists->test.begin);
    *lists = (eg_example_lists){.groups = 0};
}
