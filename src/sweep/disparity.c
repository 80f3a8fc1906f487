/** Disparity over orders of tasks; see engram/disparity.h. */
#include "engram/disparity.h"

#include "engram/memory.h"

#include <math.h>

eg_status eg_disparity_init(eg_disparity *out, size_t orders, size_t tasks)
{
    *out = (eg_disparity){.orders = orders, .tasks = tasks};
    return eg_alloc(&out->cell, orders * tasks, sizeof *out->cell);
}

void eg_disparity_clear(eg_disparity *disparity)
{
    eg_free(disparity->cell);
    *disparity = (eg_disparity){.orders = 0};
}

void eg_disparity_add(eg_disparity *disparity, size_t order, size_t task, double accuracy)
{
    eg_sample_add(&disparity->cell[order * disparity->tasks + task], accuracy);
}

/* NaN: no run. */
static double mean_at(const eg_disparity *disparity, size_t order, size_t task)
{
    const eg_sample *cell = &disparity->cell[order * disparity->tasks + task];
    return cell->n > 0 ? cell->mean : (double)NAN;
}

double eg_disparity_task_accuracy(const eg_disparity *disparity, size_t task)
{
    eg_sample over = {.n = 0};
    for (size_t r = 0; r < disparity->orders; r++) {
        eg_sample_add(&over, mean_at(disparity, r, task));
    }
    return over.n > 0 ? over.mean : (double)NAN;
}

double eg_disparity_accuracy(const eg_disparity *disparity)
{
    eg_sample over = {.n = 0};
    for (size_t r = 0; r < disparity->orders; r++) {
        for (size_t t = 0; t < disparity->tasks; t++) {
            eg_sample_add(&over, mean_at(disparity, r, t));
        }
    }
    return over.n > 0 ? over.mean : (double)NAN;
}

double eg_disparity_of_task(const eg_disparity *disparity, size_t task)
{
    double least = (double)INFINITY;
    double most = -(double)INFINITY;
    size_t orders = 0;
    for (size_t r = 0; r < disparity->orders; r++) {
        double mean = mean_at(disparity, r, task);
        least = fmin(least, mean);
        most = fmax(most, mean);
        orders += isfinite(mean) ? 1 : 0;
    }
    return orders > 1 ? most - least : (double)NAN;
}

double eg_disparity_mean(const eg_disparity *disparity)
{
    double sum = 0;
    for (size_t t = 0; t < disparity->tasks; t++) {
        sum += eg_disparity_of_task(disparity, t);
    }
    return sum / (double)disparity->tasks;
}

double eg_disparity_largest(const eg_disparity *disparity)
{
    double most = (double)NAN;
    for (size_t t = 0; t < disparity->tasks; t++) {
        double own = eg_disparity_of_task(disparity, t);
        if (isnan(own)) {
            return own;
        }
        most = fmax(most, own);
    }
    return most;
}
