/** What settings say of a trial before any data are opened; see trial/outline.h. */
#include "trial/outline.h"

#include "engram/dataset.h"
#include "trial/protocol.h"

eg_outline eg_outline_of(const eg_settings *settings)
{
    eg_outline out = {.root = eg_settings_root(settings)};
    out.stream = eg_view_inside(&out.root, "stream");
    out.model = eg_view_inside(&out.root, "model");
    out.stream_kind = (const eg_stream_kind *)(const void *)eg_view_component(&out.root, "stream");
    out.model_kind = (const eg_model_kind *)(const void *)eg_view_component(&out.root, "model");
    out.selection = eg_protocol_selection(&out.root);
    eg_stream_sizes *sizes = &out.sizes;
    if (out.stream_kind->own_data) {
        out.selection.subset = EG_SUBSET_TEST; /* there are no examples to hold out */
        out.selection.holdout = 0;
    } else {
        eg_view data = eg_view_inside(&out.root, "dataset");
        const eg_dataset_kind *dataset =
            (const eg_dataset_kind *)(const void *)eg_view_component(&out.root, "dataset");
        dataset->sizes(&data, &sizes->train, &sizes->test, &sizes->input, &sizes->outputs);
    }
    out.data = *sizes;
    out.stream_kind->sizes(&out.stream, sizes);
    return out;
}

eg_measure_scope eg_outline_scope(const eg_outline *outline)
{
    return (eg_measure_scope){.root = &outline->root,
                              .phases = outline->sizes.phases,
                              .tasks = outline->sizes.tasks,
                              .chunks = outline->sizes.chunks,
                              .positions = outline->sizes.positions,
                              .classifies = !outline->sizes.regression,
                              .held_out = outline->selection.holdout > 0,
                              .augments_tests = outline->sizes.augments_tests,
                              .orders_tasks = outline->sizes.orders_tasks,
                              .untrained = eg_view_bool(&outline->root, "eval.untrained")};
}
