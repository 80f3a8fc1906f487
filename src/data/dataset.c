/** Opening and releasing datasets; see engram/dataset.h. */
#include "engram/dataset.h"

#include "data/common.h"
#include "engram/memory.h"

void eg_dataset_free(eg_dataset *dataset)
{
    if (dataset == NULL) {
        return;
    }
    for (size_t i = 0; i < EG_COUNT(dataset->storage); i++) {
        eg_free(dataset->storage[i]);
    }
    eg_free(dataset);
}

eg_status eg_dataset_open(eg_dataset **out, const eg_view *root)
{
    *out = NULL;
    /* A component is the first member of its descriptor. */
    const eg_dataset_kind *kind =
        (const eg_dataset_kind *)(const void *)eg_view_component(root, "dataset");
    eg_view view = eg_view_inside(root, "dataset");
    eg_dataset *dataset = NULL;
    EG_TRY(eg_alloc(&dataset, 1, sizeof *dataset));
    eg_status status = kind->open(&view, dataset);
    if (!eg_is_ok(&status)) {
        eg_dataset_free(dataset);
        return status;
    }
    eg_limit_apply(&view, &dataset->train.count, &dataset->test.count);
    *out = dataset;
    return status;
}
