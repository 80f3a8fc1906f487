/** A stream without boundaries: the classes that arrive change gradually, and nothing tells the
 *  learner that they do. There is one phase. What is tested are groups of classes, the tasks, in
 *  the order in which they have their time.
 *
 *  Each training example arrives once in an epoch, at a time drawn from a normal distribution
 *  around the middle of its task's share of the stream (stream/example_mixing.h). Learners that do
 *  something where tasks begin or end are refused.
 *
 *  Source: Shanahan et al. 2021, arXiv 2104.13712, "Encoders and Ensembles for Task-Free Continual
 *  Learning": a Gaussian schedule; Lee et al. 2020, arXiv 2001.00689: tasks that fade into each
 *  other. */
#include "stream/class_streams.h"

#include "engram/memory.h"

static const eg_param params[] = {
    EG_CLASS_GROUPS,
    {.name = "spread",
     .type = EG_TYPE_REAL,
     .default_text = "0.5",
     .min = 0,
     .max = 100,
     .above_min = true,
     .unit = "tasks",
     .doc = "deviation of the time at which examples of a task arrive, in the length of a task"},
};

static eg_status check(const eg_view *view, const eg_stream_sizes *data)
{
    if (eg_view_text(view, "order_file")[0] != '\0') {
        return eg_fail_setting(view->prefix, "order_file",
                               "%sorder_file: stream = boundary_free says itself in which order "
                               "examples come",
                               view->prefix);
    }
    return eg_class_check_groups(view, data);
}

static eg_status boundary_free_create(eg_stream **out, const eg_view *view,
                                      const eg_dataset *dataset, uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    size_t *group = NULL;
    EG_TRY(check(view, &data));
    EG_TRY(eg_class_groups(&group, view, dataset, seed));
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    setup.group = group;
    setup.groups = eg_view_size(view, "tasks");
    setup.phases = 1;
    setup.spread = eg_view_real(view, "spread");
    eg_status status = eg_indexed_create(out, &setup);
    eg_free(group);
    return status;
}

static void boundary_free_sizes(const eg_view *view, eg_stream_sizes *out)
{
    out->tasks = eg_view_size(view, "tasks");
    out->phases = 1;
    out->train *= eg_view_size(view, "epochs");
    out->hides_boundaries = true;
}

const eg_stream_kind eg_stream_boundary_free = {
    .component = {.name = "boundary_free",
                  .doc = "one phase in which the classes that arrive change gradually; no boundary "
                         "is announced",
                  .source = "Shanahan et al. 2021, arXiv 2104.13712; Lee et al. 2020, arXiv "
                            "2001.00689",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = boundary_free_create,
    .check = check,
    .sizes = boundary_free_sizes,
    .shows_examples = true,
};
