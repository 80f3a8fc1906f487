/** New members, and those that are frozen; see learner/growing.h. */
#include "learner/growing.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <stdio.h>
#include <string.h>

eg_status eg_growing_init(eg_growing *self, const eg_learner_ops *ops, eg_combination combination,
                          const eg_view *view, const eg_learner_setup *setup, size_t add)
{
    self->view = *view;
    eg_learner_setup_keep(&self->setup, &self->root, setup);
    self->add = add;
    return eg_ensemble_init(&self->ensemble, ops, combination, setup, add);
}

void eg_growing_free(eg_learner *learner)
{
    eg_ensemble_clear((eg_ensemble *)learner);
    eg_free(learner);
}

eg_status eg_growing_make(eg_growing *self, size_t seed, size_t order)
{
    return eg_ensemble_add(&self->ensemble, &self->view, &self->setup,
                           eg_member_seed(self->setup.seed, seed), order);
}

void eg_growing_freeze(eg_growing *self)
{
    eg_ensemble *ensemble = &self->ensemble;
    while (ensemble->first + self->add < ensemble->count) {
        eg_learner_freeze(ensemble->member[ensemble->first++]);
    }
}

void eg_growing_write(const eg_growing *self, eg_writer *writer)
{
    eg_write_u64(writer, self->ensemble.count);
    eg_ensemble_write_ends(&self->ensemble, writer);
    for (size_t m = 0; m < self->ensemble.count; m++) {
        eg_ensemble_write_member(&self->ensemble, m, writer);
    }
}

static eg_status read_members(eg_ensemble *ensemble, size_t m, size_t end, eg_reader *reader)
{
    for (; m < end; m++) {
        EG_TRY(eg_ensemble_read_member(ensemble, m, reader));
    }
    return eg_ok();
}

eg_status eg_growing_read(eg_growing *self, eg_reader *reader, eg_growing_grow grow)
{
    eg_ensemble *ensemble = &self->ensemble;
    uint64_t count = eg_read_u64(reader);
    EG_TRY(eg_ensemble_read_ends(ensemble, reader));
    EG_TRY(eg_reader_status(reader, false));
    if (count < ensemble->count || count % self->add != 0) {
        return eg_fail(EG_INVALID, "saved ensemble: %llu members, expected a multiple of %zu",
                       (unsigned long long)count, self->add);
    }
    while (ensemble->count < count) {
        size_t frozen = ensemble->first;
        EG_TRY(grow(self));
        EG_TRY(read_members(ensemble, frozen, ensemble->first, reader));
    }
    return read_members(ensemble, ensemble->first, ensemble->count, reader);
}

bool eg_growing_has_group(const eg_weights_pass *pass, const char *group)
{
    char prefix[2 * EG_WEIGHTS_NAME_SIZE];
    (void)snprintf(prefix, sizeof prefix, "%s%s/", pass->prefix, group);
    for (size_t i = 0; i < pass->weights->count; i++) {
        if (strncmp(pass->weights->arrays[i].name, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}
