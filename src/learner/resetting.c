/** Rules that reset hidden units; see learner/resetting.h. */
#include "learner/resetting.h"

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

eg_status eg_resetting_check(const eg_view *view)
{
    EG_TRY(eg_learner_check_network_inside(view));
    return eg_unit_reset_check(view);
}

eg_status eg_resetting_open_part(eg_around *self, size_t n, const eg_view *view,
                                 eg_reset_published published)
{
    eg_unit_reset *reset = eg_around_part(self, n);
    EG_TRY(eg_unit_reset_init(reset, view, &self->network[n].at, published));
    if (!has_units(reset)) {
        return eg_fail_setting("", "model", "learner %s: the model has no hidden units to be reset",
                               self->method->name);
    }
    return eg_ok();
}

void eg_resetting_given(eg_around *self, size_t n)
{
    eg_unit_reset_keep_initial(eg_around_part(self, n));
}

bool eg_resetting_replaced(const eg_learner *learner, double *counts)
{
    const eg_around *self = (const eg_around *)learner;
    (void)eg_around_replaced(learner, counts);
    for (size_t n = 0; n < self->network_count; n++) {
        eg_unit_reset_counts(eg_around_part(self, n), counts);
    }
    return true;
}

void eg_resetting_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_around *self = (const eg_around *)learner;
    eg_around_write_parts(learner, writer);
    for (size_t n = 0; n < self->network_count; n++) {
        eg_unit_reset_write(eg_around_part(self, n), writer);
    }
    eg_around_write_counts(learner, writer);
    eg_around_write_inside(learner, writer);
}

eg_status eg_resetting_read(eg_learner *learner, eg_reader *reader)
{
    const eg_around *self = (const eg_around *)learner;
    EG_TRY(eg_around_read_parts(learner, reader));
    for (size_t n = 0; n < self->network_count; n++) {
        EG_TRY(eg_unit_reset_read(eg_around_part(self, n), reader));
    }
    EG_TRY(eg_around_read_counts(learner, reader));
    return eg_around_read_inside(learner, reader);
}
