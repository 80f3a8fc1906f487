/** A problem that changes on and on: every task permutes the pixels, or the labels, of the same
 *  examples, and lasts for so many presentations; what counts is how well each minibatch is
 *  predicted before it is learned.
 *
 *      permutes = pixels    online permuted MNIST: batch 1, dataset.scale = unit, 60,000
 *                           examples a task
 *                 classes   what a class is called is drawn anew for each task
 *                 labels    the labels of the examples are shuffled among them: to be memorised
 *
 *  A task walks through its examples in an order of its own, and once it is through again in the
 *  same order (sampling = walk, the authors' program), or draws each of them from all (replace, the
 *  paper).
 *
 *  Source: Dohare et al. 2024, Nature 632, "Loss of plasticity in deep continual learning";
 *  classes: Elsayed and Mahmood 2024, arXiv 2404.00781; labels, subset: Kumar et al. 2023, arXiv
 *  2308.11958. */
#include "stream/indexed.h"

typedef enum first_task { FIRST_PERMUTED, FIRST_IDENTITY } first_task;
typedef enum what { PIXELS, CLASSES, LABELS } what;
typedef enum sampling { SAMPLING_WALK, SAMPLING_REPLACE } sampling;

static const char *const first_names[] = {
    [FIRST_PERMUTED] = "permuted", [FIRST_IDENTITY] = "identity", NULL};
static const char *const what_names[] = {
    [PIXELS] = "pixels", [CLASSES] = "classes", [LABELS] = "labels", NULL};
static const char *const sampling_names[] = {
    [SAMPLING_WALK] = "walk", [SAMPLING_REPLACE] = "replace", NULL};

static const eg_param params[] = {
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "800",
     .min = 1,
     .max = 1e6,
     .doc = "phases, each with a permutation of its own"},
    {.name = "change_after",
     .type = EG_TYPE_INT,
     .default_text = "60000",
     .min = 1,
     .max = 1e9,
     .unit = "examples",
     .doc = "length of an epoch of a task, whatever the size of the dataset"},
    {.name = "permutes",
     .type = EG_TYPE_NAME,
     .default_text = "pixels",
     .names = what_names,
     .doc = "pixels of the images; the names of the classes; or the labels of the examples, among "
            "them"},
    {.name = "first",
     .type = EG_TYPE_NAME,
     .default_text = "permuted",
     .names = first_names,
     .doc = "whether the first task is permuted too or left as it is"},
    {.name = "sampling",
     .type = EG_TYPE_NAME,
     .default_text = "walk",
     .names = sampling_names,
     .doc =
         "walk: through the examples, shuffled for each epoch, and from the start again; replace: "
         "each is drawn from all"},
    {.name = "subset",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 4294967295.0,
     .unit = "examples",
     .doc = "use only so many training examples, drawn by seed, in all tasks; 0: all"},
    {.name = "evaluate",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "test the learner on the test set as each task sees it; else there is nothing but what "
            "it does online"},
};

static eg_permutes permutes_of(const eg_view *view)
{
    static const eg_permutes permutes[] = {[PIXELS] = EG_PERMUTES_PIXELS_QUICKLY,
                                           [CLASSES] = EG_PERMUTES_CLASSES,
                                           [LABELS] = EG_PERMUTES_LABELS};
    return permutes[eg_view_name(view, "permutes")];
}

static eg_status online_permuted_check(const eg_view *view, const eg_stream_sizes *data)
{
    (void)data;
    if (eg_view_bool(view, "evaluate") && eg_view_name(view, "permutes") == LABELS) {
        return eg_fail_setting(view->prefix, "evaluate permutes",
                               "%sevaluate = true with %spermutes = labels: no label of a test "
                               "example would be right; expected false",
                               view->prefix, view->prefix);
    }
    return eg_ok();
}

static eg_status online_permuted_create(eg_stream **out, const eg_view *view,
                                        const eg_dataset *dataset, uint64_t seed, double holdout)
{
    EG_TRY(online_permuted_check(view, NULL));
    bool online = !eg_view_bool(view, "evaluate");
    /* Without an evaluation nothing is held out for one. */
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, online ? 0 : holdout);
    setup.phases = eg_view_size(view, "tasks");
    setup.groups = 1;
    setup.permutes = permutes_of(view);
    setup.first_stays = eg_view_name(view, "first") == FIRST_IDENTITY;
    setup.examples = eg_view_size(view, "change_after");
    setup.replace = eg_view_name(view, "sampling") == SAMPLING_REPLACE;
    setup.subset = eg_view_size(view, "subset");
    setup.online = online;
    return eg_indexed_create(out, &setup);
}

static void online_permuted_sizes(const eg_view *view, eg_stream_sizes *out)
{
    bool online = !eg_view_bool(view, "evaluate");
    out->phases = eg_view_size(view, "tasks");
    out->tasks = online ? 0 : out->phases;
    out->train = out->phases * eg_view_size(view, "change_after") * eg_view_size(view, "epochs");
    out->test *= out->tasks;
}

const eg_stream_kind eg_stream_online_permuted = {
    .component = {.name = "online_permuted",
                  .doc = "many tasks of one dataset, each with a permutation of its own; judged "
                         "online, before each update",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = online_permuted_create,
    .check = online_permuted_check,
    .sizes = online_permuted_sizes,
};
