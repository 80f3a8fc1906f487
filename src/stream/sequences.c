/** Streams over a text: which sequences a phase has; see stream/sequences.h. */
#include "stream/sequences.h"

#include "engram/memory.h"

size_t eg_sequences_group(const eg_sequences *self, size_t phase)
{
    return self->together ? 0 : phase;
}

static void sequences_phase(const eg_stream *stream, size_t phase, eg_phase *out)
{
    const eg_sequences *self = (const eg_sequences *)stream;
    out->steps = self->steps;
    out->epochs = 1;
    out->examples = self->steps * stream->shape.batch;
    out->task = 0;
    out->arrived = phase + 1;
}

static size_t sequences_count(const eg_stream *stream, eg_subset subset, size_t task)
{
    const eg_sequences *self = (const eg_sequences *)stream;
    (void)task;
    switch (subset) {
    case EG_SUBSET_TEST:
        return eg_example_list_count(&self->lists.test, 0);
    case EG_SUBSET_VALIDATION:
        return self->holds_out ? eg_example_list_count(&self->lists.validation, 0) : 0;
    case EG_SUBSET_TRAINING:
        return self->lists.train.begin[self->lists.groups];
    case EG_SUBSET_TEST_AUGMENTED:
        break;
    }
    return 0;
}

static void sequences_free(eg_stream *stream)
{
    eg_sequences *self = (eg_sequences *)stream;
    eg_example_lists_clear(&self->lists);
    eg_free(self->start);
    eg_free(self);
}

static const eg_stream_ops ops = {
    .free = sequences_free,
    .phase = sequences_phase,
    .count = sequences_count,
    .open = eg_sequences_open,
};

/* How blocks are divided. */
typedef struct parts {
    size_t blocks;
    size_t chunks, chunked; /* mega-batches, and the blocks that they have together */
    size_t tested, validated;
    uint32_t *order; /* [blocks] */
    size_t *first;   /* [blocks + 1] number of a block's first sequence */
} parts;

static eg_status divide(parts *out, const eg_view *view, const eg_tokens *text, uint64_t seed)
{
    const size_t blocks = text->blocks;
    *out = (parts){.blocks = blocks,
                   .chunks = eg_view_size(view, "chunks"),
                   .tested = eg_chunk_share(blocks, eg_view_real(view, "evaluation")),
                   .validated = eg_chunk_share(blocks, eg_view_real(view, "validation"))};
    out->chunked = blocks - out->tested - out->validated;
    if (out->tested == 0 || out->validated == 0 || out->chunked < out->chunks) {
        return eg_fail_setting(
            view->prefix, "chunks evaluation validation",
            "the text has %zu blocks: %zu of them to be tested on, %zu for validation and %zu for "
            "%schunks = %zu mega-batches; expected one at least of each, so a longer text or a "
            "smaller dataset.block",
            blocks, out->tested, out->validated, out->chunked, view->prefix, out->chunks);
    }
    EG_TRY(eg_alloc(&out->order, blocks, sizeof *out->order));
    eg_chunk_permute(seed, blocks, out->order);
    return eg_ok();
}

/* Numbers the sequences of all blocks. */
static eg_status number(eg_sequences *self, parts *of)
{
    const eg_tokens *text = &self->dataset->text;
    const size_t length = self->base.shape.input.height;
    EG_TRY(eg_alloc(&of->first, of->blocks + 1, sizeof *of->first));
    for (size_t b = 0; b < of->blocks; b++) {
        of->first[b + 1] = of->first[b] + eg_tokens_sequences(text, b, length);
    }
    self->count = of->first[of->blocks];
    EG_TRY(eg_alloc(&self->start, self->count, sizeof *self->start));
    for (size_t b = 0; b < of->blocks; b++) {
        for (size_t s = of->first[b]; s < of->first[b + 1]; s++) {
            self->start[s] = text->begin[b] + (s - of->first[b]) * length;
        }
    }
    return eg_ok();
}

/* Adds the sequences of blocks order[begin] … order[end - 1] to a group of a list. */
static void add(eg_example_list *list, size_t group, const parts *of, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const uint32_t block = of->order[i];
        for (size_t s = of->first[block]; s < of->first[block + 1]; s++) {
            list->index[list->begin[group + 1]++] = (uint32_t)s;
        }
    }
}

static eg_status list_parts(eg_sequences *self, const parts *of, size_t mega_batches)
{
    eg_example_lists *lists = &self->lists;
    eg_example_list *const all[] = {&lists->train, &lists->validation, &lists->test};
    lists->groups = self->together ? 1 : mega_batches;
    for (size_t l = 0; l < EG_COUNT(all); l++) {
        EG_TRY(eg_alloc(&all[l]->begin, lists->groups + 1, sizeof *all[l]->begin));
        EG_TRY(eg_alloc(&all[l]->index, self->count, sizeof *all[l]->index));
    }
    for (size_t c = 0; c < mega_batches; c++) {
        const size_t group = eg_sequences_group(self, c);
        if (!self->together) {
            lists->train.begin[group + 1] = lists->train.begin[group];
        }
        add(&lists->train, group, of, eg_chunk_begin(of->chunked, of->chunks, c),
            eg_chunk_begin(of->chunked, of->chunks, c + 1));
    }
    add(&lists->test, 0, of, of->chunked, of->chunked + of->tested);
    add(&lists->validation, 0, of, of->chunked + of->tested, of->blocks);
    return eg_ok();
}

static eg_status check_parts(eg_sequences *self, const eg_view *view)
{
    const eg_example_lists *lists = &self->lists;
    bool lacks = eg_example_list_count(&lists->test, 0) == 0 ||
                 eg_example_list_count(&lists->validation, 0) == 0;
    for (size_t g = 0; g < lists->groups; g++) {
        const size_t count = eg_example_list_count(&lists->train, g);
        lacks = lacks || count == 0;
        self->largest = count > self->largest ? count : self->largest;
    }
    return !lacks ? eg_ok()
                  : eg_fail_setting(view->prefix, "chunks evaluation validation",
                                    "a part of the text has no sequence of %zu symbols and one "
                                    "after them; expected a longer text, larger blocks "
                                    "(dataset.block) or fewer %schunks",
                                    self->base.shape.input.height, view->prefix);
}

static eg_status check_holdout(const eg_view *view, double holdout)
{
    const double own = eg_view_real(view, "validation");
    return holdout <= 0 || holdout == own
               ? eg_ok()
               : eg_fail_setting("", "protocol.fraction stream.validation",
                                 "protocol.fraction = %g and %svalidation = %g: what is held out "
                                 "of a text are these blocks; expected the same",
                                 holdout, view->prefix, own);
}

eg_status eg_sequences_create(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                              uint64_t seed, double holdout, size_t phases, bool together)
{
    eg_sequences *self = NULL;
    parts of = {.blocks = 0};
    EG_TRY(eg_sequences_check(view, NULL));
    EG_TRY(check_holdout(view, holdout));
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    *self = (eg_sequences){.base = {.ops = &ops,
                                    .shape = {.input = dataset->shape,
                                              .features = dataset->features,
                                              .outputs = dataset->classes,
                                              .positions = dataset->shape.height,
                                              .phases = phases,
                                              .tasks = 1,
                                              .batch = eg_view_size(view, "batch"),
                                              .epochs = 1,
                                              .chunks = phases}},
                           .dataset = dataset,
                           .seed = seed,
                           .steps = eg_view_size(view, "steps"),
                           .together = together,
                           .holds_out = holdout > 0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, divide(&of, view, &dataset->text, eg_chunk_seed(view, seed)));
    EG_TRY_DONE(status, number(self, &of));
    EG_TRY_DONE(status, list_parts(self, &of, phases));
    EG_TRY_DONE(status, check_parts(self, view));
    *out = &self->base;
    self = NULL;
done:
    eg_free(of.order);
    eg_free(of.first);
    if (self != NULL) {
        sequences_free(&self->base);
    }
    return status;
}

eg_status eg_sequences_check(const eg_view *view, const eg_stream_sizes *data)
{
    (void)data; /* how long the text is, is known once it is opened */
    if (eg_view_size(view, "epochs") != 1) {
        return eg_fail_setting(view->prefix, "epochs",
                               "%sepochs: %ssteps says how long a mega-batch is learned from; "
                               "expected 1",
                               view->prefix, view->prefix);
    }
    return eg_view_text(view, "order_file")[0] == '\0'
               ? eg_ok()
               : eg_fail_setting(view->prefix, "order_file",
                                 "%sorder_file: a stream of text has no order from a file",
                                 view->prefix);
}

void eg_sequences_sizes(const eg_view *view, eg_stream_sizes *out, size_t phases)
{
    const size_t all = out->train;
    out->positions = out->input.height;
    out->train = phases * eg_view_size(view, "steps") * eg_view_size(view, "batch");
    out->test = eg_chunk_share(all, eg_view_real(view, "evaluation"));
    out->validation = eg_chunk_share(all, eg_view_real(view, "validation"));
    out->phases = phases;
    out->tasks = 1;
    out->chunks = phases;
}
