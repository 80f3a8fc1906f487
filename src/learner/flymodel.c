/** Expansion, winners, association; see learner/flymodel.h. */
#include "learner/flymodel.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "nn/shared/select.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Draws the inputs of all units, [units][ones] each distinct, by a shuffle that stops after
 * `ones`. */
static eg_status draw(const eg_flymodel_shape *s, uint64_t seed, uint32_t *inputs)
{
    uint32_t *order = NULL;
    EG_TRY(eg_alloc(&order, s->inputs, sizeof *order));
    for (size_t j = 0; j < s->units; j++) {
        eg_rng rng = eg_rng_make(seed, EG_PURPOSE_LEARNER, j);
        for (size_t i = 0; i < s->inputs; i++) {
            order[i] = (uint32_t)i;
        }
        for (size_t k = 0; k < s->ones; k++) {
            size_t other = k + eg_rng_below(&rng, (uint32_t)(s->inputs - k));
            uint32_t chosen = order[other];
            order[other] = order[k];
            order[k] = chosen;
            inputs[j * s->ones + k] = chosen;
        }
    }
    eg_free(order);
    return eg_ok();
}

/* From the inputs of each unit to the units of each input: an image has far fewer inputs that are
 * not 0 than there are units. */
static eg_status connect(eg_flymodel *fly, uint64_t seed)
{
    const eg_flymodel_shape *s = &fly->shape;
    size_t connections = s->units * s->ones;
    uint32_t *inputs = NULL;
    uint32_t *next = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&inputs, connections, sizeof *inputs));
    EG_TRY_DONE(status, eg_alloc(&next, s->inputs, sizeof *next));
    EG_TRY_DONE(status, draw(s, seed, inputs));
    for (size_t k = 0; k < connections; k++) {
        fly->start[inputs[k] + 1]++;
    }
    for (size_t i = 0; i < s->inputs; i++) {
        fly->start[i + 1] += fly->start[i];
        next[i] = fly->start[i];
    }
    for (size_t k = 0; k < connections; k++) {
        fly->unit[next[inputs[k]]++] = (uint32_t)(k / s->ones);
    }
done:
    eg_free(inputs);
    eg_free(next);
    return status;
}

eg_status eg_flymodel_create(eg_flymodel **out, const eg_flymodel_shape *shape, uint64_t seed)
{
    assert(shape->ones >= 1 && shape->ones <= shape->inputs && shape->units >= 1);
    *out = NULL;
    eg_flymodel *fly = NULL;
    EG_TRY(eg_alloc(&fly, 1, sizeof *fly));
    fly->shape = *shape;
    eg_status status = eg_ok();
    size_t units = shape->units;
    EG_TRY_DONE(status, eg_alloc(&fly->start, shape->inputs + 1, sizeof *fly->start));
    EG_TRY_DONE(status, eg_alloc(&fly->unit, units, shape->ones * sizeof *fly->unit));
    EG_TRY_DONE(status, eg_alloc(&fly->weight, shape->classes, units * sizeof *fly->weight));
    EG_TRY_DONE(status, eg_alloc(&fly->seen, shape->classes, sizeof *fly->seen));
    EG_TRY_DONE(status, eg_alloc(&fly->winner, units, sizeof *fly->winner));
    EG_TRY_DONE(status, eg_alloc(&fly->value, units, sizeof *fly->value));
    EG_TRY_DONE(status, eg_alloc(&fly->sum, units, sizeof *fly->sum));
    EG_TRY_DONE(status, connect(fly, seed));
    *out = fly;
    return status;
done:
    eg_flymodel_free(fly);
    return status;
}

void eg_flymodel_free(eg_flymodel *fly)
{
    if (fly == NULL) {
        return;
    }
    eg_free(fly->start);
    eg_free(fly->unit);
    eg_free(fly->weight);
    eg_free(fly->seen);
    eg_free(fly->winner);
    eg_free(fly->value);
    eg_free(fly->sum);
    eg_free(fly);
}

/* sum = R x' */
static void expand(eg_flymodel *fly, const eg_real *x)
{
    size_t n = fly->shape.inputs;
    eg_real low = x[0];
    eg_real high = x[0];
    for (size_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    memset(fly->sum, 0, fly->shape.units * sizeof *fly->sum);
    for (size_t i = 0; i < n; i++) {
        if (x[i] > low) {
            eg_real value = (x[i] - low) / (high - low);
            for (uint32_t k = fly->start[i]; k < fly->start[i + 1]; k++) {
                fly->sum[fly->unit[k]] += value;
            }
        }
    }
}

/* The rank-th largest of the sums; `value` is scratch here. */
static eg_real ranked(eg_flymodel *fly, size_t rank)
{
    memcpy(fly->value, fly->sum, fly->shape.units * sizeof *fly->value);
    return eg_select_largest(fly->shape.units, fly->value, rank);
}

static double threshold(eg_flymodel *fly)
{
    size_t units = fly->shape.units;
    double place = (1.0 - fly->shape.active) * (double)(units - 1);
    size_t below = (size_t)place;
    double low = (double)ranked(fly, units - below);
    double high = below + 1 < units ? (double)ranked(fly, units - below - 1) : low;
    return low + (place - (double)below) * (high - low);
}

void eg_flymodel_code(eg_flymodel *fly, const eg_real *x)
{
    expand(fly, x);
    double least = threshold(fly);
    eg_real most = 0;
    fly->count = 0;
    for (size_t j = 0; j < fly->shape.units; j++) {
        eg_real y = fly->sum[j];
        if (y > 0 && (double)y >= least) {
            fly->winner[fly->count] = (uint32_t)j;
            fly->value[fly->count] = y;
            fly->count++;
            most = y > most ? y : most;
        }
    }
    for (size_t k = 0; k < fly->count; k++) {
        fly->value[k] /= most;
    }
}

void eg_flymodel_associate(eg_flymodel *fly, size_t label)
{
    assert(label < fly->shape.classes);
    eg_real rate = (eg_real)fly->shape.rate;
    eg_real *row = fly->weight + label * fly->shape.units;
    fly->seen[label] = 1;
    for (size_t k = 0; k < fly->count; k++) {
        eg_real w = row[fly->winner[k]] + rate * fly->value[k];
        row[fly->winner[k]] = w > 1 ? 1 : w;
    }
}

void eg_flymodel_score(const eg_flymodel *fly, eg_real *scores)
{
    for (size_t c = 0; c < fly->shape.classes; c++) {
        const eg_real *row = fly->weight + c * fly->shape.units;
        eg_real sum = 0;
        for (size_t k = 0; k < fly->count; k++) {
            sum += row[fly->winner[k]] * fly->value[k];
        }
        scores[c] = fly->seen[c] != 0 ? sum : -(eg_real)INFINITY;
    }
}

void eg_flymodel_write(const eg_flymodel *fly, eg_writer *writer)
{
    eg_write_reals(writer, fly->shape.classes * fly->shape.units, fly->weight);
    eg_write_bytes(writer, fly->seen, fly->shape.classes);
}

eg_status eg_flymodel_read(eg_flymodel *fly, eg_reader *reader)
{
    size_t classes = fly->shape.classes;
    EG_TRY(eg_read_reals(reader, classes * fly->shape.units, fly->weight, "associations"));
    const uint8_t *seen = eg_read_bytes(reader, classes);
    EG_TRY(eg_reader_status(reader, false));
    memcpy(fly->seen, seen, classes);
    return eg_ok();
}
