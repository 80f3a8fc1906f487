/** CIFAR-100 Split: ten tasks of ten classes, 10m to 10m + 9 in task m, each with a head of its
 *  own.
 *
 *  Source: Yoon et al. 2020, "Scalable and order-robust continual learning with additive parameter
 *  decomposition", arXiv 1902.09432; the orders are those of the authors' program. */
#include "stream/class_streams.h"
#include "stream/task_classes.h"

enum { TASKS = 10, EACH = 10, CLASSES = TASKS * EACH };

static const uint8_t named[EG_NAMED_ORDERS - 1][TASKS] = {
    {1, 7, 4, 5, 2, 0, 8, 6, 9, 3},
    {7, 0, 5, 1, 8, 4, 3, 6, 2, 9},
    {5, 8, 2, 9, 0, 4, 3, 7, 6, 1},
    {2, 9, 5, 4, 8, 0, 6, 1, 3, 7},
};

static const eg_param params[] = {
    EG_NAMED_TASKS,
    {.name = "class_order",
     .type = EG_TYPE_NAME,
     .default_text = "natural",
     .names = eg_class_order_names,
     .doc = "shuffled: the classes change places at random, by seed, before they are grouped"},
};

static eg_status cifar100_split_check(const eg_view *view, const eg_stream_sizes *data)
{
    if (data->outputs != CLASSES) {
        return eg_fail_setting("", "dataset stream",
                               "stream = cifar100_split with a dataset of %zu classes; expected "
                               "%d",
                               data->outputs, CLASSES);
    }
    return eg_named_tasks_check(view, TASKS);
}

static eg_status cifar100_split_create(eg_stream **out, const eg_view *view,
                                       const eg_dataset *dataset, uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(cifar100_split_check(view, &data));
    uint32_t order[CLASSES];
    size_t group[CLASSES];
    eg_class_order(view, seed, CLASSES, order);
    for (size_t c = 0; c < CLASSES; c++) {
        group[order[c]] = c / EACH;
    }
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    return eg_named_tasks_create(out, view, TASKS, group, named[0], &setup);
}

static void cifar100_split_sizes(const eg_view *view, eg_stream_sizes *out)
{
    eg_named_tasks_sizes(view, TASKS, out);
}

const eg_stream_kind eg_stream_cifar100_split = {
    .component = {.name = "cifar100_split",
                  .doc = "task-incremental: ten tasks of ten classes each, of a dataset with 100",
                  .source = "Yoon et al. 2020, arXiv 1902.09432",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = cifar100_split_create,
    .check = cifar100_split_check,
    .sizes = cifar100_split_sizes,
};
