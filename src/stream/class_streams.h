/** What streams of classes in a random order have in common. */
#ifndef STREAM_CLASS_STREAMS_H
#define STREAM_CLASS_STREAMS_H

#include "engram/stream.h"
#include "stream/indexed.h"

/** Names of setting `class_order`: "natural", "shuffled", NULL. */
extern const char *const eg_class_order_names[];

/** out [classes]: all of them, as setting `class_order` of the view says; eg_class_order_draw. */
void eg_class_order(const eg_view *view, uint64_t seed, size_t classes, uint32_t *out);

/** out [classes]: all of them, in an order drawn by seed; the same for every learner. Orders of
 *  further passes over the classes are others. */
void eg_class_order_draw(uint64_t seed, size_t pass, size_t classes, uint32_t *out);

/** A setup of phases of several classes, with EG_CLASS_EXAMPLES of the view; runs and their order
 *  are missing. group: [classes] becomes their numbers. */
eg_indexed_setup eg_class_setup_make(const eg_view *view, const eg_dataset *dataset, uint64_t seed,
                                     double holdout, size_t *group);

/** EG_INVALID, naming the settings, if classes of a dataset have fewer examples than are to be
 *  used, or a phase of `classes` of them has fewer than a minibatch; every class is taken to have
 *  as many as the mean. */
eg_status eg_class_check_examples(const eg_view *view, const eg_stream_sizes *data,
                                  size_t classes) EG_WARN_UNUSED;
/** eg_indexed_create, and a check of the phases as they are. */
eg_status eg_class_stream_create(eg_stream **out, const eg_view *view,
                                 const eg_indexed_setup *setup) EG_WARN_UNUSED;

/** Examples of a class: what setting `name` says, or else its share of `total`. */
size_t eg_class_examples(const eg_view *view, const char *name, size_t total, size_t classes);

/** Equal groups of classes, in the order of setting `class_order`: *out [classes] the group of
 *  each, `tasks` of the view; eg_free. EG_INVALID as below, EG_MEMORY. */
eg_status eg_class_groups(size_t **out, const eg_view *view, const eg_dataset *dataset,
                          uint64_t seed) EG_WARN_UNUSED;
/** eg_stream_kind.check of streams of such groups: `tasks` must divide the classes. */
eg_status eg_class_check_groups(const eg_view *view, const eg_stream_sizes *data) EG_WARN_UNUSED;

/** Rows of a parameter table: what eg_class_groups reads. */
#define EG_CLASS_GROUPS                                                                            \
    {.name = "tasks",                                                                              \
     .type = EG_TYPE_INT,                                                                          \
     .default_text = "5",                                                                          \
     .min = 1,                                                                                     \
     .max = 65536,                                                                                 \
     .doc = "equal groups of classes; must divide their number"},                                  \
    {                                                                                              \
        .name = "class_order", .type = EG_TYPE_NAME, .default_text = "natural",                    \
        .names = eg_class_order_names,                                                             \
        .doc = "shuffled: the classes change places at random, by seed, before they are grouped"   \
    }

/** Rows of a parameter table. */
#define EG_CLASS_EXAMPLES                                                                          \
    {.name = "train_examples",                                                                     \
     .type = EG_TYPE_INT,                                                                          \
     .default_text = "0",                                                                          \
     .min = 0,                                                                                     \
     .max = 1e9,                                                                                   \
     .unit = "examples",                                                                           \
     .doc = "training examples of every class that are used, the first ones in the dataset; what " \
            "the protocol holds out is of them; 0: all"},                                          \
    {                                                                                              \
        .name = "test_examples", .type = EG_TYPE_INT, .default_text = "0", .min = 0, .max = 1e9,   \
        .unit = "examples",                                                                        \
        .doc = "test examples of every class that are used, the first ones in the dataset; 0: all" \
    }

#endif
