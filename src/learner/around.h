/** What learners around any other learner have in common: the learner inside, its networks, what
 *  they remember of each of these, and operations that pass on. A method that acts before or after
 *  an update is an eg_around_method and a struct that begins with eg_around; its kind sets
 *  records_inside. */
#ifndef ENGRAM_LEARNER_AROUND_H
#define ENGRAM_LEARNER_AROUND_H

#include "engram/learner.h"

typedef struct eg_around eg_around;

/** A network of the learner inside. */
typedef struct eg_around_net {
    eg_learner_network at; /**< borrowed from the learner inside */
    uint64_t before;       /**< net->step before the step under way */
    bool updated;          /**< the last eg_around_step updated it */
    uint64_t updates;      /**< those that did, since the start: keys randomness, counts periods */
    eg_around *around;     /**< whose it is */
    eg_gradient_term told; /**< adds nothing: how it learns that the network begins anew */
} eg_around_net;

/** What a method is beside the learner inside. All but name and size is optional; `n` is the number
 *  of a network. */
typedef struct eg_around_method {
    const char *name;   /**< the learner's own */
    size_t size;        /**< bytes of its struct, which begins with eg_around */
    size_t part_size;   /**< bytes of what it has for every network (eg_around_part) */
    bool does_without;  /**< the learner inside may have no network */
    eg_learner_ops ops; /**< those of its own; what is NULL is the operation of below */
    /** Reads settings. Learner inside and networks are there, parts are zero. */
    eg_status (*open)(eg_around *self, const eg_view *view, const eg_learner_setup *setup);
    eg_status (*open_part)(eg_around *self, size_t n, const eg_view *view); /**< after that */
    /** Also of what was not opened, zero, after a failure. The learner inside is gone. */
    void (*close_part)(eg_around *self, size_t n);
    void (*close)(eg_around *self);
    /** After a step that updated the network; its time is that of updates. */
    void (*after_update)(eg_around *self, size_t n);
    /** All parameters of the network begin anew, as at the start of a trial. */
    void (*renewed)(eg_around *self, size_t n);
    /** The network's values now are the initial ones: weights were loaded into a new learner. */
    void (*given)(eg_around *self, size_t n);
    void (*write_part)(const eg_around *self, size_t n, eg_writer *writer);
    eg_status (*read_part)(eg_around *self, size_t n, eg_reader *reader);
} eg_around_method;

/** Begins the struct of every such learner. */
struct eg_around {
    eg_learner base;
    eg_learner_ops ops; /* of base */
    const eg_around_method *method;
    eg_learner *inside; /**< owned */
    size_t network_count;
    eg_around_net *network; /**< [network_count] always as many; owned */
    void *parts;            /* [network_count][part_size] owned */
    double own_flops;       /**< what eg_around_extra_flops gives besides the learner inside */
    eg_profile *profile;    /**< borrowed, or NULL */
};

/** eg_learner_kind.create: the method around the learner that setting `of` chooses.
 *  Errors: EG_INVALID if that has no network, those of the method, and of the learner inside. */
eg_status eg_around_create(eg_learner **out, const eg_around_method *method, const eg_view *view,
                           const eg_learner_setup *setup) EG_WARN_UNUSED;

/** What the method has for a network. */
void *eg_around_part(const eg_around *self, size_t n);

/** Operations of eg_learner_ops that pass on. */
void eg_around_free(eg_learner *learner);
/** One minibatch of the learner inside, then after_update. Says of every network whether it was
 *  updated; one was not if the loss is not finite, which ends the trial, or if the learner inside
 *  left the minibatch out. */
eg_status eg_around_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out);
eg_status eg_around_begin_phase(eg_learner *learner, size_t phase);
size_t eg_around_begin_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_around_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough);
size_t eg_around_end_epoch_polls(const eg_learner *learner, size_t phase);
eg_status eg_around_end_phase(eg_learner *learner, size_t phase);
size_t eg_around_end_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_around_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores);
eg_scores eg_around_scores(const eg_learner *learner);
void eg_around_activity(const eg_learner *learner, double *out);
eg_status eg_around_declare(eg_learner *learner, eg_record *record, size_t evals);
eg_status eg_around_measure(eg_learner *learner, eg_record *record, size_t eval);
bool eg_around_network(eg_learner *learner, size_t index, eg_learner_network *out);
bool eg_around_replaced(const eg_learner *learner, double *counts);
const double *eg_around_epoch_scores(const eg_learner *learner, size_t index, size_t *count);
void eg_around_freeze(eg_learner *learner);
void eg_around_rest(eg_learner *learner);
double eg_around_flops(const eg_learner *learner);
double eg_around_extra_flops(const eg_learner *learner);
bool eg_around_costs(const eg_learner *learner, eg_learner_costs *out);
bool eg_around_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out);
eg_status eg_around_forget(eg_learner *learner, size_t task);
eg_status eg_around_weights(eg_learner *learner, eg_weights_pass *pass);
/** All parts, what eg_around_step counted, own_flops, and the learner inside. */
void eg_around_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_around_read(eg_learner *learner, eg_reader *reader);

/** For operations that write more, or less: what these are made of. */
void eg_around_write_parts(const eg_learner *learner, eg_writer *writer);
eg_status eg_around_read_parts(eg_learner *learner, eg_reader *reader);
void eg_around_write_counts(const eg_learner *learner, eg_writer *writer);
eg_status eg_around_read_counts(eg_learner *learner, eg_reader *reader);
void eg_around_write_inside(const eg_learner *learner, eg_writer *writer);
eg_status eg_around_read_inside(eg_learner *learner, eg_reader *reader);

#endif
