/** What additive parameter decomposition stores, and what tasks share. Numbers of tau and sigma_g
 *  count if they are above lambda1: those that are tested with. */
#include "learner/apd.h"

#include "learner/capacity.h"

#include <math.h>

enum { PROGRAM, SPARSITY, GROUP };

static const eg_variable variables[] = {
    [PROGRAM] = {.name = "capacity_program",
                 .dims = {"eval"},
                 .unit = "%",
                 .doc = "capacity as the authors' program prints it, for comparison only: heads "
                        "and biases of the current task alone, against one network with weights "
                        "of the heads of all tasks but one; right after a consolidation also what "
                        "it replaced"},
    [SPARSITY] = {.name = "tau_sparsity",
                  .dims = {"eval", "task"},
                  .unit = "1",
                  .doc = "share of the task's own weights that are at most lambda1"},
    [GROUP] = {.name = "task_group",
               .dims = {"eval", "task", "trunk_layer"},
               .unit = "1",
               .doc = "number of the group that the task shares weights with in every layer with "
                      "weights before the head; -1: it is in none"},
};

const eg_variable *const eg_apd_variables[] = {&variables[PROGRAM], &variables[SPARSITY],
                                               &variables[GROUP], NULL};

static size_t count_above(size_t n, const eg_real *x, double threshold)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += fabs((double)x[i]) > threshold ? 1 : 0;
    }
    return count;
}

static double tau_kept(const eg_apd *self, size_t task)
{
    eg_real room[EG_APD_CHUNK];
    size_t kept = 0;
    size_t weights = self->layout.weights;
    for (size_t at = 0; at < weights; at += EG_APD_CHUNK) {
        size_t n = weights - at < EG_APD_CHUNK ? weights - at : EG_APD_CHUNK;
        kept += count_above(n, eg_apd_tau(self, task, at, n, room), self->settings.lambda1);
    }
    return (double)kept;
}

static bool has_members(const eg_apd *self, size_t part, size_t group)
{
    bool has = false;
    for (size_t t = 0; t < self->phases && !has; t++) {
        has = self->task[t].known && self->task[t].group[part] == group;
    }
    return has;
}

double eg_apd_shared_kept(const eg_apd *self)
{
    size_t kept = 0;
    for (size_t p = 0; p < self->layout.part_count; p++) {
        size_t count = self->layout.parts[p].block->count;
        for (size_t g = 0; g < self->phases; g++) {
            const eg_real *shared = self->groups[p].shared[g];
            kept += shared != NULL && has_members(self, p, g)
                        ? count_above(count, shared, self->settings.lambda1)
                        : 0;
        }
    }
    return (double)kept;
}

/* Masks in the trunk. */
static double mask_count(const eg_apd *self)
{
    size_t count = 0;
    for (size_t p = 0; p < self->layout.part_count; p++) {
        count += self->layout.parts[p].block->units;
    }
    return (double)count;
}

/* Biases, scales, shifts and head of a task, without padding. */
static double own_count(const eg_apd *self, size_t task)
{
    const eg_active *active = eg_apd_active(self, task);
    size_t count = 0;
    for (size_t k = 0; k < self->layout.own_count; k++) {
        const eg_parameter_block *block = self->layout.owns[k].block;
        bool part = self->layout.owns[k].head && active != NULL;
        count += (part ? active->count : block->units) * block->fan_in;
    }
    return (double)count;
}

bool eg_apd_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    const eg_apd *self = (const eg_apd *)learner;
    double sigma = (double)eg_trunk_size(self->base.net, EG_ROLE_WEIGHT);
    *out = (eg_learner_capacity){.stored = sigma + eg_apd_shared_kept(self), .base = sigma};
    for (size_t t = 0; t < learned && t < self->phases; t++) {
        if (self->task[t].known) {
            double own = own_count(self, t);
            out->base += own;
            out->stored += own + tau_kept(self, t);
            out->stored += self->task[t].masked ? mask_count(self) : 0;
        }
    }
    return true;
}

static double program_capacity(const eg_apd *self)
{
    double sigma = (double)eg_trunk_size(self->base.net, EG_ROLE_WEIGHT);
    double stored = sigma + eg_apd_shared_kept(self) + self->deleted;
    double base = sigma;
    for (size_t t = 0; t < self->phases; t++) {
        if (self->task[t].known) {
            stored += tau_kept(self, t) + (self->task[t].masked ? mask_count(self) : 0);
        }
    }
    for (size_t k = 0; k < self->layout.own_count; k++) {
        const eg_apd_own *own = &self->layout.owns[k];
        const eg_active *active = eg_apd_active(self, 0);
        size_t outputs = active != NULL ? active->count : own->block->units;
        size_t heads = own->head && own->block->role == EG_ROLE_WEIGHT ? self->phases - 1 : 0;
        base += (double)(heads * outputs * own->block->fan_in);
    }
    stored += self->current != EG_APD_NONE ? own_count(self, self->current) : 0;
    return 100 * stored / base;
}

eg_status eg_apd_declare(eg_learner *learner, eg_record *record, size_t evals)
{
    const eg_apd *self = (const eg_apd *)learner;
    const size_t extent[EG_RANK_MAX] = {evals, self->phases, self->layout.part_count};
    eg_array *array = NULL;
    EG_TRY(eg_record_declare(record, &variables[PROGRAM], extent, &array));
    EG_TRY(eg_record_declare(record, &variables[SPARSITY], extent, &array));
    return eg_record_declare(record, &variables[GROUP], extent, &array);
}

eg_status eg_apd_measure(eg_learner *learner, eg_record *record, size_t eval)
{
    const eg_apd *self = (const eg_apd *)learner;
    double weights = (double)eg_trunk_size(self->base.net, EG_ROLE_WEIGHT);
    size_t parts = self->layout.part_count;
    double *sparsity = eg_record_find(record, variables[SPARSITY].name)->data + eval * self->phases;
    double *group =
        eg_record_find(record, variables[GROUP].name)->data + eval * self->phases * parts;
    eg_record_find(record, variables[PROGRAM].name)->data[eval] = program_capacity(self);
    for (size_t t = 0; t < self->phases; t++) {
        if (!self->task[t].known) {
            continue;
        }
        sparsity[t] = 1 - tau_kept(self, t) / weights;
        for (size_t p = 0; p < parts; p++) {
            size_t of = self->task[t].group[p];
            group[t * parts + p] = of == EG_APD_NONE ? -1 : (double)of;
        }
    }
    return eg_ok();
}
