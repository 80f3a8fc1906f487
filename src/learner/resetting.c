/** Rules that reset hidden units; see learner/resetting.h. */
#include "learner/resetting.h"

#include "engram/memory.h"
#include "engram/units.h"

static bool has_units(const eg_unit_reset *reset)
{
    for (size_t h = 0; h < reset->at.net->hidden_count; h++) {
        if (eg_unit_reset_takes(reset, h)) {
            return true;
        }
    }
    return false;
}

eg_status eg_resetting_init(eg_resetting *self, const eg_learner_ops *ops, const eg_view *view,
                            const eg_learner_setup *setup, const char *name,
                            eg_reset_published published)
{
    eg_around *around = &self->around;
    self->profile = setup->profile;
    EG_TRY(eg_around_init(around, ops, view, setup, name));
    EG_TRY(eg_alloc(&self->reset, around->network_count, sizeof *self->reset));
    for (size_t n = 0; n < around->network_count; n++) {
        EG_TRY(eg_unit_reset_init(&self->reset[n], view, &around->network[n].at, published));
        if (!has_units(&self->reset[n])) {
            return eg_fail_setting("", "model",
                                   "learner %s: the model has no hidden units to be reset", name);
        }
    }
    return eg_ok();
}

void eg_resetting_clear(eg_resetting *self)
{
    for (size_t n = 0; self->reset != NULL && n < self->around.network_count; n++) {
        eg_unit_reset_clear(&self->reset[n]);
    }
    eg_free(self->reset);
    eg_around_clear(&self->around);
}

eg_status eg_resetting_check(const eg_view *view)
{
    EG_TRY(eg_learner_check_network_inside(view));
    return eg_unit_reset_check(view);
}

bool eg_resetting_replaced(const eg_learner *learner, double *counts)
{
    const eg_resetting *self = (const eg_resetting *)learner;
    (void)eg_around_replaced(learner, counts);
    for (size_t n = 0; n < self->around.network_count; n++) {
        eg_unit_reset_counts(&self->reset[n], counts);
    }
    return true;
}

eg_status eg_resetting_weights(eg_learner *learner, eg_weights_pass *pass)
{
    eg_resetting *self = (eg_resetting *)learner;
    EG_TRY(eg_around_weights(learner, pass));
    for (size_t n = 0; pass->into_learner && n < self->around.network_count; n++) {
        eg_unit_reset_keep_initial(&self->reset[n]);
    }
    return eg_ok();
}

void eg_resetting_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_resetting *self = (const eg_resetting *)learner;
    for (size_t n = 0; n < self->around.network_count; n++) {
        eg_unit_reset_write(&self->reset[n], writer);
    }
    eg_around_write_counts(learner, writer);
}

eg_status eg_resetting_read(eg_learner *learner, eg_reader *reader)
{
    eg_resetting *self = (eg_resetting *)learner;
    for (size_t n = 0; n < self->around.network_count; n++) {
        EG_TRY(eg_unit_reset_read(&self->reset[n], reader));
    }
    return eg_around_read_counts(learner, reader);
}
