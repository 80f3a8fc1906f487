/** Continual ImageNet: every task is to tell two classes apart that the dataset has. The classes
 *  are in a random order; task k has number 2k and 2k + 1 of it, and a label is the place in the
 *  pair. When the order is through there is a new one (pairing = reshuffle, as the paper describes
 *  it), or the pairs come back (repeat, the authors' program). With an odd number of classes the
 *  last one of an order is left out.
 *
 *  The network has two outputs. That their weights and biases are 0 when a task begins is part of
 *  the problem; the momentum of the optimizer stays.
 *
 *  Source: Dohare et al. 2024, Nature 632, "Loss of plasticity in deep continual learning". */
#include "stream/class_streams.h"

#include "engram/memory.h"

#include <string.h>

typedef enum pairing { PAIRING_RESHUFFLE, PAIRING_REPEAT } pairing;
typedef enum head { HEAD_ZERO, HEAD_NONE } head;

static const char *const pairing_names[] = {
    [PAIRING_RESHUFFLE] = "reshuffle", [PAIRING_REPEAT] = "repeat", NULL};
static const char *const head_names[] = {[HEAD_ZERO] = "zero", [HEAD_NONE] = "none", NULL};

static const eg_param params[] = {
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "2000",
     .min = 1,
     .max = 1e6,
     .doc = "phases, each with two classes"},
    {.name = "pairing",
     .type = EG_TYPE_NAME,
     .default_text = "reshuffle",
     .names = pairing_names,
     .doc = "when all classes were seen: reshuffle, they come in a new order; repeat, the same "
            "pairs come again"},
    {.name = "reset_outputs",
     .type = EG_TYPE_NAME,
     .default_text = "zero",
     .names = head_names,
     .doc = "zero: weights and biases of the last layer are 0 at the start of every task, for "
            "every learner, and momentum stays; none: they go on"},
    EG_CLASS_EXAMPLES,
};

static eg_status class_pairs_check(const eg_view *view, const eg_stream_sizes *data)
{
    if (data->outputs < 2) {
        return eg_fail_setting("", "dataset stream",
                               "stream = class_pairs with a dataset of %zu class; expected at "
                               "least 2",
                               data->outputs);
    }
    return eg_class_check_examples(view, data, 2);
}

/* order [2*pairs*passes] from the orders of all passes; room [classes]. */
static void draw_pairs(uint64_t seed, size_t classes, size_t passes, uint32_t *room,
                       uint32_t *order)
{
    size_t kept = classes / 2 * 2;
    for (size_t pass = 0; pass < passes; pass++) {
        eg_class_order_draw(seed, pass, classes, room);
        memcpy(order + pass * kept, room, kept * sizeof *order);
    }
}

static eg_status class_pairs_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                                    uint64_t seed, double holdout)
{
    size_t classes = dataset->classes;
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(class_pairs_check(view, &data));
    size_t tasks = eg_view_size(view, "tasks");
    size_t pairs = classes / 2;
    bool repeats = eg_view_name(view, "pairing") == PAIRING_REPEAT;
    size_t passes = repeats ? 1 : (tasks + pairs - 1) / pairs;
    size_t *group = NULL;
    eg_group_run *run = NULL;
    uint32_t *order = NULL;
    uint32_t *room = NULL;
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&group, classes, sizeof *group));
    EG_TRY_DONE(status, eg_alloc(&run, tasks, sizeof *run));
    EG_TRY_DONE(status, eg_alloc(&order, 2 * pairs * passes, sizeof *order));
    EG_TRY_DONE(status, eg_alloc(&room, classes, sizeof *room));
    draw_pairs(seed, classes, passes, room, order);
    for (size_t k = 0; k < tasks; k++) {
        run[k] = (eg_group_run){.first = 2 * (k % (pairs * passes)), .count = 2};
    }
    eg_indexed_setup setup = eg_class_setup_make(view, dataset, seed, holdout, group);
    setup.phases = tasks;
    setup.run = run;
    setup.order = order;
    setup.ordered = 2 * pairs * passes;
    setup.places = 2;
    setup.outputs =
        eg_view_name(view, "reset_outputs") == HEAD_ZERO ? EG_OUTPUTS_ZERO : EG_OUTPUTS_STAY;
    status = eg_class_stream_create(out, view, &setup);
done:
    eg_free(group);
    eg_free(run);
    eg_free(order);
    eg_free(room);
    return status;
}

static void class_pairs_sizes(const eg_view *view, eg_stream_sizes *out)
{
    size_t classes = out->outputs;
    size_t tasks = eg_view_size(view, "tasks");
    size_t train = eg_class_examples(view, "train_examples", out->train, classes);
    out->train = tasks * 2 * train * eg_view_size(view, "epochs");
    out->test = tasks * 2 * eg_class_examples(view, "test_examples", out->test, classes);
    out->outputs = 2;
    out->phases = tasks;
    out->tasks = tasks;
    out->changes_outputs = eg_view_name(view, "reset_outputs") == HEAD_ZERO;
}

const eg_stream_kind eg_stream_class_pairs = {
    .component = {.name = "class_pairs",
                  .doc = "continual ImageNet: every task tells two classes apart, with an output "
                         "layer that begins at 0",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = class_pairs_create,
    .check = class_pairs_check,
    .sizes = class_pairs_sizes,
};
