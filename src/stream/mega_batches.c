/** Mega-batches: one problem whose examples arrive in chunks, all drawn from the same distribution.
 *
 *  A permutation of the training examples (of the first `subset` of it) is cut into B chunks
 *  (`chunks`); the first N mod B of them have one example more. A learner waits for `wait` chunks
 *  and learns from them in one phase; the last phase may have fewer. With `replay` a phase has all
 *  chunks so far. Of a chunk D the protocol holds out floor(fraction |D|) examples, drawn once:
 *  nothing is ever trained on them, and EG_SUBSET_VALIDATION of a phase are those of the chunks it
 *  has. There is one task, the whole test set.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563, "On anytime learning at macroscale". */
#include "stream/chunks.h"
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"

enum { CHUNKS_MAX = 1000000 };

static const eg_param params[] = {
    {.name = "chunks",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 1,
     .max = CHUNKS_MAX,
     .doc = "mega-batches B that the training set is cut into, equal but for one example"},
    {.name = "wait",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = CHUNKS_MAX,
     .unit = "mega-batches",
     .doc = "that arrive before the learner is updated: a phase has so many, the last one what is "
            "left"},
    {.name = "replay",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "a phase has all mega-batches so far, not only the new ones"},
    EG_CHUNK_SEED_PARAM,
    {.name = "subset",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 4294967295.0,
     .unit = "examples",
     .doc = "use only so many training examples, the first of the permutation; 0: all"},
    EG_AUGMENTATION_PARAMS,
};

static size_t phase_count(const eg_view *view)
{
    size_t wait = eg_view_size(view, "wait");
    return (eg_view_size(view, "chunks") + wait - 1) / wait;
}

/* Training examples that are used, of `train`. */
static size_t used_of(const eg_view *view, size_t train)
{
    size_t subset = eg_view_size(view, "subset");
    return subset > 0 ? subset : train;
}

static eg_status mega_batches_check(const eg_view *view, const eg_stream_sizes *data)
{
    const char *prefix = view->prefix;
    size_t chunks = eg_view_size(view, "chunks");
    size_t used = used_of(view, data->train);
    if (used > data->train) {
        return eg_fail_setting(prefix, "subset",
                               "%ssubset = %zu; expected at most %zu, the training examples of the "
                               "dataset",
                               prefix, used, data->train);
    }
    if (chunks > used) {
        return eg_fail_setting(prefix, "chunks",
                               "%schunks = %zu; expected at most %zu, the training examples",
                               prefix, chunks, used);
    }
    if (eg_view_size(view, "wait") > chunks) {
        return eg_fail_setting(prefix, "wait chunks",
                               "%swait = %zu; expected at most %schunks = %zu", prefix,
                               eg_view_size(view, "wait"), prefix, chunks);
    }
    return eg_augmentation_check(view, data->input);
}

typedef struct partition {
    size_t chunks, wait;
    size_t used; /* examples */
    uint64_t seed;
    double fraction; /* held out */
    uint32_t *order; /* [training examples] the permutation; becomes held-out ones first in every
                        chunk */
} partition;

static eg_status draw_order(partition *self, const eg_dataset *dataset)
{
    size_t train = dataset->train.count;
    EG_TRY(eg_alloc(&self->order, train, sizeof *self->order));
    eg_chunk_permute(self->seed, train, self->order);
    for (size_t c = 0; self->fraction > 0 && c < self->chunks; c++) {
        size_t begin = eg_chunk_begin(self->used, self->chunks, c);
        size_t count = eg_chunk_begin(self->used, self->chunks, c + 1) - begin;
        eg_rng held = eg_rng_make(self->seed, EG_PURPOSE_PARTITION, c + 1);
        eg_rng_shuffle(&held, count, self->order + begin);
    }
    return eg_ok();
}

/* Examples of chunk c, those held out or the others, to the end of a list's group. */
static void add_chunk(const partition *self, size_t c, bool held_out, eg_example_list *list,
                      size_t group)
{
    size_t begin = eg_chunk_begin(self->used, self->chunks, c);
    size_t end = eg_chunk_begin(self->used, self->chunks, c + 1);
    size_t middle = begin + eg_chunk_share(end - begin, self->fraction);
    for (size_t i = held_out ? begin : middle; i < (held_out ? middle : end); i++) {
        list->index[list->begin[group + 1]++] = self->order[i];
    }
}

/* A group of the lists is what is new in a phase. */
static eg_status list_phases(eg_example_lists *out, const partition *self, size_t phases)
{
    eg_example_list *lists[] = {&out->train, &out->validation};
    *out = (eg_example_lists){.groups = phases};
    for (size_t l = 0; l < EG_COUNT(lists); l++) {
        EG_TRY(eg_alloc(&lists[l]->begin, phases + 1, sizeof *lists[l]->begin));
        EG_TRY(eg_alloc(&lists[l]->index, self->used, sizeof *lists[l]->index));
        for (size_t c = 0; c < self->chunks; c++) {
            size_t group = c / self->wait;
            if (c % self->wait == 0) {
                lists[l]->begin[group + 1] = lists[l]->begin[group];
            }
            add_chunk(self, c, l == 1, lists[l], group);
        }
    }
    return eg_ok();
}

static eg_status list_tests(eg_example_list *out, size_t count)
{
    EG_TRY(eg_alloc(&out->begin, 2, sizeof *out->begin));
    EG_TRY(eg_alloc(&out->index, count, sizeof *out->index));
    for (size_t i = 0; i < count; i++) {
        out->index[i] = (uint32_t)i;
    }
    out->begin[1] = count;
    return eg_ok();
}

static eg_status check_held_out(const eg_view *view, const partition *self,
                                const eg_example_lists *lists)
{
    for (size_t phase = 0; self->fraction > 0 && phase < lists->groups; phase++) {
        if (eg_example_list_count(&lists->validation, phase) == 0) {
            return eg_fail_setting(view->prefix, "chunks",
                                   "%schunks = %zu of %zu examples: a share of %g of a mega-batch "
                                   "is less than one example, so phase %zu (from 0) has none held "
                                   "out; expected larger ones, or protocol = test",
                                   view->prefix, self->chunks, self->used, self->fraction, phase);
        }
    }
    return eg_ok();
}

/* Phases as runs of groups: their own, or all so far. */
static eg_status make_runs(const eg_view *view, size_t phases, eg_group_run **run, uint32_t **order)
{
    bool replay = eg_view_bool(view, "replay");
    EG_TRY(eg_alloc(run, phases, sizeof **run));
    EG_TRY(eg_alloc(order, phases, sizeof **order));
    for (size_t phase = 0; phase < phases; phase++) {
        (*order)[phase] = (uint32_t)phase;
        (*run)[phase] = replay ? (eg_group_run){.first = 0, .count = phase + 1}
                               : (eg_group_run){.first = phase, .count = 1};
    }
    return eg_ok();
}

static eg_status mega_batches_create(eg_stream **out, const eg_view *view,
                                     const eg_dataset *dataset, uint64_t seed, double holdout)
{
    const eg_stream_sizes data = eg_indexed_data(dataset);
    EG_TRY(mega_batches_check(view, &data));
    partition self = {.chunks = eg_view_size(view, "chunks"),
                      .wait = eg_view_size(view, "wait"),
                      .used = used_of(view, dataset->train.count),
                      .seed = eg_chunk_seed(view, seed),
                      .fraction = holdout};
    eg_indexed_setup setup = eg_indexed_setup_make(view, dataset, seed, holdout);
    size_t phases = phase_count(view);
    eg_example_lists lists = {.groups = 0};
    eg_group_run *run = NULL;
    uint32_t *order = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, draw_order(&self, dataset));
    EG_TRY_DONE(status, list_phases(&lists, &self, phases));
    EG_TRY_DONE(status, list_tests(&lists.test, dataset->test.count));
    EG_TRY_DONE(status, check_held_out(view, &self, &lists));
    EG_TRY_DONE(status, make_runs(view, phases, &run, &order));
    setup.phases = phases;
    setup.groups = phases;
    setup.lists = &lists;
    setup.chunks = self.chunks;
    setup.wait = self.wait;
    setup.run = run;
    setup.order = order;
    setup.ordered = phases;
    setup.augmentation = eg_augmentation_make(view);
    status = eg_indexed_create(out, &setup);
done:
    eg_free(self.order);
    eg_free(run);
    eg_free(order);
    eg_example_lists_clear(&lists);
    return status;
}

static void mega_batches_sizes(const eg_view *view, eg_stream_sizes *out)
{
    size_t chunks = eg_view_size(view, "chunks");
    size_t wait = eg_view_size(view, "wait");
    size_t used = used_of(view, out->train);
    size_t phases = phase_count(view);
    size_t seen = used;
    for (size_t phase = 0; eg_view_bool(view, "replay") && phase + 1 < phases; phase++) {
        seen += eg_chunk_begin(used, chunks, (phase + 1) * wait);
    }
    out->train = seen * eg_view_size(view, "epochs");
    out->phases = phases;
    out->tasks = 1;
    out->chunks = chunks;
    out->phases_hold_out = true;
    out->phases_repeat = eg_view_bool(view, "replay");
}

const eg_stream_kind eg_stream_mega_batches = {
    .component = {.name = "mega_batches",
                  .doc = "one problem whose examples arrive in chunks of one distribution; the "
                         "learner waits for some of them before each update",
                  .source = "Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .create = mega_batches_create,
    .check = mega_batches_check,
    .sizes = mega_batches_sizes,
};
