/** Running mean of the newest values; see engram/metric.h. */
#include "engram/metric.h"

#include <math.h>

void eg_window_add(eg_window *window, double value)
{
    window->value[window->seen % EG_WINDOW] = value;
    window->seen++;
}

double eg_window_mean(const eg_window *window)
{
    size_t count = window->seen < EG_WINDOW ? window->seen : EG_WINDOW;
    if (count == 0) {
        return (double)NAN;
    }
    /* Summed afresh, in slot order: no drift over long streams, and the same bits after a restore.
     */
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += window->value[i];
    }
    return sum / (double)count;
}
