/** Streams of classes in a random order; see stream/class_streams.h. */
#include "stream/class_streams.h"

#include "engram/memory.h"
#include "engram/random.h"

typedef enum class_order { ORDER_NATURAL, ORDER_SHUFFLED } class_order;

const char *const eg_class_order_names[] = {
    [ORDER_NATURAL] = "natural",
    [ORDER_SHUFFLED] = "shuffled",
    NULL,
};

static void natural(size_t classes, uint32_t *out)
{
    for (size_t c = 0; c < classes; c++) {
        out[c] = (uint32_t)c;
    }
}

void eg_class_order(const eg_view *view, uint64_t seed, size_t classes, uint32_t *out)
{
    if (eg_view_name(view, "class_order") == ORDER_SHUFFLED) {
        eg_class_order_draw(seed, 0, classes, out);
    } else {
        natural(classes, out);
    }
}

void eg_class_order_draw(uint64_t seed, size_t pass, size_t classes, uint32_t *out)
{
    natural(classes, out);
    eg_rng rng = eg_rng_make(seed, EG_PURPOSE_CLASSES, pass);
    eg_rng_shuffle(&rng, classes, out);
}

eg_indexed_setup eg_class_setup_make(const eg_view *view, const eg_dataset *dataset, uint64_t seed,
                                     double holdout, size_t *group)
{
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    for (size_t c = 0; c < dataset->classes; c++) {
        group[c] = c;
    }
    setup.group = group;
    setup.groups = dataset->classes;
    setup.train_examples = eg_view_size(view, "train_examples");
    setup.test_examples = eg_view_size(view, "test_examples");
    return setup;
}

static eg_status check_batch(const eg_view *view, size_t examples)
{
    size_t batch = eg_view_size(view, "batch");
    return batch <= examples
               ? eg_ok()
               : eg_fail_setting(view->prefix, "batch",
                                 "%sbatch = %zu; expected at most %zu, the training examples of "
                                 "the smallest phase",
                                 view->prefix, batch, examples);
}

static eg_status check_count(const eg_view *view, const char *name, size_t total, size_t classes,
                             const char *what)
{
    size_t wanted = eg_view_size(view, name);
    return wanted <= total / classes
               ? eg_ok()
               : eg_fail_setting(view->prefix, name,
                                 "%s%s = %zu; expected at most %zu, the %s examples of a class of "
                                 "the dataset",
                                 view->prefix, name, wanted, total / classes, what);
}

eg_status eg_class_check_examples(const eg_view *view, const eg_stream_sizes *data, size_t classes)
{
    EG_TRY(check_count(view, "train_examples", data->train, data->outputs, "training"));
    EG_TRY(check_count(view, "test_examples", data->test, data->outputs, "test"));
    size_t each = eg_class_examples(view, "train_examples", data->train, data->outputs);
    bool given = eg_view_text(view, "order_file")[0] != '\0'; /* minibatches of any size */
    return given ? eg_ok() : check_batch(view, classes * each);
}

static eg_status check_phases(const eg_view *view, const eg_stream *stream)
{
    size_t least = SIZE_MAX;
    if (eg_view_text(view, "order_file")[0] != '\0') {
        return eg_ok();
    }
    for (size_t phase = 0; phase < stream->shape.phases; phase++) {
        size_t examples = eg_stream_phase(stream, phase).examples;
        least = examples < least ? examples : least;
    }
    return check_batch(view, least);
}

eg_status eg_class_stream_create(eg_stream **out, const eg_view *view,
                                 const eg_indexed_setup *setup)
{
    EG_TRY(eg_indexed_create(out, setup));
    eg_status status = check_phases(view, *out);
    if (!eg_is_ok(&status)) {
        eg_stream_free(*out);
        *out = NULL;
    }
    return status;
}

size_t eg_class_examples(const eg_view *view, const char *name, size_t total, size_t classes)
{
    size_t each = eg_view_size(view, name);
    return each > 0 ? each : total / classes;
}

eg_status eg_class_check_groups(const eg_view *view, const eg_stream_sizes *data)
{
    size_t tasks = eg_view_size(view, "tasks");
    return data->outputs % tasks == 0
               ? eg_ok()
               : eg_fail_setting(view->prefix, "tasks",
                                 "%stasks = %zu; expected a divisor of %zu, the classes of the "
                                 "dataset",
                                 view->prefix, tasks, data->outputs);
}

eg_status eg_class_groups(size_t **out, const eg_view *view, const eg_dataset *dataset,
                          uint64_t seed)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    size_t classes = dataset->classes;
    uint32_t *order = NULL;
    EG_TRY(eg_class_check_groups(view, &data));
    EG_TRY(eg_alloc(&order, classes, sizeof *order));
    eg_status status = eg_alloc(out, classes, sizeof **out);
    if (status.code == EG_OK) {
        eg_class_order(view, seed, classes, order);
        for (size_t i = 0; i < classes; i++) {
            (*out)[order[i]] = i / (classes / eg_view_size(view, "tasks"));
        }
    }
    eg_free(order);
    return status;
}
