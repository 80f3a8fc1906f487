/** Omniglot-rotation: tasks of twelve consecutive characters, each with a head of its own. Orders B
 *  to E are drawn, the same for every seed: those of the paper are not known.
 *
 *  Source: Yoon et al. 2020, "Scalable and order-robust continual learning with additive parameter
 *  decomposition", arXiv 1902.09432: 100 tasks. */
#include "stream/task_classes.h"

#include "engram/memory.h"

enum { EACH = 12 };

static const eg_param params[] = {
    EG_NAMED_TASKS,
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 5000,
     .doc = "of twelve characters each, the first ones of the dataset; 0: as many as it has"},
};

static size_t task_count(const eg_view *view, size_t classes)
{
    size_t tasks = eg_view_size(view, "tasks");
    return tasks > 0 ? tasks : classes / EACH;
}

static eg_status omniglot_rotation_check(const eg_view *view, const eg_stream_sizes *data)
{
    if (data->outputs < EACH) {
        return eg_fail_setting("", "dataset stream",
                               "stream = omniglot_rotation with a dataset of %zu classes; expected "
                               "at least %d",
                               data->outputs, EACH);
    }
    size_t tasks = task_count(view, data->outputs);
    if (tasks * EACH > data->outputs) {
        return eg_fail_setting(view->prefix, "tasks",
                               "%stasks = %zu of %d characters each; expected at most %zu, for the "
                               "%zu classes of the dataset",
                               view->prefix, tasks, EACH, data->outputs / EACH, data->outputs);
    }
    return eg_named_tasks_check(view, tasks);
}

static eg_status omniglot_rotation_create(eg_stream **out, const eg_view *view,
                                          const eg_dataset *dataset, uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(omniglot_rotation_check(view, &data));
    size_t tasks = task_count(view, dataset->classes);
    size_t *group = NULL;
    EG_TRY(eg_alloc(&group, dataset->classes, sizeof *group));
    for (size_t c = 0; c < dataset->classes; c++) {
        group[c] = c / EACH < tasks ? c / EACH : EG_NO_GROUP;
    }
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    eg_status status = eg_named_tasks_create(out, view, tasks, group, NULL, &setup);
    eg_free(group);
    return status;
}

static void omniglot_rotation_sizes(const eg_view *view, eg_stream_sizes *out)
{
    size_t tasks = task_count(view, out->outputs);
    out->train = out->train / out->outputs * tasks * EACH;
    out->test = out->test / out->outputs * tasks * EACH;
    eg_named_tasks_sizes(view, tasks, out);
}

const eg_stream_kind eg_stream_omniglot_rotation = {
    .component = {.name = "omniglot_rotation",
                  .doc = "task-incremental: tasks of twelve consecutive characters",
                  .source = "Yoon et al. 2020, arXiv 1902.09432",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = omniglot_rotation_create,
    .check = omniglot_rotation_check,
    .sizes = omniglot_rotation_sizes,
};
