/** Permuted pixels: every phase has all examples, seen through a permutation of its own.
 *
 *  Source: Goodfellow et al. 2013, arXiv 1312.6211. The first task is a permutation too, unless
 *  `first` says identity; both are seen in the literature. */
#include "stream/indexed.h"

typedef enum first_task { FIRST_PERMUTED, FIRST_IDENTITY } first_task;

static const char *const first_names[] = {
    [FIRST_PERMUTED] = "permuted",
    [FIRST_IDENTITY] = "identity",
    NULL,
};

static const eg_param params[] = {
    {.name = "tasks",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = 100000,
     .doc = "phases, each with its own permutation of the pixels"},
    {.name = "first",
     .type = EG_TYPE_NAME,
     .default_text = "permuted",
     .names = first_names,
     .doc = "whether the first task's pixels are permuted too or left in place"},
};

static eg_status permuted_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                                 uint64_t seed, double holdout)
{
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    setup.phases = eg_view_size(view, "tasks");
    setup.groups = 1;
    setup.permutes = EG_PERMUTES_PIXELS;
    setup.first_stays = eg_view_name(view, "first") == FIRST_IDENTITY;
    return eg_indexed_create(out, &setup);
}

static void permuted_sizes(const eg_view *view, eg_stream_sizes *out)
{
    out->phases = eg_view_size(view, "tasks");
    out->tasks = out->phases;
    out->train *= out->phases * eg_view_size(view, "epochs");
    out->test *= out->phases;
}

const eg_stream_kind eg_stream_permuted = {
    .component = {.name = "permuted",
                  .doc = "all classes in every phase, pixels permuted anew for each",
                  .source = "Goodfellow et al. 2013, arXiv 1312.6211",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = permuted_create,
    .check = eg_indexed_check_any,
    .sizes = permuted_sizes,
};
