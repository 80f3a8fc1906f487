/** How large the weights are that make hidden units, and those that use them.
 *
 *      in[u]  = mean |w| over the incoming weights of unit u (no bias, scale or shift)
 *      out[u] = mean |w| over its outgoing weights
 *
 *  Where the positions of a unit are flattened, each of them is used by weights of its own, and out
 *  has one mean for each (eg_hidden_layer.spread of them), those of a unit side by side.
 *
 *  Which weights these are is asked of eg_net_unit_run once, whatever the layers and their layouts
 *  are. What it answers makes up matrices: the runs of neighbouring units side by side, or one
 *  after the other. Each is then read in one vectorised pass, which gives both if it lies between
 *  two hidden layers.
 *
 *  The sums over the columns of a large matrix can be kept up by the updates instead
 *  (engram/column_magnitudes.h). They are added up anew when parameters were changed otherwise, and
 *  from time to time, so that rounding does not add up. Then they are part of what a learner
 *  remembers. */
#ifndef ENGRAM_NN_UNIT_MAGNITUDES_H
#define ENGRAM_NN_UNIT_MAGNITUDES_H

#include "engram/column_magnitudes.h"
#include "engram/net.h"
#include "engram/pack.h"

/** Weights from which on a matrix is large. Small ones are read faster than followed. */
enum { EG_UNIT_MAGNITUDES_LARGE = 16384 };

/** Takes after which kept sums are added up anew. */
enum { EG_UNIT_MAGNITUDES_RENEWAL = 4096 };

typedef struct eg_unit_matrix eg_unit_matrix;

/** For one network. Units of all hidden layers are numbered one layer after the other. */
typedef struct eg_unit_magnitudes {
    const eg_net *net; /**< borrowed */
    size_t units, outs;
    /** [units], [outs] as of the last take; 0 where there are no such weights; owned */
    eg_real *in, *out;
    size_t *first_out; /**< [hidden_count] where a layer's units begin in out; owned */
    double read;       /**< weights that a take adds up, each as often as it counts */
    bool takes_in, takes_out;
    eg_real *inverse; /* [units + outs] 1 / number of weights of in, out */
    eg_real *row;     /* [most rows] sums on their way to their units */
    eg_unit_matrix *matrix;
    size_t count, capacity;
    eg_column_magnitudes *kept; /**< [kept_count] for eg_optimizer_follow; owned */
    size_t kept_count;
    eg_real *column;  /* [widest of them] */
    uint64_t touches; /* of the network, when they were added up */
    uint32_t takes;   /* since then */
} eg_unit_magnitudes;

/** `in`, `out`: which of the two are wanted. On failure the caller still calls clear. */
eg_status eg_unit_magnitudes_init(eg_unit_magnitudes *magnitudes, const eg_net *net, bool in,
                                  bool out) EG_WARN_UNUSED;
void eg_unit_magnitudes_clear(eg_unit_magnitudes *magnitudes);
/** Keeps the sums of large matrices of which columns alone are wanted. An optimizer has to follow
 *  all of `kept` from now on, and everybody else who changes parameters to call eg_net_touch. */
eg_status eg_unit_magnitudes_keep(eg_unit_magnitudes *magnitudes) EG_WARN_UNUSED;
/** Of the parameters now. */
void eg_unit_magnitudes_take(eg_unit_magnitudes *magnitudes);

/** The sums that are kept, for checkpoints. */
void eg_unit_magnitudes_write(const eg_unit_magnitudes *magnitudes, eg_writer *writer);
/** After the network has been read. EG_INVALID for sums that cannot be. */
eg_status eg_unit_magnitudes_read(eg_unit_magnitudes *magnitudes, eg_reader *reader) EG_WARN_UNUSED;

#endif
