/** The arrays that additive parameter decomposition predicts with. Of task 3, with a trunk layer
 *  layer1 and a head output:
 *
 *      shared/layer1.weight            sigma                      [units, fan-in]
 *      task003/layer1.weight           tau, all of it             [units, fan-in]
 *      task003/layer1.weight.mask      v                          [units]
 *      task003/layer1.weight.group     number of its group, -1: none
 *      task003/layer1.bias, task003/output.weight, …              its own; of its outputs alone
 *      task003/outputs                 which these are
 *      groups/0/layer1.weight          sigma_g of group 0         [units, fan-in]
 *      arrived                         tasks that have arrived
 *
 *  A task whose group is not there was forgotten, if it has arrived. Predictions leave out of tau
 *  and sigma_g what is not above lambda1. */
#include "learner/apd.h"

#include "engram/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static eg_status name_array(char out[EG_WEIGHTS_NAME_SIZE], const char *group, const char *name,
                            const char *what)
{
    int length = snprintf(out, EG_WEIGHTS_NAME_SIZE, "%s/%s%s", group, name, what);
    return length > 0 && length < EG_WEIGHTS_NAME_SIZE
               ? eg_ok()
               : eg_fail(EG_INVALID, "%.60s/%.60s%s: the name is too long", group, name, what);
}

static void name_task(char out[EG_WEIGHTS_NAME_SIZE], size_t task)
{
    (void)snprintf(out, EG_WEIGHTS_NAME_SIZE, "task%03zu", task);
}

/* Row by row, between `values` [units, fan-in] and a block that begins at `inside`. */
static void copy_rows(const eg_parameter_block *block, bool out_of, eg_real *inside,
                      eg_real *values)
{
    for (size_t u = 0; u < block->units; u++) {
        eg_real *first =
            inside + u / block->lanes * block->lanes * block->fan_in + u % block->lanes;
        for (size_t i = 0; i < block->fan_in; i++) {
            eg_real *value = values + u * block->fan_in + i;
            eg_real *place = first + i * block->lanes;
            *(out_of ? value : place) = *(out_of ? place : value);
        }
    }
}

static eg_status pass_block(eg_weights_pass *pass, const char *group,
                            const eg_parameter_block *block, eg_real *inside)
{
    const size_t extent[] = {block->units, block->fan_in};
    char name[EG_WEIGHTS_NAME_SIZE];
    eg_real *values = NULL;
    EG_TRY(name_array(name, group, block->name, ""));
    EG_TRY(eg_alloc(&values, block->units * block->fan_in, sizeof *values));
    copy_rows(block, true, inside, values);
    eg_status status = eg_weights_reals(pass, name, eg_role_names[block->role],
                                        block->role == EG_ROLE_WEIGHT ? 2 : 1, extent, values);
    if (status.code == EG_OK && pass->into_learner) {
        copy_rows(block, false, inside, values);
    }
    eg_free(values);
    return status;
}

/* A block of the head: rows of active outputs, one after the other in `own`. */
static eg_status pass_head(eg_weights_pass *pass, const char *group,
                           const eg_parameter_block *block, size_t outputs, eg_real *own)
{
    const size_t extent[] = {outputs, block->fan_in};
    char name[EG_WEIGHTS_NAME_SIZE];
    EG_TRY(name_array(name, group, block->name, ""));
    return eg_weights_reals(pass, name, eg_role_names[block->role],
                            block->role == EG_ROLE_WEIGHT ? 2 : 1, extent, own);
}

static eg_status pass_outputs(eg_weights_pass *pass, const char *group, const eg_active *active,
                              size_t outputs)
{
    double *numbers = NULL;
    char name[EG_WEIGHTS_NAME_SIZE];
    EG_TRY(name_array(name, group, "outputs", ""));
    EG_TRY(eg_alloc(&numbers, outputs, sizeof *numbers));
    for (size_t c = 0; c < outputs; c++) {
        numbers[c] = active != NULL ? active->output[c] : (double)c;
    }
    eg_status status = eg_weights_doubles(pass, name, "buffer", 1, &outputs, numbers);
    for (size_t c = 0; status.code == EG_OK && c < outputs; c++) {
        double expected = active != NULL ? active->output[c] : (double)c;
        if (numbers[c] != expected) {
            status = eg_fail(EG_INVALID, "%s: output %zu (from 0) is %g, here it is %g", name, c,
                             numbers[c], expected);
        }
    }
    eg_free(numbers);
    return status;
}

static eg_status pass_own(eg_apd *self, eg_weights_pass *pass, size_t task, const char *group)
{
    const eg_active *active = eg_apd_active(self, task);
    size_t outputs = active != NULL ? active->count : self->base.net->outputs;
    eg_real *own = eg_apd_own_of(self, task);
    for (size_t k = 0; k < self->layout.own_count; k++) {
        const eg_parameter_block *block = self->layout.owns[k].block;
        if (self->layout.owns[k].head) {
            EG_TRY(pass_head(pass, group, block, outputs, own));
            own += outputs * block->fan_in;
        } else {
            EG_TRY(pass_block(pass, group, block, own));
            own += block->count;
        }
    }
    return pass_outputs(pass, group, active, outputs);
}

static eg_status pass_group(eg_apd *self, eg_weights_pass *pass, size_t task, const char *group,
                            size_t part)
{
    static const size_t one = 1;
    size_t *of = &self->task[task].group[part];
    double number = *of == EG_APD_NONE ? -1 : (double)*of;
    char name[EG_WEIGHTS_NAME_SIZE];
    EG_TRY(name_array(name, group, self->layout.parts[part].block->name, ".group"));
    EG_TRY(eg_weights_doubles(pass, name, "buffer", 1, &one, &number));
    if (pass->into_learner) {
        if (number != floor(number) || number < -1 || number >= (double)self->phases) {
            return eg_fail(EG_INVALID, "%s is %g; expected a group, or -1", name, number);
        }
        *of = number < 0 ? EG_APD_NONE : (size_t)number;
    }
    return eg_ok();
}

/* tau and v of a task, in a plane. */
static eg_status pass_plane(eg_apd *self, eg_weights_pass *pass, size_t task, const char *group,
                            eg_real *plane)
{
    for (size_t p = 0; p < self->layout.part_count; p++) {
        const eg_apd_part *part = &self->layout.parts[p];
        char name[EG_WEIGHTS_NAME_SIZE];
        EG_TRY(pass_block(pass, group, part->block, plane + part->at));
        EG_TRY(pass_group(self, pass, task, group, p));
        EG_TRY(name_array(name, group, part->block->name, ".mask"));
        if (self->task[task].masked) {
            EG_TRY(eg_weights_reals(pass, name, eg_role_names[EG_ROLE_SCALE], 1,
                                    &part->block->units,
                                    plane + self->layout.weights + part->unit));
        }
    }
    return eg_ok();
}

/* A task that is not in a plane is put into one of its own, and from it. */
static eg_status pass_stored(eg_apd *self, eg_weights_pass *pass, size_t task, const char *group)
{
    const eg_apd_layout *layout = &self->layout;
    eg_apd_task *of = &self->task[task];
    eg_real *plane = NULL;
    EG_TRY(eg_alloc(&plane, layout->plane, sizeof *plane));
    if (of->tau.count > 0) {
        const eg_real *tau = eg_apd_store_get(&of->tau, 0, layout->weights, plane);
        memmove(plane, tau, layout->weights * sizeof *plane);
        memcpy(plane + layout->weights, of->mask, layout->units * sizeof *plane);
    }
    eg_status status = pass_plane(self, pass, task, group, plane);
    if (status.code == EG_OK && pass->into_learner) {
        status = eg_apd_put_aside(self, task, plane);
    }
    eg_free(plane);
    return status;
}

static eg_status pass_task(eg_apd *self, eg_weights_pass *pass, size_t task)
{
    char group[EG_WEIGHTS_NAME_SIZE];
    size_t plane = self->task[task].plane;
    name_task(group, task);
    EG_TRY(plane != EG_APD_NONE ? pass_plane(self, pass, task, group, eg_apd_plane(self, plane))
                                : pass_stored(self, pass, task, group));
    return pass_own(self, pass, task, group);
}

static eg_status pass_groups(eg_apd *self, eg_weights_pass *pass, size_t part)
{
    const eg_parameter_block *block = self->layout.parts[part].block;
    for (size_t g = 0; g < self->phases; g++) {
        eg_real **shared = &self->groups[part].shared[g];
        char group[EG_WEIGHTS_NAME_SIZE];
        char name[EG_WEIGHTS_NAME_SIZE];
        (void)snprintf(group, sizeof group, "groups/%zu", g);
        EG_TRY(name_array(name, group, block->name, ""));
        bool there = pass->into_learner ? eg_weights_has(pass, name) : *shared != NULL;
        if (there && *shared == NULL) {
            EG_TRY(eg_alloc(shared, block->count, sizeof **shared));
        }
        if (!there) {
            eg_free(*shared);
            *shared = NULL;
        }
        EG_TRY(there ? pass_block(pass, group, block, *shared) : eg_ok());
    }
    return eg_ok();
}

/* --- Which tasks there are. --- */

static bool has_task(const eg_apd *self, const eg_weights_pass *pass, size_t task)
{
    char group[EG_WEIGHTS_NAME_SIZE];
    char name[EG_WEIGHTS_NAME_SIZE];
    name_task(group, task);
    (void)snprintf(name, sizeof name, "%.20s/%.90s", group, self->layout.parts[0].block->name);
    return eg_weights_has(pass, name);
}

static bool has_mask(const eg_apd *self, const eg_weights_pass *pass, size_t task)
{
    char name[EG_WEIGHTS_NAME_SIZE];
    (void)snprintf(name, sizeof name, "task%03zu/%.80s.mask", task,
                   self->layout.parts[0].block->name);
    return eg_weights_has(pass, name);
}

static eg_status pass_arrived(eg_apd *self, eg_weights_pass *pass)
{
    static const size_t one = 1;
    double arrived = (double)self->learned;
    /* Other programs may leave it out. */
    if (!pass->into_learner || eg_weights_has(pass, "arrived")) {
        EG_TRY(eg_weights_doubles(pass, "arrived", "buffer", 1, &one, &arrived));
    }
    if (arrived != floor(arrived) || arrived < 0 || arrived > (double)self->phases) {
        return eg_fail(EG_INVALID, "arrived is %g; expected a number of tasks, at most %zu",
                       arrived, self->phases);
    }
    self->learned = (size_t)arrived;
    return eg_ok();
}

/* Makes place for the tasks that come, and drops those that do not. */
static eg_status admit(eg_apd *self, const eg_weights_pass *pass)
{
    for (size_t t = 0; t < self->phases; t++) {
        bool there = has_task(self, pass, t);
        eg_apd_task *of = &self->task[t];
        if (there != of->known && self->learning && (there || t == self->current)) {
            return eg_fail(EG_INVALID, "task %zu (from 0) %s, and task %zu is being learned", t,
                           there ? "is new" : "is missing", self->current);
        }
        if (of->known && !there) {
            EG_TRY(eg_apd_forget(self, t));
        }
        if (there && !of->known) {
            EG_TRY(eg_apd_admit(self, t, has_mask(self, pass, t)));
        }
        self->learned = there && t + 1 > self->learned ? t + 1 : self->learned;
    }
    return eg_ok();
}

eg_status eg_apd_weights(eg_learner *learner, eg_weights_pass *pass)
{
    eg_apd *self = (eg_apd *)learner;
    const eg_apd_layout *layout = &self->layout;
    self->shown = pass->into_learner ? EG_APD_NONE : self->shown;
    EG_TRY(pass_arrived(self, pass));
    EG_TRY(pass->into_learner ? admit(self, pass) : eg_ok());
    for (size_t p = 0; p < layout->part_count; p++) {
        EG_TRY(pass_block(pass, "shared", layout->parts[p].block, self->all + layout->parts[p].at));
        EG_TRY(pass_groups(self, pass, p));
    }
    for (size_t t = 0; t < self->phases; t++) {
        EG_TRY(self->task[t].known ? pass_task(self, pass, t) : eg_ok());
    }
    return eg_ok();
}
