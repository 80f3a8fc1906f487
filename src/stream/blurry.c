/** Blurry tasks: each task has classes of its own, but some of their examples are learned with
 *  other tasks. What is tested is sharp: task t is the test set of its own classes.
 *
 *  Of the examples of each task blur % go to the other tasks, dealt evenly, so that with tasks of
 *  the same size 100 - blur % of a phase are of its own classes and blur % of the others'.
 *
 *  Source: Bang et al. 2021, arXiv 2103.17230, "Rainbow Memory", section 3: blurry-M; the setting
 *  is of Aljundi et al. 2019, arXiv 1903.08671. */
#include "stream/class_streams.h"

#include "engram/memory.h"

static const eg_param params[] = {
    EG_CLASS_GROUPS,
    {.name = "blur",
     .type = EG_TYPE_REAL,
     .default_text = "10",
     .min = 0,
     .max = 100,
     .unit = "%",
     .doc = "of the training examples of a task that are learned with the other tasks"},
};

static eg_status blurry_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                               uint64_t seed, double holdout)
{
    size_t *group = NULL;
    EG_TRY(eg_class_groups(&group, view, dataset, seed));
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    setup.group = group;
    setup.groups = eg_view_size(view, "tasks");
    setup.phases = setup.groups;
    setup.blur = eg_view_real(view, "blur") / 100;
    eg_status status = eg_indexed_create(out, &setup);
    eg_free(group);
    return status;
}

static void blurry_sizes(const eg_view *view, eg_stream_sizes *out)
{
    out->tasks = eg_view_size(view, "tasks");
    out->phases = out->tasks;
    out->train *= eg_view_size(view, "epochs");
}

const eg_stream_kind eg_stream_blurry = {
    .component = {.name = "blurry",
                  .doc = "tasks of classes, of whose examples some are learned with other tasks",
                  .source = "Bang et al. 2021, arXiv 2103.17230, blurry-M; Aljundi et al. 2019, "
                            "arXiv 1903.08671",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = blurry_create,
    .check = eg_class_check_groups,
    .sizes = blurry_sizes,
    .shows_examples = true,
};
