/** All examples at once, shuffled: no continual learning, the reference for what a network can
 * reach. One phase, which teaches one task: the whole test set. Also the template of a new stream.
 */
#include "stream/indexed.h"

static eg_status iid_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                            uint64_t seed, double holdout, size_t block)
{
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout, block);
    setup.phases = 1;
    setup.groups = 1;
    return eg_indexed_create(out, &setup);
}

static void iid_sizes(const eg_view *view, size_t train, size_t test, size_t *phases, size_t *tasks,
                      size_t *train_examples, size_t *test_examples)
{
    *phases = 1;
    *tasks = 1;
    *train_examples = train * eg_view_size(view, "epochs");
    *test_examples = test;
}

const eg_stream_kind eg_stream_iid = {
    .component = {.name = "iid", .doc = "all classes at once: one phase, one task"},
    .create = iid_create,
    .check = eg_indexed_check_any,
    .sizes = iid_sizes,
};
