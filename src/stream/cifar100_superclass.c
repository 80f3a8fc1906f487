/** CIFAR-100 Superclass: twenty tasks, the groups of five classes that the dataset names (its
 *  coarse labels), each with a head of its own.
 *
 *  Source: Yoon et al. 2020, "Scalable and order-robust continual learning with additive parameter
 *  decomposition", arXiv 1902.09432; the orders are those of the authors' program. The classes of
 *  the groups: Krizhevsky 2009, Learning multiple layers of features from tiny images. */
#include "stream/task_classes.h"

enum { TASKS = 20, EACH = 5, CLASSES = TASKS * EACH };

static const uint8_t classes_of[TASKS][EACH] = {
    {4, 30, 55, 72, 95},  {1, 32, 67, 73, 91},  {54, 62, 70, 82, 92}, {9, 10, 16, 28, 61},
    {0, 51, 53, 57, 83},  {22, 39, 40, 86, 87}, {5, 20, 25, 84, 94},  {6, 7, 14, 18, 24},
    {3, 42, 43, 88, 97},  {12, 17, 37, 68, 76}, {23, 33, 49, 60, 71}, {15, 19, 21, 31, 38},
    {34, 63, 64, 66, 75}, {26, 45, 77, 79, 99}, {2, 11, 35, 46, 98},  {27, 29, 44, 78, 93},
    {36, 50, 65, 74, 80}, {47, 52, 56, 59, 96}, {8, 13, 48, 58, 90},  {41, 69, 81, 85, 89},
};

static const uint8_t named[EG_NAMED_ORDERS - 1][TASKS] = {
    {15, 12, 5, 9, 7, 16, 18, 17, 1, 0, 3, 8, 11, 14, 10, 6, 2, 4, 13, 19},
    {17, 1, 19, 18, 12, 7, 6, 0, 11, 15, 10, 5, 13, 3, 9, 16, 4, 14, 2, 8},
    {11, 9, 6, 5, 12, 4, 0, 10, 13, 7, 14, 3, 15, 16, 8, 1, 2, 19, 18, 17},
    {6, 14, 0, 11, 12, 17, 13, 4, 9, 1, 7, 19, 8, 10, 3, 15, 18, 5, 2, 16},
};

static const eg_param params[] = {EG_NAMED_TASKS};

static eg_status cifar100_superclass_check(const eg_view *view, const eg_stream_sizes *data)
{
    if (data->outputs != CLASSES) {
        return eg_fail_setting("", "dataset stream",
                               "stream = cifar100_superclass with a dataset of %zu classes; "
                               "expected %d",
                               data->outputs, CLASSES);
    }
    return eg_named_tasks_check(view, TASKS);
}

static eg_status cifar100_superclass_create(eg_stream **out, const eg_view *view,
                                            const eg_dataset *dataset, uint64_t seed,
                                            double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(cifar100_superclass_check(view, &data));
    size_t group[CLASSES];
    for (size_t task = 0; task < TASKS; task++) {
        for (size_t i = 0; i < EACH; i++) {
            group[classes_of[task][i]] = task;
        }
    }
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    return eg_named_tasks_create(out, view, TASKS, group, named[0], &setup);
}

static void cifar100_superclass_sizes(const eg_view *view, eg_stream_sizes *out)
{
    eg_named_tasks_sizes(view, TASKS, out);
}

const eg_stream_kind eg_stream_cifar100_superclass = {
    .component = {.name = "cifar100_superclass",
                  .doc = "task-incremental: the twenty groups of five classes of CIFAR-100",
                  .source = "Yoon et al. 2020, arXiv 1902.09432",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = cifar100_superclass_create,
    .check = cifar100_superclass_check,
    .sizes = cifar100_superclass_sizes,
};
