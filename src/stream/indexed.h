/** The engine of classification streams over a dataset: phases are lists of example numbers, each
 * seen through an optional permutation of pixels or labels. A kind of stream only says which class
 * belongs to which group and what is permuted. */
#ifndef STREAM_INDEXED_H
#define STREAM_INDEXED_H

#include "data/shared/augmentation.h"
#include "engram/stream.h"
#include "stream/example_lists.h"
#include "stream/order_file.h"

/** Which outputs take part in the loss of a phase and in predictions. */
typedef enum eg_active_outputs {
    EG_ACTIVE_ALL,
    EG_ACTIVE_SEEN, /**< the classes of the phases so far */
    EG_ACTIVE_TASK, /**< the classes of the task, which evaluation names */
} eg_active_outputs;

/** What every phase permutes anew, in training and evaluation. */
typedef enum eg_permutes {
    EG_PERMUTES_NOTHING,
    /** Pixel i of an example of a task is another pixel of the dataset, the same in every channel;
     * keyed (seed, EG_PURPOSE_PERMUTATION, the task, wherever it stands). Sparse rows list their
     * entries in the order of the columns. */
    EG_PERMUTES_PIXELS,
    EG_PERMUTES_PIXELS_QUICKLY, /**< the same, entries in the order of the dataset */
    EG_PERMUTES_CLASSES, /**< what a class is called; keyed (seed, EG_PURPOSE_LABELS, t), as is: */
    EG_PERMUTES_LABELS,  /**< the labels of the training examples among them; nothing to evaluate */
} eg_permutes;

/** Groups order[first] … order[first + count - 1] of the setup. */
typedef struct eg_group_run {
    size_t first, count;
} eg_group_run;

/** What makes a stream. Phase t teaches task t and no other, unless a single phase teaches all. */
typedef struct eg_indexed_setup {
    const eg_dataset *dataset; /**< borrowed as long as the stream lives */
    uint64_t seed;
    double holdout;
    size_t batch, epochs;   /**< the settings of every stream */
    const char *order_file; /**< of the same; "": none; borrowed during create */
    size_t phases;
    /** [classes] group of a class, or EG_NO_GROUP; NULL: all in group 0. Borrowed during create. */
    const size_t *group;
    /** As many as phases: phase t has group t. 1: all phases have the same. More than one, and one
     * phase: it has them all, and each is a task. */
    size_t groups;
    /** Phases of several classes each: phase t teaches, and task t is, the classes that run[t]
     * names. `group` is then that of every class: itself. [phases]; NULL: as `groups` says.
     * Borrowed during create. */
    const eg_group_run *run;
    const uint32_t *order; /**< [ordered] what the runs name */
    size_t ordered;
    /** Examples by group, which are not classes: every phase has those of its run, held-out ones
     * too, and there is one task, all test examples. Taken over; then `group` is NULL, and what
     * says which examples a group has is not looked at. NULL: groups are of classes. */
    eg_example_lists *lists;
    size_t chunks, wait;      /**< with lists: mega-batches in all, and new ones of a phase */
    size_t places;            /**< labels are places in the run, so many at most; 0: classes */
    eg_active_outputs active; /**< needs `group` or `heads`, unless all are active */
    eg_outputs outputs;   /**< EG_OUTPUTS_ARRIVE: those active for the first time, but in phase 0 */
    eg_permutes permutes; /**< anything but nothing needs groups = 1 */
    bool first_stays;     /**< task 0 permutes nothing */
    /** [tasks] the task at each position; NULL: task t is there. Borrowed during create. */
    const uint32_t *identity;
    /** A single phase teaches so many tasks that permute something: it has every example as each of
     * them sees it. 0: it does not. Needs groups = 1 and no order file. */
    size_t copies;
    /** Every task has outputs of its own: label l of task i is output i*classes + l. Needs
     * groups = 1 and EG_ACTIVE_TASK. */
    bool heads;
    /** Examples of an epoch of a phase, whatever the groups have: one walks through their order,
     * and through it again, or draws them with replacement. 0: every example once. */
    size_t examples;
    /** The loss of an example of a phase of several tasks is over the outputs of its own task.
     * Needs a single phase and EG_ACTIVE_TASK. */
    bool own_losses;
    bool in_order; /**< the first examples of a class are held out, instead of drawn ones */
    size_t train_examples, test_examples; /**< of every class; 0: all */
    bool replace;  /**< needs `examples`; keyed (seed of the member, EG_PURPOSE_REPLACE, place) */
    size_t subset; /**< only so many training examples, drawn by seed; 0: all. Needs groups = 1 */
    bool online;   /**< no evaluation sets */
    /** Needs as many groups as phases: this share of a group's training examples goes to the
     *  others (eg_example_list_blur), in [0, 1]. */
    double blur;
    /** Needs a single phase and no order file: groups fade into each other
     *  (eg_example_list_arrive); 0: they do not. */
    double spread;
    /** Of every presentation of a training example; then batches are dense. */
    eg_augmentation augmentation;
    bool augments_tests; /**< there are EG_SUBSET_TEST_AUGMENTED */
} eg_indexed_setup;

/** The stream; its files and its cursors look inside. */
typedef struct eg_indexed {
    struct eg_stream base;
    const eg_dataset *dataset;
    uint64_t seed;
    size_t batch;
    size_t largest; /**< training examples of the largest phase */
    eg_example_lists lists;
    eg_order_file order; /**< what every minibatch holds; no batches: it is shuffled */
    /** [outputs] the task of an output, -1: none; NULL: there is one group and no heads, or phases
     * have several classes each */
    int32_t *class_task;
    uint32_t *identity; /**< [tasks] the task at each position; NULL: task t */
    size_t copies;      /**< see eg_indexed_setup */
    bool heads;         /**< every task has outputs of its own */
    bool own_losses;    /**< minibatches say which task each example is of */
    eg_group_run *run;  /**< [phases] of `group_order`; NULL: every phase has one group, or all */
    uint32_t *group_order;
    bool places; /**< labels are places in the run */
    size_t wait; /**< mega-batches that are new in a phase, of shape.chunks; 0: there are none */
    eg_outputs outputs;
    eg_augmentation augmentation;
    eg_permutes permutes;
    bool first_stays, replace;
    /** [tasks, pixels] the dataset's pixel that is seen there, where tasks permute pixels */
    uint32_t *from;
    size_t examples;                       /**< of an epoch of a phase; 0: all of its group */
    eg_active *phase_active, *task_active; /**< [phases], [tasks]; NULL: all outputs are active */
    uint32_t *active_outputs;              /**< what they list */
    eg_active *arriving;                   /**< [phases]; NULL: none do */
    uint32_t *arriving_outputs;            /**< what they list */
} eg_indexed;

/** The setup with `batch` and `epochs` from the view and no phases yet. */
eg_indexed_setup eg_indexed_setup_make(const eg_view *view, const eg_dataset *dataset,
                                       uint64_t seed, double holdout);

/** Training examples of phase t are shuffled anew for each epoch, keyed (seed of the cursor's
 *  member, EG_PURPOSE_ORDER, t*epochs + epoch). The last minibatch of an epoch holds what is left.
 *  Errors: as eg_example_lists_init. */
eg_status eg_indexed_create(eg_stream **out, const eg_indexed_setup *setup) EG_WARN_UNUSED;

/** The task at a position. */
size_t eg_indexed_identity(const eg_indexed *self, size_t position);

/** Draws what phase `phase` permutes pixels to: out [pixels]. */
void eg_indexed_draw_pixels(const eg_indexed *self, size_t phase, uint32_t *out);

/** What a phase teaches: its group, those of its run, or all in a single phase. Borrowed. */
eg_group_set eg_indexed_taught(const eg_indexed *self, size_t phase);
/** Its training examples: *count of them, in the lists' order; a list in a row, or a copy in `room`
 *  [self->largest]. Where the phase has copies, example i as task t sees it is
 *  t*train.count + i. */
const uint32_t *eg_indexed_training(const eg_indexed *self, size_t phase, size_t *count,
                                    uint32_t *room);
size_t eg_indexed_training_count(const eg_indexed *self, size_t phase);
/** Numbers of examples first … first+size-1 of a subset of a task: a piece of its list, or copied
 *  into `copy` [size] where they do not stand in a row. */
const uint32_t *eg_indexed_subset(const eg_indexed *self, eg_subset subset, size_t task,
                                  size_t first, size_t size, uint32_t *copy);

/** Lists which outputs are active in phases and tasks, and which arrive; tasks_are_phases is filled
 *  in. */
eg_status eg_indexed_list_outputs(eg_indexed *self, const eg_indexed_setup *setup) EG_WARN_UNUSED;

/** eg_stream_ops.open of these streams. */
eg_status eg_indexed_open(eg_cursor **out, const eg_stream *stream,
                          const eg_cursor_setup *setup) EG_WARN_UNUSED;

/** What eg_stream_kind.check is told of a dataset. */
eg_stream_sizes eg_indexed_data(const eg_dataset *dataset);
/** eg_stream_kind.check of streams for which any classes will do. */
eg_status eg_indexed_check_any(const eg_view *view, const eg_stream_sizes *data) EG_WARN_UNUSED;

#endif
