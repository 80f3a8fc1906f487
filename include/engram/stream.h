/** Streams: what arrives when.
 *
 *  A stream is a sequence of phases (a task, an increment, a mega-batch). Within a phase there are
 *  minibatches, epoch after epoch; the evaluation sets ("tasks") exist beside it. A stream
 *  describes all this and never changes; it is read with cursors, as many as are wanted. The order
 *  of examples depends on (trial seed, member, phase, epoch) only, so a cursor can be put to any
 *  position. */
#ifndef ENGRAM_STREAM_H
#define ENGRAM_STREAM_H

#include "engram/batch.h"
#include "engram/dataset.h"
#include "engram/settings.h"
#include "engram/shape.h"

typedef struct eg_stream_shape {
    eg_shape input;   /**< of one example, in the order of the dataset */
    size_t features;  /**< its size */
    size_t outputs;   /**< classes, or regression targets, of a position */
    size_t positions; /**< of an example that have a label each (eg_batch.positions); 0: one */
    size_t phases;
    size_t
        tasks; /**< evaluation sets, possibly none; task t is what phase t taught where phases are
                      tasks */
    size_t batch;          /**< largest minibatch */
    size_t epochs;         /**< most epochs of a phase */
    bool regression;       /**< batches have targets instead of labels */
    bool tasks_are_phases; /**< phase t teaches task t and no other (split, permuted) */
    bool tells_task;       /**< evaluation names the task (task-incremental learning) */
    bool masks_outputs;    /**< batches may have active outputs */
    bool changes_outputs;  /**< phases may change the network's outputs (eg_phase.outputs) */
    bool augments_tests;   /**< there are EG_SUBSET_TEST_AUGMENTED */
    /** What is held out goes with phases, not with tasks: every phase has a set of its own of
     * EG_SUBSET_VALIDATION (eg_stream_set). */
    bool phases_hold_out;
    size_t chunks; /**< mega-batches that arrive in all (eg_phase.arrived); 0: there are none */
} eg_stream_shape;

/** Rows of outputs that an example has. */
static inline size_t eg_stream_positions(const eg_stream_shape *shape)
{
    return shape->positions > 0 ? shape->positions : 1;
}

/** What happens to the outputs of a network before anything of a phase is learned. It is part of
 *  the problem: every learner that updates a network does it in begin_phase (one that is made of
 *  learner/gradient_learner.h has it from there), those without one are refused. Nothing else is
 *  reset. */
typedef enum eg_outputs {
    EG_OUTPUTS_STAY = 0,
    EG_OUTPUTS_ZERO,  /**< weights and biases of the last layer become 0; its momentum stays */
    EG_OUTPUTS_ARRIVE /**< those in `arriving` begin anew, with fresh optimizer state */
} eg_outputs;

/** One phase. Each of its epochs shows every example once, unless stream.order_file says which; a
 *  learner may end it after fewer epochs. */
typedef struct eg_phase {
    size_t steps;              /**< minibatches of an epoch */
    size_t epochs;             /**< at most */
    size_t examples;           /**< training examples of an epoch */
    size_t task;               /**< the task it teaches; EG_NO_TASK: several */
    const eg_active *active;   /**< outputs that take part in its loss; NULL: all. Borrowed */
    eg_outputs outputs;        /**< what happens to the network's outputs when it begins */
    const eg_active *arriving; /**< see EG_OUTPUTS_ARRIVE. Borrowed */
    size_t arrived;            /**< mega-batches that are there when it begins, of shape.chunks */
    size_t held_out_before;    /**< the first of its set of EG_SUBSET_VALIDATION that the phase
                                    before it had, too */
} eg_phase;

/** Which examples of a task: those that evaluations use, or all it was or will be taught with. */
typedef enum eg_subset {
    EG_SUBSET_TEST = 0,
    EG_SUBSET_VALIDATION = 1,
    EG_SUBSET_TRAINING = 2, /**< held-out ones included, as the dataset has them: not augmented */
    /** Those of EG_SUBSET_TEST, augmented as in training, anew in every round (eg_cursor); none
     * unless the stream says so (shape.augments_tests). */
    EG_SUBSET_TEST_AUGMENTED = 3
} eg_subset;

typedef struct eg_stream eg_stream;
typedef struct eg_cursor eg_cursor;

/** What a cursor is opened for. */
typedef struct eg_cursor_setup {
    /** Whose order of examples: 0 is the trial's own; the members of an ensemble have one each. */
    size_t member;
    bool trains;      /**< will read minibatches */
    size_t block;     /**< most examples of one eg_cursor_examples; 0: will not read any */
    bool sparse_only; /**< batches that come in sparse form may come without x, which is faster */
    bool plain;       /**< nothing is augmented: minibatches have the dataset's own examples */
} eg_cursor_setup;

/** All required unless said otherwise. The object is the kind's own struct that begins with
 * `struct eg_cursor`. */
typedef struct eg_cursor_ops {
    void (*free)(eg_cursor *cursor);
    void (*get)(eg_cursor *cursor, size_t phase, size_t step, eg_batch *out);
    /** Optional where there are no evaluation sets. */
    void (*examples)(eg_cursor *cursor, eg_subset subset, size_t task, size_t first, size_t size,
                     eg_batch *out);
} eg_cursor_ops;

struct eg_cursor {
    const eg_cursor_ops *ops;
    const eg_stream *stream; /**< borrowed */
    eg_cursor_setup setup;
    uint64_t round; /**< number of the evaluation that is under way, set by who makes it */
};

/** What a kind of stream implements; all required unless said otherwise. The object is the kind's
 * own struct that begins with `struct eg_stream`. */
typedef struct eg_stream_ops {
    void (*free)(eg_stream *stream);
    void (*phase)(const eg_stream *stream, size_t phase, eg_phase *out);
    /** Optional where there are no evaluation sets. */
    size_t (*count)(const eg_stream *stream, eg_subset subset, size_t task);
    eg_status (*open)(eg_cursor **out, const eg_stream *stream, const eg_cursor_setup *setup);
    /** Optional: see eg_stream_pixels. */
    uint32_t *(*pixels)(eg_stream *stream);
    /** Optional: see eg_stream_class_tasks. */
    const int32_t *(*class_tasks)(const eg_stream *stream);
    /** Optional: see eg_stream_task_identities. */
    const uint32_t *(*task_identities)(const eg_stream *stream);
} eg_stream_ops;

struct eg_stream {
    const eg_stream_ops *ops;
    eg_stream_shape shape;
};

/** Work of a whole trial from settings alone, for checks and cost estimates. */
typedef struct eg_stream_sizes {
    eg_shape input; /**< of one example */
    size_t outputs;
    size_t positions; /**< as in eg_stream_shape */
    size_t phases, tasks;
    size_t train;      /**< training examples, all epochs counted */
    size_t test;       /**< test examples of all tasks */
    size_t validation; /**< held-out examples that are no share of `train`; 0: they are one */
    bool regression;
    bool changes_outputs, augments_tests; /**< as in eg_stream_shape */
    bool phases_hold_out;                 /**< the same */
    size_t chunks;                        /**< the same */
    bool tells_task;                      /**< the same */
    bool orders_tasks;                    /**< there are eg_stream_task_identities */
    bool phases_repeat;    /**< phase p has about p + 1 times the examples of the first */
    bool hides_boundaries; /**< what arrives changes within a phase, and nothing says when */
} eg_stream_sizes;

typedef struct eg_stream_kind {
    eg_component component;
    bool reads_text; /**< eg_dataset.text, and no labelled examples */
    /** It makes its examples itself: `dataset` is NULL in the calls below, and its settings do not
     * matter. */
    bool own_data;
    /** `view` is inside the stream's settings. `holdout` in [0, 1): the share of every class's
     * training examples kept for EG_SUBSET_VALIDATION (the same ones whatever the seed, unless
     * the seed says which examples a phase has). Borrows the dataset. */
    eg_status (*create)(eg_stream **out, const eg_view *view, const eg_dataset *dataset,
                        uint64_t seed, double holdout);
    /** EG_INVALID if the settings do not fit a dataset of so many classes (`outputs`), training and
     * test examples; opens nothing. `data` is not looked at if the kind has own_data. */
    eg_status (*check)(const eg_view *view, const eg_stream_sizes *data);
    /** `out` has input and outputs, train and test examples of the dataset. */
    void (*sizes)(const eg_view *view, eg_stream_sizes *out);
    /** Its training examples are those of the dataset as they are, each as often as any other:
     *  stream iid is the same ones shuffled, if it has as many. */
    bool shows_examples;
} eg_stream_kind;

extern const eg_family eg_stream_family;

/** EG_INVALID if the stream that `root` chooses reads a text and the dataset is none, or the other
 *  way round. */
eg_status eg_stream_check_data(const eg_view *root) EG_WARN_UNUSED;
/** Creates the stream chosen by setting `stream` of `root`; dataset: NULL if the kind has
 *  own_data. */
eg_status eg_stream_create(eg_stream **out, const eg_view *root, const eg_dataset *dataset,
                           uint64_t seed, double holdout) EG_WARN_UNUSED;
void eg_stream_free(eg_stream *stream);
/** Hashes of files that setting `stream.order_file` names, so that many trials read each of them
 *  once. {0} before the first. */
typedef struct eg_stream_orders {
    struct eg_stream_order *file; /**< [count] path and hash; owned */
    size_t count, capacity;
} eg_stream_orders;

void eg_stream_orders_clear(eg_stream_orders *orders);
/** A hash of what the file says that setting `stream.order_file` names, 0 if none is named: it is
 *  part of a trial's id. The file is read unless it is among `known`, and then is. Errors:
 *  EG_INVALID if there is no such file, or it is no order of examples; EG_SYSTEM, EG_MEMORY. */
eg_status eg_stream_order_hash(uint64_t *out, const eg_settings *settings,
                               eg_stream_orders *known) EG_WARN_UNUSED;

/** Phase number `phase`. */
eg_phase eg_stream_phase(const eg_stream *stream, size_t phase);
/** Minibatches in a phase, all epochs together. */
size_t eg_stream_steps(const eg_stream *stream, size_t phase);
/** The set of a subset that goes with an evaluation of `task` during `phase`, which is what
 *  eg_stream_count and eg_cursor_examples ask for as `task`: the task itself, but the phase of
 *  EG_SUBSET_VALIDATION where phases hold out. */
size_t eg_stream_set(const eg_stream *stream, eg_subset subset, size_t phase, size_t task);
/** Examples of a subset of a task; 0 for EG_SUBSET_VALIDATION without holdout. */
size_t eg_stream_count(const eg_stream *stream, eg_subset subset, size_t task);

/** [tasks, height*width]: which pixel of the dataset is seen at each place of an example of task t,
 *  in every channel. Borrowed; other permutations may be written there before a cursor is read.
 *  NULL: all are seen where they are. */
uint32_t *eg_stream_pixels(eg_stream *stream);
/** [outputs]: the task that output c belongs to, -1 if to none. Borrowed. NULL: tasks do not divide
 *  the outputs among them. */
const int32_t *eg_stream_class_tasks(const eg_stream *stream);
/** [tasks]: which task stands at position t, by its number in the natural order, where the order is
 *  a setting: everywhere else a task is known by its position. Borrowed. NULL: task t is t. */
const uint32_t *eg_stream_task_identities(const eg_stream *stream);

/** The stream must outlive its cursors. Nothing is allocated after opening. */
eg_status eg_cursor_open(eg_cursor **out, const eg_stream *stream,
                         const eg_cursor_setup *setup) EG_WARN_UNUSED;
void eg_cursor_close(eg_cursor *cursor);
/** Minibatch `step` of `phase`, counted over all epochs: epoch e begins with step e * steps of the
 * phase. In order it costs nothing extra; a jump shuffles the epoch again. */
void eg_cursor_get(eg_cursor *cursor, size_t phase, size_t step, eg_batch *out);
/** Examples first … first+size-1 of a subset of a task; size at most the setup's `block`. */
void eg_cursor_examples(eg_cursor *cursor, eg_subset subset, size_t task, size_t first, size_t size,
                        eg_batch *out);

#endif
