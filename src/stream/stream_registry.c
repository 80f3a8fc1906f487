/** All streams. To add one: write <name>.c ending with
 *      const eg_stream_kind eg_stream_<name> = {…};
 *  and add its line here. */
#include "engram/stream.h"

static const eg_param common[] = {
    {.name = "batch",
     .type = EG_TYPE_INT,
     .default_text = "64",
     .min = 1,
     .max = 1e7,
     .unit = "examples",
     .doc = "examples per minibatch, of which 1 has kernels of its own; the last one of an epoch "
            "holds what is left"},
    {.name = "epochs",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1e6,
     .doc = "passes over the examples of a phase, each in a new order"},
    {.name = "order_file",
     .type = EG_TYPE_TEXT,
     .default_text = "",
     .keeps_results = true,
     .by_content = true,
     .doc = "CSV file, as `engram train --trace` writes it, whose columns phase and examples say "
            "which training examples each minibatch holds, whatever batch is; empty: shuffled by "
            "seed"},
};

/* Sorted by name. */
#define STREAMS(ENTRY)                                                                             \
    ENTRY(bit_flipping)                                                                            \
    ENTRY(blurry)                                                                                  \
    ENTRY(boundary_free)                                                                           \
    ENTRY(cifar100_split)                                                                          \
    ENTRY(cifar100_superclass)                                                                     \
    ENTRY(class_incremental)                                                                       \
    ENTRY(class_pairs)                                                                             \
    ENTRY(iid)                                                                                     \
    ENTRY(mega_batches)                                                                            \
    ENTRY(omniglot_rotation)                                                                       \
    ENTRY(online_permuted)                                                                         \
    ENTRY(permuted)                                                                                \
    ENTRY(split)                                                                                   \
    ENTRY(text_iid)                                                                                \
    ENTRY(text_mega_batches)

#define MEMBER_TYPE eg_stream_kind
#define MEMBER(name) eg_stream_##name
EG_REGISTRY(STREAMS);

const eg_family eg_stream_family = {
    .name = "stream",
    .doc = "what arrives when: phases of minibatches, and the tasks to be tested on",
    .common = common,
    .common_count = EG_COUNT(common),
    .members = members,
    .member_count = EG_COUNT(members),
};
