/** Class-incremental split: every phase teaches a group of classes the others do not have. One
 * head, no task ids; labels keep their numbers.
 *
 *  Source: Hsu et al. 2018, "Re-evaluating continual learning scenarios", incremental class
 * learning. */
#include "stream/class_streams.h"
#include "stream/task_classes.h"

#include "engram/memory.h"

enum { TASKS_DEFAULT = 5, CLASSES_MAX = 65536 };

static const char *const active_names[] = {
    [EG_ACTIVE_ALL] = "all",
    [EG_ACTIVE_SEEN] = "seen",
    [EG_ACTIVE_TASK] = "task",
    NULL,
};

typedef enum joint_loss { JOINT_LOSS_ALL, JOINT_LOSS_TASK } joint_loss;

static const char *const joint_loss_names[] = {
    [JOINT_LOSS_ALL] = "all",
    [JOINT_LOSS_TASK] = "task",
    NULL,
};

static const eg_param params[] = {
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "5",
     .min = 1,
     .max = CLASSES_MAX,
     .doc =
         "equal groups of consecutive classes; must divide their number; not used with partition"},
    {.name = "partition",
     .type = EG_TYPE_GROUPS,
     .default_text = "[]",
     .min = 0,
     .max = CLASSES_MAX - 1,
     .doc =
         "the classes of each task, e.g. [[0, 1], [2, 3, 4]]; classes left out never appear, but "
         "keep their output; []: equal groups"},
    {.name = "class_order",
     .type = EG_TYPE_NAME,
     .default_text = "natural",
     .names = eg_class_order_names,
     .doc = "shuffled: the classes change places at random, by seed, before they are grouped"},
    {.name = "joint",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "one phase learns the classes of all tasks together: the upper bound of "
            "continual learning, measured on the same tasks",
     .added_later = true},
    {.name = "active",
     .type = EG_TYPE_NAME,
     .default_text = "all",
     .names = active_names,
     .doc =
         "outputs that take part in losses and predictions: all; seen: the classes of the phases "
         "so far; task: the classes of the task, which evaluation names (task-incremental "
         "learning, multi-head)",
     .added_later = true},
    EG_TASK_ORDER,
    {.name = "joint_loss",
     .type = EG_TYPE_NAME,
     .default_text = "all",
     .names = joint_loss_names,
     .doc = "with joint and active = task: the loss of an example is over the classes of all "
            "tasks, or of its own task (multi-task learning)",
     .added_later = true},
};

/* Index of the group item i of a partition lies in. */
static size_t group_of_item(const eg_value *partition, size_t i)
{
    size_t group = 0;
    while (i >= partition->ends[group]) {
        group++;
    }
    return group;
}

static eg_status check_partition(const eg_view *view, const eg_value *partition, size_t classes)
{
    const char *prefix = view->prefix;
    size_t tasks = eg_view_size(view, "tasks");
    if (tasks != TASKS_DEFAULT && tasks != partition->count) {
        return eg_fail_setting(
            prefix, "tasks partition",
            "%stasks = %zu, but %spartition has %zu groups; expected only one of the two", prefix,
            tasks, prefix, partition->count);
    }
    size_t begin = 0;
    for (size_t g = 0; g < partition->count; g++) {
        if (partition->ends[g] == begin) {
            return eg_fail_setting(
                prefix, "partition",
                "%spartition: group %zu (from 0) is empty; expected at least one class", prefix, g);
        }
        begin = partition->ends[g];
    }
    for (size_t i = 0; i < begin; i++) {
        int64_t item = partition->items[i];
        if (item < 0 || (size_t)item >= classes) {
            return eg_fail_setting(
                prefix, "partition",
                "%spartition: class %lld in group %zu (from 0); expected 0 to %zu, the "
                "classes of the dataset",
                prefix, (long long)item, group_of_item(partition, i), classes - 1);
        }
        for (size_t j = 0; j < i; j++) {
            if (partition->items[j] == item) {
                return eg_fail_setting(
                    prefix, "partition",
                    "%spartition: class %lld appears twice, in groups %zu and %zu (from "
                    "0); expected once at most",
                    prefix, (long long)item, group_of_item(partition, j),
                    group_of_item(partition, i));
            }
        }
    }
    return eg_ok();
}

static bool has_own_losses(const eg_view *view)
{
    return eg_view_name(view, "joint_loss") == JOINT_LOSS_TASK;
}

static eg_status check_joint_loss(const eg_view *view)
{
    size_t active = eg_view_name(view, "active");
    if (eg_view_bool(view, "joint") && has_own_losses(view) && active != EG_ACTIVE_TASK) {
        return eg_fail_setting(view->prefix, "joint_loss active",
                               "%sjoint_loss = task with %sactive = %s; expected %sactive = task",
                               view->prefix, view->prefix, active_names[active], view->prefix);
    }
    return eg_ok();
}

static eg_status split_check(const eg_view *view, const eg_stream_sizes *data)
{
    size_t classes = data->outputs;
    EG_TRY(check_joint_loss(view));
    const eg_value *partition = eg_view_value(view, "partition");
    if (partition->count > 0) {
        EG_TRY(check_partition(view, partition, classes));
        return eg_order_tasks_check(view, partition->count);
    }
    size_t tasks = eg_view_size(view, "tasks");
    if (tasks > classes) {
        return eg_fail_setting(view->prefix, "tasks",
                               "%stasks = %zu; expected at most the %zu classes of the dataset",
                               view->prefix, tasks, classes);
    }
    if (classes % tasks != 0) {
        return eg_fail_setting(
            view->prefix, "tasks",
            "%stasks = %zu does not divide the %zu classes of the dataset; expected a "
            "divisor, or groups of your own in %spartition",
            view->prefix, tasks, classes, view->prefix);
    }
    return eg_order_tasks_check(view, tasks);
}

static size_t group_count(const eg_view *view)
{
    size_t groups = eg_view_value(view, "partition")->count;
    return groups > 0 ? groups : eg_view_size(view, "tasks");
}

/* group[classes] from checked settings; order[c] is the class that stands in place of class c. */
static void assign_groups(const eg_view *view, size_t classes, const uint32_t *order, size_t *group)
{
    const eg_value *partition = eg_view_value(view, "partition");
    if (partition->count == 0) {
        size_t each = classes / eg_view_size(view, "tasks");
        for (size_t c = 0; c < classes; c++) {
            group[order[c]] = c / each;
        }
        return;
    }
    for (size_t c = 0; c < classes; c++) {
        group[c] = EG_NO_GROUP;
    }
    size_t i = 0;
    for (size_t g = 0; g < partition->count; g++) {
        for (; i < partition->ends[g]; i++) {
            group[order[partition->items[i]]] = g;
        }
    }
}

static eg_status split_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                              uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(split_check(view, &data));
    size_t *group = NULL;
    uint32_t *order = NULL;
    uint32_t *identity = NULL;
    size_t tasks = group_count(view);
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&group, dataset->classes, sizeof *group));
    EG_TRY_DONE(status, eg_alloc(&order, dataset->classes, sizeof *order));
    eg_class_order(view, seed, dataset->classes, order);
    assign_groups(view, dataset->classes, order, group);
    EG_TRY_DONE(status, eg_alloc(&identity, tasks, sizeof *identity));
    eg_order_tasks(view, tasks, identity);

    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    const eg_class_tasks made = {.tasks = tasks,
                                 .group = group,
                                 .identity = eg_order_tasks_given(view) ? identity : NULL,
                                 .joint = eg_view_bool(view, "joint"),
                                 .active = (eg_active_outputs)eg_view_name(view, "active"),
                                 .own_losses = has_own_losses(view)};
    status = eg_class_tasks_create(out, &made, &setup);
done:
    eg_free(group);
    eg_free(identity);
    eg_free(order);
    return status;
}

static void split_sizes(const eg_view *view, eg_stream_sizes *out)
{
    eg_class_tasks_sizes(view, group_count(view), out);
    out->tells_task = eg_view_name(view, "active") == EG_ACTIVE_TASK;
    out->orders_tasks = eg_order_tasks_given(view);
}

const eg_stream_kind eg_stream_split = {
    .component = {.name = "split",
                  .doc = "class-incremental: each phase has its own classes, one head for all",
                  .source = "Hsu et al. 2018, arXiv 1810.12488",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = split_create,
    .check = split_check,
    .sizes = split_sizes,
    .shows_examples = true,
};
