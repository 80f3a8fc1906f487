/** A text in mega-batches: phase p learns S minibatches from mega-batch p alone. See
 *  stream/sequences.h for the parts.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563, the task of language modelling. */
#include "stream/sequences.h"

static const eg_param params[] = {EG_SEQUENCES_PARAMS};

static eg_status create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                        uint64_t seed, double holdout)
{
    return eg_sequences_create(out, view, dataset, seed, holdout, eg_view_size(view, "chunks"),
                               false);
}

static void sizes(const eg_view *view, eg_stream_sizes *out)
{
    eg_sequences_sizes(view, out, eg_view_size(view, "chunks"));
}

const eg_stream_kind eg_stream_text_mega_batches = {
    .component = {.name = "text_mega_batches",
                  .doc = "a text whose blocks arrive in mega-batches of one distribution, each "
                         "learned from for a number of minibatches; the next symbol is predicted",
                  .source = "Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .reads_text = true,
    .create = create,
    .check = eg_sequences_check,
    .sizes = sizes,
};
