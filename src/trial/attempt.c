/** Attempts at a trial; see engram/attempt.h. */
#include "engram/attempt.h"

bool eg_attempt_is_same(const eg_attempt *a, const eg_attempt *b)
{
    return a->trial == b->trial && a->number == b->number;
}
