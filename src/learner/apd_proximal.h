/** The proximal form of the L1 term: after an update without it,
 *
 *      tau <- sign(tau) max(0, |tau| - lambda1 s)
 *
 *  where s is how far a unit of gradient moves that weight (eg_optimizer_reach): with Adam
 *  lr/(sqrt(v') + epsilon), so that the step is the proximal one of its metric. A step of lr
 *  lambda1 alone would do next to nothing under Adam. tau of old tasks is left alone in the first
 *  update of a task: their v' is 0 there, and all of it would go at once. */
#ifndef ENGRAM_LEARNER_APD_PROXIMAL_H
#define ENGRAM_LEARNER_APD_PROXIMAL_H

#include "learner/apd.h"

/** EG_INVALID if the optimizer that the settings choose cannot say s. */
eg_status eg_apd_proximal_check(const eg_view *root, const char *prefix) EG_WARN_UNUSED;
/** The step for n numbers of `all` from `at` on, tau in this plane. */
void eg_apd_proximal(const eg_apd *self, size_t plane, size_t at, size_t n);

#endif
