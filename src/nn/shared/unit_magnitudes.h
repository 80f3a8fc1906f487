/** How large the weights are that make hidden units, and those that use them.
 *
 *      in[u]  = mean |w| over the incoming weights of unit u (no bias, scale or shift)
 *      out[u] = mean |w| over its outgoing weights
 *
 *  Which weights these are is asked of eg_net_unit_run once, whatever the layers and their layouts
 *  are. What it answers makes up matrices: the runs of neighbouring units side by side, or one
 *  after the other. Each is then read in one vectorised pass, which gives both if it lies between
 *  two hidden layers. */
#ifndef ENGRAM_NN_UNIT_MAGNITUDES_H
#define ENGRAM_NN_UNIT_MAGNITUDES_H

#include "engram/net.h"

typedef struct eg_unit_matrix eg_unit_matrix;

/** For one network. Units of all hidden layers are numbered one layer after the other. */
typedef struct eg_unit_magnitudes {
    const eg_net *net; /**< borrowed */
    size_t units;
    eg_real *in, *out; /**< [units] as of the last take; 0 where there are no such weights; owned */
    double read;       /**< weights that a take adds up, each as often as it counts */
    bool takes_in, takes_out;
    eg_real *inverse; /* [2 * units] 1 / number of weights of in, out */
    eg_real *row;     /* [most rows] sums on their way to their units */
    eg_unit_matrix *matrix;
    size_t count, capacity;
} eg_unit_magnitudes;

/** `in`, `out`: which of the two are wanted. On failure the caller still calls clear. */
eg_status eg_unit_magnitudes_init(eg_unit_magnitudes *magnitudes, const eg_net *net, bool in,
                                  bool out) EG_WARN_UNUSED;
void eg_unit_magnitudes_clear(eg_unit_magnitudes *magnitudes);
/** Of the parameters now. */
void eg_unit_magnitudes_take(eg_unit_magnitudes *magnitudes);

#endif
