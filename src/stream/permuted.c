/** Permuted pixels: every phase has all examples, seen through a permutation of its own.
 *
 *  Source: Goodfellow et al. 2013, arXiv 1312.6211. The first task is a permutation too, unless
 *  `first` says identity; both are seen in the literature. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "stream/task_order.h"

enum { OUTPUTS_MAX = 65536 };

typedef enum heads { HEADS_SHARED, HEADS_TASK } heads;

static const char *const heads_names[] = {
    [HEADS_SHARED] = "shared",
    [HEADS_TASK] = "task",
    NULL,
};

typedef enum first_task { FIRST_PERMUTED, FIRST_IDENTITY } first_task;

static const char *const first_names[] = {
    [FIRST_PERMUTED] = "permuted",
    [FIRST_IDENTITY] = "identity",
    NULL,
};

static const eg_param params[] = {
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = 100000,
     .doc = "phases, each with its own permutation of the pixels"},
    {.name = "first",
     .type = EG_TYPE_NAME,
     .default_text = "permuted",
     .names = first_names,
     .doc = "whether the first task's pixels are permuted too or left in place: those of task 0, "
            "wherever it comes"},
    {.name = "heads",
     .type = EG_TYPE_NAME,
     .default_text = "shared",
     .names = heads_names,
     .doc = "shared: all tasks have the same outputs; task: each has outputs of its own, which "
            "alone take part in its losses and predictions, and evaluation names the task "
            "(task-incremental learning)",
     .added_later = true},
    EG_TASK_ORDER,
    {.name = "joint",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc =
         "one phase learns all tasks together, every example as each of them sees it; with heads "
         "= task its loss is over the outputs of the task (multi-task learning)",
     .added_later = true},
};

static bool has_heads(const eg_view *view)
{
    return eg_view_name(view, "heads") == HEADS_TASK;
}

static eg_status permuted_check(const eg_view *view, const eg_stream_sizes *data)
{
    size_t tasks = eg_view_size(view, "tasks");
    if (has_heads(view) && tasks > OUTPUTS_MAX / data->outputs) {
        return eg_fail_setting(view->prefix, "tasks heads",
                               "%stasks = %zu with %sheads = task: outputs for %zu classes each; "
                               "expected at most %d outputs in all",
                               view->prefix, tasks, view->prefix, data->outputs, OUTPUTS_MAX);
    }
    if (eg_view_bool(view, "joint") && eg_view_text(view, "order_file")[0] != '\0') {
        return eg_fail_setting(view->prefix, "joint order_file",
                               "%sjoint = true with %sorder_file, which does not say of which task "
                               "an example is; expected only one of the two",
                               view->prefix, view->prefix);
    }
    if (eg_view_bool(view, "joint") && tasks > UINT32_MAX / data->train) {
        return eg_fail_setting(view->prefix, "joint tasks",
                               "%sjoint = true with %stasks = %zu; expected at most %zu, for %zu "
                               "training examples",
                               view->prefix, view->prefix, tasks, UINT32_MAX / data->train,
                               data->train);
    }
    return eg_order_tasks_check(view, tasks);
}

static eg_status permuted_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                                 uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(permuted_check(view, &data));
    size_t tasks = eg_view_size(view, "tasks");
    uint32_t *order = NULL;
    EG_TRY(eg_alloc(&order, tasks, sizeof *order));
    eg_order_tasks(view, tasks, order);
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    bool joint = eg_view_bool(view, "joint") && tasks > 1;
    setup.phases = joint ? 1 : tasks;
    setup.copies = joint ? tasks : 0;
    setup.identity = eg_order_tasks_given(view) ? order : NULL;
    setup.heads = has_heads(view);
    setup.active = setup.heads ? EG_ACTIVE_TASK : EG_ACTIVE_ALL;
    setup.own_losses = joint && setup.heads;
    setup.groups = 1;
    setup.permutes = EG_PERMUTES_PIXELS;
    setup.first_stays = eg_view_name(view, "first") == FIRST_IDENTITY;
    eg_status status = eg_indexed_create(out, &setup);
    eg_free(order);
    return status;
}

static void permuted_sizes(const eg_view *view, eg_stream_sizes *out)
{
    out->tasks = eg_view_size(view, "tasks");
    out->phases = eg_view_bool(view, "joint") ? 1 : out->tasks;
    out->train *= out->tasks * eg_view_size(view, "epochs");
    out->test *= out->tasks;
    out->outputs *= has_heads(view) ? out->tasks : 1;
    out->tells_task = has_heads(view);
    out->orders_tasks = eg_order_tasks_given(view);
}

const eg_stream_kind eg_stream_permuted = {
    .component = {.name = "permuted",
                  .doc = "all classes in every phase, pixels permuted anew for each",
                  .source = "Goodfellow et al. 2013, arXiv 1312.6211",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = permuted_create,
    .check = permuted_check,
    .sizes = permuted_sizes,
};
