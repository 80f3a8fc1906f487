/** Learners: the method that turns minibatches into a predictor. A learner owns its network(s),
 *  optimizer(s) and whatever it remembers between tasks. */
#ifndef ENGRAM_LEARNER_H
#define ENGRAM_LEARNER_H

#include "engram/net.h"
#include "engram/optimizer.h"
#include "engram/profile.h"
#include "engram/record.h"
#include "engram/settings.h"
#include "engram/stream.h"
#include "engram/weights.h"

/** What a learner may know when it is created. */
typedef struct eg_learner_setup {
    const eg_view *root; /**< all settings; borrowed during create only, root->settings for good */
    eg_stream_shape shape;
    uint64_t seed;
    size_t member;           /**< whose order of examples its own cursors have (eg_cursor_setup) */
    size_t block;            /**< most examples one predict call gets */
    const eg_stream *stream; /**< for cursors of its own; borrowed */
    eg_profile *profile;     /**< where learning is measured; NULL: nowhere; borrowed */
    bool (*wanted)(void *user); /**< see end_phase; NULL: always */
    void *user;                 /**< of wanted; borrowed */
} eg_learner_setup;

/** A copy for as long as the learner lives, for networks to come; *root is the learner's own. */
static inline void eg_learner_setup_keep(eg_learner_setup *out, eg_view *root,
                                         const eg_learner_setup *setup)
{
    *root = *setup->root;
    *out = *setup;
    out->root = root;
}

typedef struct eg_learner eg_learner;

/** What scores of predictions are. */
typedef enum eg_scores {
    EG_SCORES_LOGITS = 0,    /**< their softmax over the active outputs are probabilities */
    EG_SCORES_PROBABILITIES, /**< of the active outputs */
    EG_SCORES_OTHER          /**< nothing that makes probabilities */
} eg_scores;

/** A network of a learner and what trains it. Borrowed from the learner. */
typedef struct eg_learner_network {
    eg_net *net;
    eg_optimizer *optimizer; /**< NULL once the learner is frozen */
    /** Of its training: after a step, eg_workspace_hidden gives the activations of the forward that
     *  came before the update, for eg_workspace_batch examples. NULL once it is frozen. */
    const eg_workspace *training;
} eg_learner_network;

/** What a step was before it changed anything. */
typedef struct eg_step_outcome {
    double loss; /**< mean loss of the minibatch */
    /** Scores [rows, outputs] of the minibatch (eg_batch_rows), as predict gives them; NULL:
     * none. Borrowed, valid until the next call on the learner. */
    const eg_real *outputs;
} eg_step_outcome;

/** What a learner is made of and what it has done. Multiply-adds (macs) are those of eg_net_macs;
 *  an operation of a training or held-out example is two per multiply-add. */
typedef struct eg_learner_costs {
    double parameters;   /**< of all that predictions are made of now, frozen or not */
    double predict_macs; /**< of one example through all that predicts now */
    /* Since the start of the trial: */
    double train_macs; /**< forwards of training examples, of each network that learned from them */
    double train_flops;      /**< forwards and backwards of the same, and passes in which it grew */
    double validation_flops; /**< forwards of held-out examples that it looked at */
} eg_learner_costs;

/** What the predictions of tasks are made of, in numbers: biases count, and so do the heads of
 *  these tasks, in both. */
typedef struct eg_learner_capacity {
    double stored; /**< all that is kept for them */
    double base;   /**< one network: its trunk, and the heads of these tasks */
} eg_learner_capacity;

/** Required unless said otherwise. The object is the learner's own struct beginning with
 * eg_learner. */
typedef struct eg_learner_ops {
    void (*free)(eg_learner *learner);
    /** Optional: a task boundary. As end_phase it may ask `wanted` and return EG_STOPPED: the phase
     *  is begun again when the trial goes on. */
    eg_status (*begin_phase)(eg_learner *learner, size_t phase);
    /** As end_phase_polls, for the beginning of this phase. */
    size_t (*begin_phase_polls)(const eg_learner *learner, size_t phase);
    /** One minibatch: an update, and what came before it. A loss that is not finite ends the
     *  trial. */
    eg_status (*step)(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out);
    /** Optional: called after the last minibatch of every epoch (from 0). *enough (false before):
     *  the phase ends here, whatever epochs are left. As end_phase it may return EG_STOPPED. */
    eg_status (*end_epoch)(eg_learner *learner, size_t phase, size_t epoch, bool *enough);
    /** As end_phase_polls, for an end_epoch of this phase. */
    size_t (*end_epoch_polls)(const eg_learner *learner, size_t phase);
    /** Optional. If it takes longer than a minibatch it asks `wanted` of the setup now and then,
     *  and when that says no returns EG_STOPPED with nothing changed of what `write` writes, or
     *  with how far it came in it: the phase is ended again when the trial goes on. */
    eg_status (*end_phase)(eg_learner *learner, size_t phase);
    /** How often end_phase of this phase asks `wanted`, about evenly over the time it takes, so
     *  that a part of it tells what all of it takes. Required of those that ask. */
    size_t (*end_phase_polls)(const eg_learner *learner, size_t phase);
    /** scores [rows, outputs]: the largest among the active outputs of a row is the prediction.
     * Changes nothing that later steps or evaluations depend on: an interrupted evaluation is
     * made again. */
    eg_status (*predict)(eg_learner *learner, const eg_batch *batch, eg_real *scores);
    /** Optional: what the scores of predict are now; NULL: EG_SCORES_LOGITS. */
    eg_scores (*scores)(const eg_learner *learner);
    /** Share of non-zero outputs of each hidden layer in the last predict: out[hidden_layers].
     * Optional. */
    void (*activity)(const eg_learner *learner, double *out);
    /** Optional: the curves this learner adds, written at evaluation `eval`. `declare` is called
     * once; `measure` like predict changes nothing, and may be called again. */
    eg_status (*declare)(eg_learner *learner, eg_record *record, size_t evals);
    eg_status (*measure)(eg_learner *learner, eg_record *record, size_t eval);
    /** Optional: its network number `index` from 0; false: there are no more. For learners around
     *  it that select or reset parameters between steps; they call eg_net_touch. Always the same
     *  ones; those of a learner that `grows` (eg_learner_kind) stay, and further ones, with the
     *  same layers, may come when a phase begins; one that `reshapes` has always as many, but
     *  begin_phase, read and weights may put others in their place, of other sizes. */
    bool (*network)(eg_learner *learner, size_t index, eg_learner_network *out);
    /** Optional: adds how many units of each hidden layer were replaced or reset since the start to
     *  counts[hidden_layers], over all its networks. false, and nothing added: it never replaces
     *  any. */
    bool (*replaced)(const eg_learner *learner, double *counts);
    /** Optional: what each epoch of the phase under way, or of the last that ended, was scored by,
     * of number `index` of those inside that end phases by themselves: *count numbers, borrowed
     * until the next epoch. NULL: there are no more; there are always as many. */
    const double *(*epoch_scores)(const eg_learner *learner, size_t index, size_t *count);
    /** Optional: it learns no more, and may release what only learning needs. From now on it gets
     *  calls of predict, activity, rest, network, replaced, flops, extra_flops, costs, capacity,
     *  weights, write and read, and is freed; what one that is frozen has written is read by one
     *  that is. */
    void (*freeze)(eg_learner *learner);
    /** Optional: it is not going to predict for a while. One that is frozen may release what its
     *  next predict makes again. */
    void (*rest)(eg_learner *learner);
    double (*flops)(const eg_learner *learner); /**< forward, per example */
    /** Optional: operations so far besides one forward and backward per example of a minibatch:
     * passes at the end of phases, examples that join minibatches. */
    double (*extra_flops)(const eg_learner *learner);
    /** Optional: adds what it costs to *out, and what those inside it cost. Asked at the start of a
     * trial and after every phase, when networks may have other shapes: who grows keeps sums of
     * what it has done. False: it does not count. */
    bool (*costs)(const eg_learner *learner, eg_learner_costs *out);
    /** Optional: what predictions of the first `learned` phases are made of. Asked after a phase;
     *  like predict it changes nothing. False: it does not count. */
    bool (*capacity)(const eg_learner *learner, size_t learned, eg_learner_capacity *out);
    /** Everything the learner remembers from one minibatch to the next, for a checkpoint: weights
     *  (eg_net_write), optimizer (eg_optimizer_write), its own arrays (eg_write_reals) and counts.
     *  Called after any step, also before the evaluation that follows it; after the last step of a
     *  phase end_epoch and end_phase have been called, unless they were stopped. Not what create
     *  makes again from settings and seed, nor what one call leaves for itself (workspaces,
     *  gradients); randomness is keyed and has no state. */
    void (*write)(const eg_learner *learner, eg_writer *writer);
    /** The inverse, into a learner just created from the same settings and seed: from then on it
     *  gives the same bits as the one that wrote. begin_phase of the phase that is under way is not
     *  called again, unless it was stopped. EG_INVALID for whatever does not fit (sizes, counts out
     *  of range), saying what was expected; never a crash. After a failure the learner is only good
     *  for being freed. */
    eg_status (*read)(eg_learner *learner, eg_reader *reader);
    /** Passes over all that predictions are made of (engram/weights.h), in the same order in both
     *  directions. Into a learner it comes right after create, or with pass->again between any two
     *  steps, from where it was taken before: then what is remembered besides, such as anchors,
     *  stays. Optional: there is nothing that could be taken elsewhere. */
    eg_status (*weights)(eg_learner *learner, eg_weights_pass *pass);
    /** Optional: removes what only predictions of a task are made of, so that it is as if it had
     *  never come; those of all others stay the same to the last bit. Between steps. EG_INVALID:
     *  there is nothing of this task, or it is being learned. */
    eg_status (*forget)(eg_learner *learner, size_t task);
} eg_learner_ops;

struct eg_learner {
    const eg_learner_ops *ops;
    size_t hidden_layers;
    bool reads_sparse; /**< a batch that comes in sparse form may come without x */
};

/** What settings alone say of the work of a trial. */
typedef struct eg_learner_work {
    double forward; /**< operations per example of one forward */
    double rest;    /**< the same without the products with the network's inputs */
    double steps, phases;
    double epochs;         /**< of a phase, if none ends early */
    double phase_examples; /**< in one epoch of a phase */
    double phase_held_out; /**< held-out training examples of a phase */
    double ordinary;       /**< forwards and backwards of all that is learned and evaluated */
    double grown;          /**< in the mean over all that is learned, train of eg_learner_growth */
    size_t outputs;
} eg_learner_work;

/** How much more than at the start a learner does in a phase because its networks grow. */
typedef struct eg_learner_growth {
    double train, predict; /**< of an example, times as much as in phase 0 */
    double begin;          /**< of beginning the phase, in any unit; 0: nothing to speak of */
} eg_learner_growth;

typedef struct eg_learner_kind {
    eg_component component;
    bool uses_task_boundaries; /**< begin_phase/end_phase matter */
    bool uses_task_ids;        /**< predictions need to know the task */
    bool needs_classes;        /**< cannot learn regression targets */
    bool takes_positions;      /**< can learn examples of several positions (eg_batch.positions) */
    /** Settings at the root that it does not look at, such as "optimizer", and so all below them:
     *  they are no settings of its trials to those who read results. NULL-terminated; NULL: it
     *  looks at all. */
    const char *const *unused;
    const eg_variable *const *variables; /**< curves it adds, NULL-terminated; NULL: none */
    bool own_weights; /**< predicts with weights that are not those of its networks; who selects
                           them goes through its operation weights */
    bool grows;       /**< networks may join when a phase begins: see network of eg_learner_ops */
    bool reshapes;    /**< networks may change their shapes when a phase begins: the same */
    /** Its declare and measure are those of the learner that setting `of` chooses, besides its own
     *  curves. */
    bool records_inside;
    eg_status (*create)(eg_learner **out, const eg_view *view, const eg_learner_setup *setup);
    /** Optional: EG_INVALID if the learner's own settings cannot work together. */
    eg_status (*check)(const eg_view *view);
    /** Optional: why it cannot do with a network of these nodes; NULL: it can. Of nodes it looks at
     *  layers, what they read, and `shared`, not at parameters, which there may not be yet. */
    const char *(*obstacle)(size_t count, const eg_node *nodes);
    /** Optional: whether it looks at held-out training examples (EG_SUBSET_VALIDATION). */
    bool (*needs_held_out)(const eg_view *view);
    /** Optional: about what extra_flops of eg_learner_ops will be in the end. */
    double (*extra_flops)(const eg_view *view, const eg_learner_work *work);
    /** Optional, of learners whose networks grow: about how much, from settings alone. */
    eg_learner_growth (*growth)(const eg_view *view, size_t phase);
} eg_learner_kind;

extern const eg_family eg_learner_family;

/** Whether the kind looks at a setting of the root (eg_learner_kind.unused). */
bool eg_learner_uses(const eg_learner_kind *kind, const char *setting);

/** The learner that setting `name` of the view chooses, or the first one inside it, of which `is`
 *  says so; NULL: none. */
const eg_component *eg_learner_find(const eg_view *view, const char *name,
                                    bool (*is)(const eg_learner_kind *kind));

/** eg_learner_kind.growth of the learner that setting `name` of the view chooses, and of those
 *  inside it, together. */
eg_learner_growth eg_learner_growth_of(const eg_view *view, const char *name, size_t phase);

/** EG_INVALID if the learner or the loss that the settings choose cannot do with targets instead of
 *  labels. */
eg_status eg_learner_check_targets(const eg_view *root, bool regression) EG_WARN_UNUSED;

/** EG_INVALID if the stream changes the outputs of networks (eg_stream_shape.changes_outputs) and
 *  the learner, or one inside it, has no network. */
eg_status eg_learner_check_outputs(const eg_view *root, bool changes) EG_WARN_UNUSED;

/** EG_INVALID if the learner, or one inside it, predicts for a task it is told
 *  (eg_learner_kind.uses_task_ids), and the stream does not tell it, or teaches several in a
 *  phase. */
eg_status eg_learner_check_tasks(const eg_view *root, bool tells,
                                 bool tasks_are_phases) EG_WARN_UNUSED;

/** EG_INVALID if examples have several positions, and the learner, or one inside it, learns
 *  examples of one only (eg_learner_kind.takes_positions). */
eg_status eg_learner_check_positions(const eg_view *root, size_t positions) EG_WARN_UNUSED;

/** EG_INVALID if the learner, or one inside it, does something where tasks begin or end
 *  (eg_learner_kind.uses_task_boundaries), and the stream hides that (`hidden`). */
eg_status eg_learner_check_boundaries(const eg_view *root, bool hidden) EG_WARN_UNUSED;

/** Whether the learner, or one inside it, says obstacles (eg_learner_kind.obstacle). */
bool eg_learner_looks_at_nodes(const eg_view *root);
/** EG_INVALID if it has one in these nodes. */
eg_status eg_learner_check_nodes(const eg_view *root, size_t count,
                                 const eg_node *nodes) EG_WARN_UNUSED;

/** Creates the learner chosen by setting `learner`. */
eg_status eg_learner_create(eg_learner **out, const eg_learner_setup *setup) EG_WARN_UNUSED;
void eg_learner_free(eg_learner *learner);

/** Copies what predictions are made of into *out (eg_weights_clear). Errors: EG_INVALID if this
 * learner has nothing that could be copied; EG_MEMORY. */
eg_status eg_learner_get_weights(eg_weights *out, eg_learner *learner) EG_WARN_UNUSED;
/** The other way, into a learner just created. Errors: EG_INVALID naming the array that is missing,
 * of another shape, not finite or not known to the learner; then the learner is only good for being
 * freed. */
eg_status eg_learner_set_weights(eg_learner *learner, eg_weights *weights) EG_WARN_UNUSED;

/** Removes a task (eg_learner_ops.forget). Errors: those of it; EG_INVALID if this learner keeps
 *  nothing that is of one task alone. */
eg_status eg_learner_forget(eg_learner *learner, size_t task) EG_WARN_UNUSED;

/* For learners around another one, which setting `of` chooses. */

/** Row of a parameter table. */
#define EG_LEARNER_OF                                                                              \
    {                                                                                              \
        .name = "of", .type = EG_TYPE_COMPONENT, .default_text = "plain", .family = "learner",     \
        .doc = "the learner inside"                                                                \
    }
/** Creates the learner inside; `view` is that of the learner around it. */
eg_status eg_learner_create_inside(eg_learner **out, const eg_view *view,
                                   const eg_learner_setup *setup) EG_WARN_UNUSED;
/** Operations of eg_learner_kind for the learner inside, and of eg_learner_ops where it has
 *  them. */
eg_status eg_learner_check_inside(const eg_view *view) EG_WARN_UNUSED;
/** Also EG_INVALID if the learner inside does not look at setting `model`, or if it, or one inside
 *  it, grows or reshapes. */
eg_status eg_learner_check_network_inside(const eg_view *view) EG_WARN_UNUSED;
/** The same for those that fit what they remember of networks to their sizes after begin_phase: one
 *  inside may reshape. */
eg_status eg_learner_check_followed_inside(const eg_view *view) EG_WARN_UNUSED;
bool eg_learner_needs_held_out_inside(const eg_view *view);
double eg_learner_extra_flops_inside(const eg_view *view, const eg_learner_work *work);
eg_status eg_learner_begin_phase(eg_learner *learner, size_t phase) EG_WARN_UNUSED;
size_t eg_learner_begin_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_learner_end_epoch(eg_learner *learner, size_t phase, size_t epoch,
                               bool *enough) EG_WARN_UNUSED;
size_t eg_learner_end_epoch_polls(const eg_learner *learner, size_t phase);
eg_status eg_learner_end_phase(eg_learner *learner, size_t phase) EG_WARN_UNUSED;
size_t eg_learner_end_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_learner_declare(eg_learner *learner, eg_record *record, size_t evals) EG_WARN_UNUSED;
eg_status eg_learner_measure(eg_learner *learner, eg_record *record, size_t eval) EG_WARN_UNUSED;
void eg_learner_freeze(eg_learner *learner);
void eg_learner_rest(eg_learner *learner);
double eg_learner_extra_flops(const eg_learner *learner);
/** EG_INVALID if the learner has none that could be taken elsewhere. */
eg_status eg_learner_weights(eg_learner *learner, eg_weights_pass *pass) EG_WARN_UNUSED;
/** What the scores of its predictions are. */
eg_scores eg_learner_scores(const eg_learner *learner);
/** NaN where the learner does not know. */
void eg_learner_activity(const eg_learner *learner, double *out);
/** False, and nothing added, where the learner does not replace units. */
bool eg_learner_replaced(const eg_learner *learner, double *counts);
/** False where the learner does not count. */
bool eg_learner_add_costs(const eg_learner *learner, eg_learner_costs *out);
/** The same. */
bool eg_learner_get_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out);
/** NULL, and *count 0, where the learner scores no epochs, or there are no more that do. */
const double *eg_learner_epoch_scores(const eg_learner *learner, size_t index, size_t *count);
/** EG_INVALID, naming the learner around it, if the learner has no network. */
eg_status eg_learner_needs_network(eg_learner *learner, const char *around) EG_WARN_UNUSED;

#endif
