/** The formulas of hard attention to the task; see learner/learner_hat.c. Numbers of units are
 *  double: near the ends of the sigmoid float has none left. */
#ifndef ENGRAM_LEARNER_HAT_H
#define ENGRAM_LEARNER_HAT_H

#include <stddef.h>

/** s of minibatch b (from 0) of an epoch of `batches`: from 1/s_max in the first one to s_max in
 *  the last one, evenly; s_max if there is only one. */
double eg_hat_scale(double s_max, size_t b, size_t batches);
/** a = sigmoid(s e). */
double eg_hat_attention(double s, double e);
/** da/de = s a (1 - a). */
double eg_hat_slope(double s, double e);
/** What the gradient of e is multiplied by, so that it is about that of a sigmoid of slope s_max
 *  whatever s is:
 *      s_max/s (cosh(clamp(s e, -50, 50)) + 1)/(cosh(e) + 1). */
double eg_hat_compensation(double s_max, double s, double e);
/** How much of the gradient of a weight is left between units that earlier tasks attend to by
 *  `to` and `from`: 1 - min(to, from). */
double eg_hat_gate(double to, double from);
/** R = sum_u a_u (1 - before_u) / sum_u (1 - before_u), which is 0 if nothing is left; and, if
 *  slope is not NULL, dR/da_u. */
double eg_hat_penalty(size_t n, const double *a, const double *before, double *slope);

#endif
