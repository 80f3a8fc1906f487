/** Named arrays, out of learners and into them; see engram/weights.h. */
#include "engram/weights.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void eg_weights_clear(eg_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        eg_free(weights->arrays[i].values);
    }
    eg_free(weights->arrays);
    eg_free(weights->room);
    *weights = (eg_weights){0};
}

eg_weights_array *eg_weights_find(const eg_weights *weights, const char *name)
{
    for (size_t i = 0; i < weights->count; i++) {
        if (strcmp(weights->arrays[i].name, name) == 0) {
            return &weights->arrays[i];
        }
    }
    return NULL;
}

/** The product of the extents; false if it is 0 or too large to be allocated. */
static bool count_of(size_t rank, const size_t *extent, size_t *count)
{
    *count = 1;
    for (size_t i = 0; i < rank; i++) {
        if (extent[i] == 0 || *count > SIZE_MAX / sizeof(double) / extent[i]) {
            return false;
        }
        *count *= extent[i];
    }
    return rank >= 1 && rank <= EG_WEIGHTS_RANK_MAX;
}

eg_status eg_weights_add(eg_weights *weights, eg_weights_array **out, const char *name,
                         const char *role, bool wide, size_t rank, const size_t *extent)
{
    eg_weights_array array = {.wide = wide, .rank = rank};
    size_t length = strlen(name);
    if (length == 0 || length >= sizeof array.name || strlen(role) >= sizeof array.role ||
        !count_of(rank, extent, &array.count)) {
        return eg_fail(EG_INVALID, "%.100s: no array of weights can be like that", name);
    }
    if (eg_weights_find(weights, name) != NULL) {
        return eg_fail(EG_INVALID, "%s: there are two of that name", name);
    }
    (void)strcpy(array.name, name);
    (void)strcpy(array.role, role);
    memcpy(array.extent, extent, rank * sizeof *extent);
    EG_TRY(
        eg_grow(&weights->arrays, &weights->capacity, weights->count + 1, sizeof *weights->arrays));
    EG_TRY(eg_alloc(&array.values, array.count, sizeof *array.values));
    weights->arrays[weights->count] = array;
    *out = &weights->arrays[weights->count++];
    return eg_ok();
}

eg_status eg_weights_hash(uint64_t *out, const eg_weights *weights)
{
    eg_writer writer = {0};
    for (size_t i = 0; i < weights->count; i++) {
        const eg_weights_array *array = &weights->arrays[i];
        eg_write_text(&writer, array->name);
        for (size_t k = 0; k < array->rank; k++) {
            eg_write_u64(&writer, array->extent[k]);
        }
        eg_write_bytes(&writer, array->values, array->count * sizeof *array->values);
    }
    eg_status status = eg_writer_status(&writer);
    *out = status.code == EG_OK ? eg_hash64(writer.data, writer.size) : 0;
    eg_writer_clear(&writer);
    return status;
}

size_t eg_weights_parameters(const eg_weights *weights)
{
    size_t count = 0;
    for (size_t i = 0; i < weights->count; i++) {
        count += strcmp(weights->arrays[i].role, "buffer") == 0 ? 0 : weights->arrays[i].count;
    }
    return count;
}

/** --- Passes ---------------------------------------------------------------------------------- */

typedef struct shape_text {
    char text[96];
} shape_text;

static shape_text show_shape(size_t rank, const size_t *extent)
{
    shape_text out = {""};
    size_t used = 0;
    for (size_t i = 0; i < rank && used < sizeof out.text; i++) {
        used += (size_t)snprintf(out.text + used, sizeof out.text - used, "%s%zu",
                                 i == 0 ? "" : " x ", extent[i]);
    }
    return out;
}

/* The array of this name, which is to have this shape. */
static eg_status find_fitting(const eg_weights_pass *pass, eg_weights_array **out, const char *name,
                              size_t rank, const size_t *extent)
{
    eg_weights_array *array = eg_weights_find(pass->weights, name);
    if (array == NULL) {
        return eg_fail(EG_INVALID, "there is no %s, which is to be %s", name,
                       show_shape(rank, extent).text);
    }
    if (array->rank != rank || memcmp(array->extent, extent, rank * sizeof *extent) != 0) {
        return eg_fail(EG_INVALID, "%s is %s; expected %s", name,
                       show_shape(array->rank, array->extent).text, show_shape(rank, extent).text);
    }
    array->used = true;
    *out = array;
    return eg_ok();
}

/* The array that a pass is about to copy out or in. */
static eg_status array_of(eg_weights_pass *pass, eg_weights_array **out, const char *name,
                          const char *role, bool wide, size_t rank, const size_t *extent)
{
    bool there = pass->again && eg_weights_find(pass->weights, name) != NULL;
    return pass->into_learner || there
               ? find_fitting(pass, out, name, rank, extent)
               : eg_weights_add(pass->weights, out, name, role, wide, rank, extent);
}

static eg_status not_finite(const char *name, size_t at)
{
    return eg_fail(EG_INVALID, "%s: value %zu (from 0, row by row) is not finite", name, at);
}

static eg_status full_name(const eg_weights_pass *pass, const char *name, char *full)
{
    int length = snprintf(full, EG_WEIGHTS_NAME_SIZE, "%s%s", pass->prefix, name);
    if (length < 0 || length >= EG_WEIGHTS_NAME_SIZE) {
        return eg_fail(EG_INVALID, "weights: the name %s%s is too long", pass->prefix, name);
    }
    return eg_ok();
}

bool eg_weights_has(const eg_weights_pass *pass, const char *name)
{
    char full[EG_WEIGHTS_NAME_SIZE];
    eg_status status = full_name(pass, name, full);
    return eg_is_ok(&status) && eg_weights_find(pass->weights, full) != NULL;
}

eg_status eg_weights_room(eg_weights_pass *pass, eg_real **out, size_t count)
{
    eg_weights *weights = pass->weights;
    EG_TRY(eg_grow(&weights->room, &weights->room_size, count, sizeof *weights->room));
    *out = weights->room;
    return eg_ok();
}

eg_status eg_weights_reals(eg_weights_pass *pass, const char *inner, const char *role, size_t rank,
                           const size_t *extent, eg_real *values)
{
    char name[EG_WEIGHTS_NAME_SIZE];
    EG_TRY(full_name(pass, inner, name));
    eg_weights_array *array = NULL;
    EG_TRY(array_of(pass, &array, name, role, sizeof *values == sizeof(double), rank, extent));
    assert(array != NULL);
    if (!pass->into_learner) {
        for (size_t i = 0; i < array->count; i++) {
            array->values[i] = (double)values[i];
        }
        return eg_ok();
    }
    for (size_t i = 0; i < array->count; i++) {
        values[i] = (eg_real)array->values[i];
        if (!isfinite(values[i])) {
            return not_finite(name, i);
        }
    }
    return eg_ok();
}

eg_status eg_weights_doubles(eg_weights_pass *pass, const char *inner, const char *role,
                             size_t rank, const size_t *extent, double *values)
{
    char name[EG_WEIGHTS_NAME_SIZE];
    EG_TRY(full_name(pass, inner, name));
    eg_weights_array *array = NULL;
    EG_TRY(array_of(pass, &array, name, role, true, rank, extent));
    assert(array != NULL);
    if (!pass->into_learner) {
        memcpy(array->values, values, array->count * sizeof *values);
        return eg_ok();
    }
    for (size_t i = 0; i < array->count; i++) {
        if (!isfinite(array->values[i])) {
            return not_finite(name, i);
        }
    }
    memcpy(values, array->values, array->count * sizeof *values);
    return eg_ok();
}
