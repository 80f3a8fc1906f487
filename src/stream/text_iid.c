/** The first k mega-batches of a text at once, the arm that text_mega_batches is compared with: k*S
 *  minibatches from their union, which is shuffled anew for every pass.
 *
 *  They are k phases of S minibatches, through which passes go on as if there were one. So what an
 *  optimizer, a schedule or a learner does when a phase begins, it does at the same minibatch in
 *  both arms: nothing (optimizer.restart = never), or all alike. The parts of the text are those of
 *  text_mega_batches with the same settings. Mega-batch t of what is measured is the minibatches
 *  that would have been learned by then.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563, table 1. */
#include "stream/sequences.h"

static const eg_param params[] = {
    EG_SEQUENCES_PARAMS,
    {.name = "first",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1000000,
     .unit = "mega-batches",
     .doc = "k: how many of the mega-batches there are, the first ones; 0: all"},
};

static size_t phases_of(const eg_view *view)
{
    const size_t first = eg_view_size(view, "first");
    return first > 0 ? first : eg_view_size(view, "chunks");
}

static eg_status check(const eg_view *view, const eg_stream_sizes *data)
{
    if (phases_of(view) > eg_view_size(view, "chunks")) {
        return eg_fail_setting(view->prefix, "first chunks",
                               "%sfirst = %zu; expected at most %schunks = %zu", view->prefix,
                               phases_of(view), view->prefix, eg_view_size(view, "chunks"));
    }
    return eg_sequences_check(view, data);
}

static eg_status create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                        uint64_t seed, double holdout)
{
    EG_TRY(check(view, NULL));
    return eg_sequences_create(out, view, dataset, seed, holdout, phases_of(view), true);
}

static void sizes(const eg_view *view, eg_stream_sizes *out)
{
    eg_sequences_sizes(view, out, phases_of(view));
}

const eg_stream_kind eg_stream_text_iid = {
    .component = {.name = "text_iid",
                  .doc = "the first mega-batches of a text together, as many minibatches as one "
                         "after the other: what text_mega_batches is compared with",
                  .source = "Caccia et al. 2022, arXiv 2106.09563, table 1",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .reads_text = true,
    .create = create,
    .check = check,
    .sizes = sizes,
};
