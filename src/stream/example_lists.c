/** Listing examples by group and choosing those held out; see stream/example_lists.h. */
#include "stream/example_lists.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>
#include <string.h>

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

static size_t group_of_set(const eg_group_set *groups, size_t i)
{
    return groups->group == NULL ? groups->first + i : groups->group[i];
}

size_t eg_example_list_total(const eg_example_list *list, const eg_group_set *groups)
{
    size_t total = 0;
    for (size_t i = 0; i < groups->count; i++) {
        total += eg_example_list_count(list, group_of_set(groups, i));
    }
    return total;
}

const uint32_t *eg_example_list_piece(const eg_example_list *list, const eg_group_set *groups,
                                      size_t first, size_t size, uint32_t *copy)
{
    size_t copied = 0;
    for (size_t i = 0; i < groups->count && copied < size; i++) {
        size_t count = eg_example_list_count(list, group_of_set(groups, i));
        const uint32_t *index = eg_example_list_of(list, group_of_set(groups, i));
        if (first >= count) {
            first -= count;
            continue;
        }
        if (copied == 0 && size <= count - first) {
            return index + first;
        }
        size_t left = size - copied;
        size_t n = left < count - first ? left : count - first;
        memcpy(copy + copied, index + first, n * sizeof *copy);
        copied += n;
        first = 0;
    }
    return copy;
}

/* What becomes of an example. */
typedef enum use { USE_ORDINARY, USE_HELD, USE_NOT } use;

/* Lists the examples whose `uses` is `wanted` by a counting sort. */
static eg_status list_examples(eg_example_list *out, const eg_examples *examples,
                               const uint8_t *uses, use wanted, const size_t *group, size_t groups)
{
    /* One place more than begin needs: while filling, begin[g + 1] is where group g goes on. */
    EG_TRY(eg_alloc(&out->begin, groups + 2, sizeof *out->begin));
    EG_TRY(eg_alloc(&out->index, examples->count, sizeof *out->index));
    for (size_t i = 0; i < examples->count; i++) {
        size_t g = group_of_class(group, examples->label[i]);
        if (g != EG_NO_GROUP && uses[i] == wanted) {
            out->begin[g + 2]++;
        }
    }
    for (size_t g = 2; g < groups + 2; g++) {
        out->begin[g] += out->begin[g - 1];
    }
    for (size_t i = 0; i < examples->count; i++) {
        size_t g = group_of_class(group, examples->label[i]);
        if (g != EG_NO_GROUP && uses[i] == wanted) {
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

/* Marks the examples of a class after its first `most` as not used; 0: all are. `setting` and
 * `what` are for messages. */
static eg_status choose_first(uint8_t *uses, const eg_examples *examples, size_t classes,
                              const size_t *group, size_t most, const char *setting,
                              const char *what)
{
    size_t *seen = NULL; /* [classes] */
    if (most == 0) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&seen, classes, sizeof *seen));
    for (size_t i = 0; i < examples->count; i++) {
        size_t c = examples->label[i];
        uses[i] = seen[c] < most ? USE_ORDINARY : USE_NOT;
        seen[c]++;
    }
    eg_status status = eg_ok();
    for (size_t c = 0; c < classes && status.code == EG_OK; c++) {
        if (group_of_class(group, c) != EG_NO_GROUP && seen[c] < most) {
            status = eg_fail_setting("stream.", setting,
                                     "stream.%s = %zu; class %zu has %zu %s examples, expected at "
                                     "most that",
                                     setting, most, c, seen[c], what);
        }
    }
    eg_free(seen);
    return status;
}

/* Marks the examples held out of those used, class by class. */
static eg_status choose_held(uint8_t *uses, const eg_dataset *dataset,
                             const eg_example_choice *choice)
{
    const eg_examples *train = &dataset->train;
    size_t *each = NULL;
    eg_example_list by_class = {NULL, NULL};
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&each, dataset->classes, sizeof *each));
    for (size_t c = 0; c < dataset->classes; c++) {
        each[c] = c;
    }
    EG_TRY_DONE(status,
                list_examples(&by_class, train, uses, USE_ORDINARY, each, dataset->classes));
    for (size_t c = 0; c < dataset->classes; c++) {
        uint32_t *index = by_class.index + by_class.begin[c];
        size_t count = eg_example_list_count(&by_class, c);
        if (count == 0) {
            continue;
        }
        if (!choice->in_order) {
            eg_rng rng = eg_rng_make(holdout_seed, EG_PURPOSE_HOLDOUT, c);
            eg_rng_shuffle(&rng, count, index);
        }
        for (size_t i = 0; i < held_count(count, choice->holdout); i++) {
            uses[index[i]] = USE_HELD;
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
                                const size_t *group, size_t groups, const eg_example_choice *choice)
{
    *out = (eg_example_lists){.groups = groups};
    const eg_examples *train = &dataset->train;
    const eg_examples *test = &dataset->test;
    uint8_t *uses = NULL;      /* [train.count] */
    uint8_t *test_uses = NULL; /* [test.count] */
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&uses, train->count, sizeof *uses));
    EG_TRY_DONE(status, eg_alloc(&test_uses, test->count, sizeof *test_uses));
    EG_TRY_DONE(status, choose_first(uses, train, dataset->classes, group, choice->train,
                                     "train_examples", "training"));
    EG_TRY_DONE(status, choose_first(test_uses, test, dataset->classes, group, choice->test,
                                     "test_examples", "test"));
    if (choice->holdout > 0) {
        EG_TRY_DONE(status, choose_held(uses, dataset, choice));
    }
    EG_TRY_DONE(status, list_examples(&out->train, train, uses, USE_ORDINARY, group, groups));
    EG_TRY_DONE(status, list_examples(&out->validation, train, uses, USE_HELD, group, groups));
    EG_TRY_DONE(status, list_examples(&out->test, test, test_uses, USE_ORDINARY, group, groups));
    EG_TRY_DONE(status, check_filled(&out->train, groups, "training"));
    EG_TRY_DONE(status, check_filled(&out->test, groups, "test"));
    if (choice->holdout > 0) {
        EG_TRY_DONE(status, check_filled(&out->validation, groups, "validation"));
    }
done:
    eg_free(uses);
    eg_free(test_uses);
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
