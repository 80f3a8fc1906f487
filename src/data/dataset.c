/** Opening and releasing datasets; see engram/dataset.h. */
#include "engram/dataset.h"

#include "data/common.h"
#include "engram/memory.h"
#include "engram/pack.h"

void eg_dataset_free(eg_dataset *dataset)
{
    if (dataset == NULL) {
        return;
    }
    for (size_t i = 0; i < EG_COUNT(dataset->storage); i++) {
        eg_free(dataset->storage[i]);
    }
    for (size_t i = 0; i < EG_COUNT(dataset->mapping); i++) {
        eg_mapping_clear(&dataset->mapping[i]);
    }
    eg_free(dataset);
}

/* Enough examples to see whether the data are sparse; exactness does not depend on it. */
static void measure_background(eg_dataset *dataset)
{
    const size_t examples_looked_at = 1000;
    size_t examples = dataset->train.count;
    examples = examples < examples_looked_at ? examples : examples_looked_at;
    size_t bytes = examples * dataset->features;
    size_t count[256] = {0};
    for (size_t i = 0; i < bytes; i++) {
        count[dataset->train.x[i]]++;
    }
    size_t commonest = 0;
    for (size_t b = 1; b < EG_COUNT(count); b++) {
        commonest = count[b] > count[commonest] ? b : commonest;
    }
    dataset->background = (uint8_t)commonest;
    dataset->density = bytes > 0 ? 1.0 - (double)count[commonest] / (double)bytes : 1.0;
}

/* Of a text: what it says in which symbols. */
static uint64_t text_checksum(const eg_dataset *dataset)
{
    const eg_tokens *text = &dataset->text;
    const uint64_t sums[] = {
        dataset->shape.height,
        dataset->classes,
        text->symbols,
        eg_hash64(text->begin, (text->blocks + 1) * sizeof *text->begin),
        eg_hash64(text->id, text->begin[text->blocks] * sizeof *text->id),
        eg_hash64(text->spelled, (text->symbols + 1) * sizeof *text->spelled),
        eg_hash64(text->bytes, text->spelled[text->symbols]),
    };
    return eg_hash64(sums, sizeof sums);
}

/* Of what is used: a limit changes it, where the files lie does not. */
static uint64_t checksum(const eg_dataset *dataset)
{
    const eg_examples *parts[] = {&dataset->train, &dataset->test};
    uint64_t sums[4 + 3 * EG_COUNT(parts)] = {dataset->shape.channels, dataset->shape.height,
                                              dataset->shape.width, dataset->classes};
    for (size_t i = 0; i < EG_COUNT(parts); i++) {
        uint64_t *part = sums + 4 + 3 * i;
        part[0] = parts[i]->count;
        part[1] = eg_hash64(parts[i]->x, parts[i]->count * dataset->features);
        part[2] = eg_hash64(parts[i]->label, parts[i]->count * sizeof *parts[i]->label);
    }
    return eg_hash64(sums, sizeof sums);
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
    measure_background(dataset);
    dataset->checksum = dataset->text.blocks > 0 ? text_checksum(dataset) : checksum(dataset);
    *out = dataset;
    return status;
}
