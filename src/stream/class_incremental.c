/** Class-incremental learning without forgetting: every increment makes some classes available, and
 *  learns from all examples of all classes that are. What is tested is whether a network can still
 *  learn. Task n is to tell the classes of increments 0 … n apart: its losses and predictions are
 *  of these classes alone, whenever it is tested.
 *
 *      head = masked   the outputs of classes to come are there from the start. They get no
 *                      gradient, but what acts on all parameters acts on them too (weight decay,
 *                      noise), as in the authors' program
 *             grow     outputs are added with their classes: what has become of those to come is
 *                      forgotten when they arrive; they get initial values and fresh optimizer
 *                      state (what counts parameters or their size counts them before, too)
 *
 *  Training examples are augmented anew for every presentation: by seed, member of an ensemble, and
 *  number of the epoch and the example, so all learners see the same.
 *
 *  Source: Dohare et al. 2024, Nature 632, "Loss of plasticity in deep continual learning":
 *  CIFAR-100 in 20 increments of 5 classes, of which the first 50 training images are held out. */
#include "stream/class_streams.h"

#include "engram/memory.h"

typedef enum head { HEAD_MASKED, HEAD_GROW } head;
typedef enum held_out { HELD_OUT_FIRST, HELD_OUT_DRAWN } held_out;

static const char *const head_names[] = {[HEAD_MASKED] = "masked", [HEAD_GROW] = "grow", NULL};
static const char *const held_out_names[] = {
    [HELD_OUT_FIRST] = "first", [HELD_OUT_DRAWN] = "drawn", NULL};

static const eg_param params[] = {
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "20",
     .min = 1,
     .max = 65536,
     .doc = "increments, which are phases"},
    {.name = "classes",
     .type = EG_TYPE_INT,
     .default_text = "5",
     .min = 1,
     .max = 65536,
     .doc = "that every increment adds"},
    {.name = "class_order",
     .type = EG_TYPE_NAME,
     .default_text = "shuffled",
     .names = eg_class_order_names,
     .doc = "in which classes become available: by number, or at random, by seed"},
    {.name = "head",
     .type = EG_TYPE_NAME,
     .default_text = "masked",
     .names = head_names,
     .doc = "masked: outputs of classes to come are there, without a gradient; grow: they begin "
            "anew when their classes arrive"},
    {.name = "held_out",
     .type = EG_TYPE_NAME,
     .default_text = "first",
     .names = held_out_names,
     .doc = "which training examples of every class the protocol holds out: the first ones in the "
            "dataset, or ones drawn at random, the same for every seed"},
    EG_CLASS_EXAMPLES,
    {.name = "test_augment",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "test on augmented test examples, too, anew at every evaluation; what is called "
            "accuracy is that of the others (the authors' program augments them)"},
    EG_AUGMENTATION_PARAMS,
};

static bool augments_tests(const eg_view *view)
{
    return eg_view_bool(view, "test_augment");
}

static eg_status class_incremental_check(const eg_view *view, const eg_stream_sizes *data)
{
    size_t increments = eg_view_size(view, "tasks");
    size_t each = eg_view_size(view, "classes");
    if (increments * each > data->outputs) {
        return eg_fail_setting(view->prefix, "tasks classes",
                               "%stasks = %zu of %sclasses = %zu each; expected at most the %zu "
                               "classes of the dataset "
                               "in all",
                               view->prefix, increments, view->prefix, each, data->outputs);
    }
    const eg_augmentation augmentation = eg_augmentation_make(view);
    if (augments_tests(view) && !eg_augmentation_active(&augmentation)) {
        return eg_fail_setting(view->prefix, "test_augment",
                               "%stest_augment = true, and nothing augments: expected one of "
                               "%saugment_flip, %saugment_crop, %saugment_rotation",
                               view->prefix, view->prefix, view->prefix, view->prefix);
    }
    EG_TRY(eg_augmentation_check(view, data->input));
    return eg_class_check_examples(view, data, each);
}

static eg_status class_incremental_create(eg_stream **out, const eg_view *view,
                                          const eg_dataset *dataset, uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(class_incremental_check(view, &data));
    size_t increments = eg_view_size(view, "tasks");
    size_t each = eg_view_size(view, "classes");
    size_t *group = NULL;
    eg_group_run *run = NULL;
    uint32_t *order = NULL;
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&group, dataset->classes, sizeof *group));
    EG_TRY_DONE(status, eg_alloc(&run, increments, sizeof *run));
    EG_TRY_DONE(status, eg_alloc(&order, dataset->classes, sizeof *order));
    eg_class_order(view, seed, dataset->classes, order);
    for (size_t n = 0; n < increments; n++) {
        run[n] = (eg_group_run){.first = 0, .count = (n + 1) * each};
    }
    eg_indexed_setup setup = eg_class_setup_make(view, dataset, seed, holdout, group);
    setup.phases = increments;
    setup.run = run;
    setup.order = order;
    setup.ordered = dataset->classes;
    setup.active = EG_ACTIVE_SEEN;
    setup.augmentation = eg_augmentation_make(view);
    setup.augments_tests = augments_tests(view);
    setup.in_order = eg_view_name(view, "held_out") == HELD_OUT_FIRST;
    setup.outputs = eg_view_name(view, "head") == HEAD_GROW ? EG_OUTPUTS_ARRIVE : EG_OUTPUTS_STAY;
    status = eg_class_stream_create(out, view, &setup);
done:
    eg_free(group);
    eg_free(run);
    eg_free(order);
    return status;
}

static void class_incremental_sizes(const eg_view *view, eg_stream_sizes *out)
{
    size_t increments = eg_view_size(view, "tasks");
    size_t classes = out->outputs;
    size_t available = eg_view_size(view, "classes") * (increments * (increments + 1) / 2);
    size_t train = eg_class_examples(view, "train_examples", out->train, classes);
    out->train = available * train * eg_view_size(view, "epochs");
    out->test = available * eg_class_examples(view, "test_examples", out->test, classes);
    out->phases = increments;
    out->tasks = increments;
    out->augments_tests = augments_tests(view);
    out->changes_outputs = eg_view_name(view, "head") == HEAD_GROW;
}

const eg_stream_kind eg_stream_class_incremental = {
    .component = {.name = "class_incremental",
                  .doc = "more and more classes: every increment learns from all that are "
                         "available so far",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = class_incremental_create,
    .check = class_incremental_check,
    .sizes = class_incremental_sizes,
};
