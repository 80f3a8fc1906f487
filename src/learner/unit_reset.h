/** Resetting hidden units, as methods do that replace or recycle them. Units are chosen for all
 *  hidden layers of a network first; then all of them are written:
 *
 *      incoming weights     fresh values
 *      bias                 0, or a fresh value
 *      scale and shift      what they start as, where the unit is normalised; running
 *                           statistics too
 *      outgoing weights     0
 *      optimizer            forgets what it knows of them, as far as `state` says
 *
 *  Where a chosen unit reads another one, the weight between them is incoming and outgoing at once.
 *  Layer by layer, from the input, its fresh value stays (`shared_cell` fresh); with all incoming
 *  weights of all layers first and then all outgoing ones it is 0 (zero).
 *
 *  Sources: Dohare et al. 2024, doi 10.1038/s41586-024-07711-7, and the program
 *  shibhansh/loss-of-plasticity (fresh, bias 0); Sokar et al. 2023, arXiv 2302.12902, and the
 *  program google/dopamine (zero). */
#ifndef ENGRAM_LEARNER_UNIT_RESET_H
#define ENGRAM_LEARNER_UNIT_RESET_H

#include "learner/around.h"

/** What incoming weights become; the order is that of the names. */
typedef enum eg_fresh {
    EG_FRESH_DRAW,    /**< drawn as the layer's own weights were at the start */
    EG_FRESH_INITIAL, /**< what the unit's own weights were at the start */
    EG_FRESH_KAIMING, /**< U(-a, a), a = g sqrt(3/fan_in), g the gain of the activation */
    EG_FRESH_XAVIER,  /**< a = g sqrt(6/(fan_in + units)) */
    EG_FRESH_LECUN,   /**< a = sqrt(3/fan_in) */
    EG_FRESH_DEFAULT, /**< a = 1/sqrt(fan_in) */
} eg_fresh;

/** What the optimizer forgets; the order is that of the names. */
typedef enum eg_reset_state {
    EG_RESET_STATE_PUBLISHED,      /**< what the method's rule says of this optimizer */
    EG_RESET_STATE_NONE,           /**< nothing */
    EG_RESET_STATE_WEIGHTS,        /**< of incoming and outgoing weights */
    EG_RESET_STATE_UNIT,           /**< of the bias, scale and shift too */
    EG_RESET_STATE_UNIT_AND_COUNT, /**< and their updates are counted from 0 again */
} eg_reset_state;

extern const char *const eg_fresh_names[];
extern const char *const eg_fresh_bias_names[]; /**< "zero", "draw" */
extern const char *const eg_reset_state_names[];
extern const char *const eg_shared_cell_names[]; /**< "fresh", "zero" */

/** Rows of a parameter table, with a method's own defaults. */
#define EG_UNIT_RESET_PARAMS(fresh_default, bias_default, shared_cell_default, state_doc)          \
    {.name = "fresh",                                                                              \
     .type = EG_TYPE_NAME,                                                                         \
     .default_text = fresh_default,                                                                \
     .names = eg_fresh_names,                                                                      \
     .doc = "new incoming weights: drawn as the layer's own were at the start (draw), the unit's " \
            "own initial values (initial), or uniform in -a … a with a = g sqrt(3/inputs) "      \
            "(kaiming), g sqrt(6/(inputs + units)) (xavier), sqrt(3/inputs) (lecun), "             \
            "1/sqrt(inputs) (default), g the activation's gain"},                                  \
        {.name = "fresh_bias",                                                                     \
         .type = EG_TYPE_NAME,                                                                     \
         .default_text = bias_default,                                                             \
         .names = eg_fresh_bias_names,                                                             \
         .doc = "the new bias: 0, or as the layer's own were at the start (with fresh = initial: " \
                "the unit's own initial value)"},                                                  \
        {.name = "shared_cell",                                                                    \
         .type = EG_TYPE_NAME,                                                                     \
         .default_text = shared_cell_default,                                                      \
         .names = eg_shared_cell_names,                                                            \
         .doc = "the weight between two units that are replaced together: layer by layer its "     \
                "fresh value stays (fresh), all incoming weights before all outgoing ones make "   \
                "it 0 (zero)"},                                                                    \
    {                                                                                              \
        .name = "reset_state", .type = EG_TYPE_NAME, .default_text = "published",                  \
        .names = eg_reset_state_names, .doc = state_doc                                            \
    }

/** What `reset_state` = published means, by what the optimizer remembers. */
typedef struct eg_reset_published {
    eg_reset_state momentum; /**< of one that has momentum and no more */
    eg_reset_state
        means; /**< of one that has other state; its counts, if any, are among UNIT_AND_COUNT */
} eg_reset_published;

/** EG_INVALID if reset_state asks for what the optimizer of these settings does not have. `view`:
 *  of the learner with these parameters. */
eg_status eg_unit_reset_check(const eg_view *view) EG_WARN_UNUSED;

/** For one network. */
typedef struct eg_unit_reset {
    eg_learner_network at; /**< borrowed */
    eg_fresh fresh;
    bool draws_bias, zeroes_shared;
    eg_reset_state state; /**< not PUBLISHED */
    size_t units;         /**< of all hidden layers */
    size_t *first;        /**< [hidden_count + 1] place of a layer's first unit among them; owned */
    uint32_t *chosen;     /**< [units] those of layer h from first[h] on; owned */
    size_t *count;        /**< [hidden_count] how many are chosen; owned */
    uint64_t *replaced;   /**< [hidden_count] since the start; owned */
    eg_real *initial;     /**< [param_count] with fresh = initial; or NULL; owned */
    eg_real *drawn;       /**< [the longest run]; owned */
    bool *takes;          /**< [hidden_count] of each layer; owned */
} eg_unit_reset;

/** Reads the parameters from `view`. The initial values are those of the network now. On failure
 *  the caller still calls clear. */
eg_status eg_unit_reset_init(eg_unit_reset *reset, const eg_view *view,
                             const eg_learner_network *at,
                             eg_reset_published published) EG_WARN_UNUSED;
void eg_unit_reset_clear(eg_unit_reset *reset);
/** The values of the network now are the initial ones: after weights were loaded into a new
 *  learner. */
void eg_unit_reset_keep_initial(eg_unit_reset *reset);

/** Whether units of this layer can be replaced: it has weights that make them, and weights that use
 *  them. */
bool eg_unit_reset_takes(const eg_unit_reset *reset, size_t hidden);
/** Chooses a unit, once; nothing is written yet. */
void eg_unit_reset_choose(eg_unit_reset *reset, size_t hidden, size_t unit);
/** Writes all that are chosen, counts them, and none are chosen any more; tells the network if
 *  there were any. Fresh values are keyed by the network's seed, `update` and the unit, so that
 *  they do not depend on which others were chosen. Returns how many there were. */
size_t eg_unit_reset_apply(eg_unit_reset *reset, uint64_t update);

/** Adds what was replaced since the start to counts [hidden_count]. */
void eg_unit_reset_counts(const eg_unit_reset *reset, double *counts);
void eg_unit_reset_write(const eg_unit_reset *reset, eg_writer *writer);
eg_status eg_unit_reset_read(eg_unit_reset *reset, eg_reader *reader) EG_WARN_UNUSED;

#endif
