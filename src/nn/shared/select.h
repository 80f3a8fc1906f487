/** Selection of the k-th largest value. */
#ifndef ENGRAM_NN_SELECT_H
#define ENGRAM_NN_SELECT_H

#include "engram/real.h"
#include "engram/status.h"

#include <stddef.h>

/** The k-th largest of a[n], k from 1; a is used up. With NaN among them some member or NaN. */
eg_real eg_select_largest(size_t n, eg_real *a, size_t k);

/** EG_INVALID if a layer of n units has no k-th largest. */
eg_status eg_select_check(double k, size_t n);

#endif
