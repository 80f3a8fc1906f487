/** The protocols and their registry; see trial/protocol.h. */
#include "trial/protocol.h"

static eg_selection select_on_test(const eg_view *view)
{
    (void)view;
    return (eg_selection){.subset = EG_SUBSET_TEST};
}

static const eg_protocol on_test = {
    .component = {.name = "test",
                  .doc = "the test set selects and reports (optimistic; marks the file)"},
    .selection = select_on_test,
};

#define FRACTION                                                                                   \
    {                                                                                              \
        .name = "fraction", .type = EG_TYPE_REAL, .default_text = "0.1", .min = 0, .max = 0.5,     \
        .above_min = true, .doc = "share of every class's training examples held out"              \
    }

static eg_selection select_on_validation(const eg_view *view)
{
    return (eg_selection){.subset = EG_SUBSET_VALIDATION,
                          .holdout = eg_view_real(view, "fraction")};
}

static const eg_param validation_params[] = {FRACTION};

static const eg_protocol on_validation = {
    .component = {.name = "validation",
                  .doc = "held-out training examples of all tasks select, the test set reports",
                  .params = validation_params,
                  .param_count = EG_COUNT(validation_params)},
    .selection = select_on_validation,
};

static eg_selection select_on_first_tasks(const eg_view *view)
{
    return (eg_selection){.subset = EG_SUBSET_VALIDATION,
                          .holdout = eg_view_real(view, "fraction"),
                          .tasks = eg_view_size(view, "k")};
}

static const eg_param first_tasks_params[] = {
    {.name = "k",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1e6,
     .doc = "tasks that select, measured right after task k was learned"},
    FRACTION,
};

static const eg_protocol on_first_tasks = {
    .component = {.name = "first_tasks",
                  .doc = "held-out examples of the first k tasks select, the test set reports",
                  .source = "Chaudhry et al. 2019, arXiv 1812.00420, section 3",
                  .params = first_tasks_params,
                  .param_count = EG_COUNT(first_tasks_params)},
    .selection = select_on_first_tasks,
};

static const eg_component *const members[] = {
    &on_first_tasks.component,
    &on_test.component,
    &on_validation.component,
};

const eg_family eg_protocol_family = {
    .name = "protocol",
    .doc = "which data select the best point",
    .members = members,
    .member_count = EG_COUNT(members),
};

eg_status eg_selection_check(const eg_selection *selection, size_t tasks)
{
    if (selection->tasks > tasks) {
        return eg_fail_setting("", "protocol.k", "protocol.k = %zu: the stream has only %zu task%s",
                               selection->tasks, tasks, tasks == 1 ? "" : "s");
    }
    return eg_ok();
}

eg_selection eg_protocol_selection(const eg_view *root)
{
    const eg_protocol *protocol =
        (const eg_protocol *)(const void *)eg_view_component(root, "protocol");
    eg_view view = eg_view_inside(root, "protocol");
    return protocol->selection(&view);
}
