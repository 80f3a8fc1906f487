/** When measures look at the outputs of hidden units, and how they get them.
 *
 *  A look is made before each phase, or before every so many examples, on the next examples of the
 *  stream in its own order: by cursor and workspaces of its own, in mode predict, so that nothing
 *  of what is learned depends on it. All networks of the learner are looked at. */
#ifndef METRIC_HIDDEN_LOOKS_H
#define METRIC_HIDDEN_LOOKS_H

#include "engram/measure.h"
#include "engram/units.h"

/** Rows of a parameter table. */
#define EG_HIDDEN_LOOKS_PARAMS                                                                     \
    {.name = "examples",                                                                           \
     .type = EG_TYPE_INT,                                                                          \
     .default_text = "2000",                                                                       \
     .min = 1,                                                                                     \
     .max = 1e6,                                                                                   \
     .doc = "training examples of a look: those that come next",                                   \
     .added_later = true},                                                                         \
    {                                                                                              \
        .name = "every", .type = EG_TYPE_INT, .default_text = "0", .min = 0, .max = 1e12,          \
        .unit = "examples", .doc = "a look before every so many examples; 0: before each phase",   \
        .added_later = true                                                                        \
    }

typedef struct eg_hidden_looks {
    const eg_measure_setup *setup; /**< borrowed */
    size_t examples;               /**< of a look, at most: the phase may end before */
    size_t every;                  /**< 0: before each phase */
    size_t count;                  /**< looks of a trial: the length of the axis `look` */
    size_t next;        /**< looks up to here were made, or there was no step before them */
    size_t phase_start; /**< steps before the phase */
    eg_cursor *cursor;
    size_t networks;
    eg_workspace **workspace; /**< [networks] */
    eg_real *x;               /**< rows gathered for one forward */
} eg_hidden_looks;

/** `view`: the measure's settings, with EG_HIDDEN_LOOKS_PARAMS. On failure it is cleared. */
eg_status eg_hidden_looks_init(eg_hidden_looks *out, const eg_measure *measure,
                               const eg_view *view) EG_WARN_UNUSED;
void eg_hidden_looks_clear(eg_hidden_looks *looks);

/** Called from the hooks begin_phase and step: whether a look is due, which, and with which
 * minibatch of the phase its examples begin. */
bool eg_hidden_looks_due(eg_hidden_looks *looks, const eg_moment *now, bool begins_phase,
                         size_t *look, size_t *first);
/** Network `index` of the learner. */
const eg_net *eg_hidden_looks_net(const eg_hidden_looks *looks, size_t index);
/** Shows the observer the hidden outputs of network `index` for the examples of a look, block after
 * block in their order; how many there were. */
size_t eg_hidden_looks_show(eg_hidden_looks *looks, size_t index, size_t phase, size_t first,
                            const eg_unit_observer *observer);

/** For checkpoints. */
void eg_hidden_looks_write(const eg_hidden_looks *looks, eg_writer *writer);
eg_status eg_hidden_looks_read(eg_hidden_looks *looks, eg_reader *reader) EG_WARN_UNUSED;

#endif
