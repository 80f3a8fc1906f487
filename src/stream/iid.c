/** All examples at once, shuffled: no continual learning, the reference for what a network can
 * reach. One phase, which teaches one task: the whole test set. Also the template of a new stream.
 */
#include "stream/indexed.h"

static eg_status iid_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                            uint64_t seed, double holdout)
{
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    setup.phases = 1;
    setup.groups = 1;
    return eg_indexed_create(out, &setup);
}

static void iid_sizes(const eg_view *view, eg_stream_sizes *out)
{
    out->phases = 1;
    out->tasks = 1;
    out->train *= eg_view_size(view, "epochs");
}

const eg_stream_kind eg_stream_iid = {
    .component = {.name = "iid", .doc = "all classes at once: one phase, one task"},
    .create = iid_create,
    .check = eg_indexed_check_any,
    .sizes = iid_sizes,
};
