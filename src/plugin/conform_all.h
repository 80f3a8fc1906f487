/** The whole suite for one real type; included by conform_float.c and conform_double.c. */
#ifndef PLUGIN_CONFORM_ALL_H
#define PLUGIN_CONFORM_ALL_H

#include "plugin/conform_activation.h"
#include "plugin/conform_optimizer.h"

static void conform_begin(eg_conform_place *place, const char *kind, const eg_component *component)
{
    (void)snprintf(place->component, sizeof place->component, "%s %s", kind, component->name);
    place->doing[0] = '\0';
}

static eg_status conform_all(const eg_plugin *plugin, eg_conform_place *place)
{
    for (size_t i = 0; i < plugin->activation_count; i++) {
        const eg_activation *a = plugin->activations[i];
        conform_begin(place, "activation", &a->component);
        EG_TRY(eg_status_wrap(conform_activation(a, place), "activation %s", a->component.name));
    }
    for (size_t i = 0; i < plugin->optimizer_count; i++) {
        const eg_optimizer_kind *o = plugin->optimizers[i];
        conform_begin(place, "optimizer", &o->component);
        EG_TRY(eg_status_wrap(conform_optimizer(o, place), "optimizer %s", o->component.name));
    }
    for (size_t i = 0; i < plugin->schedule_count; i++) {
        const eg_schedule *s = plugin->schedules[i];
        conform_begin(place, "schedule", &s->component);
        EG_TRY(eg_status_wrap(conform_schedule(s, place), "schedule %s", s->component.name));
    }
    return eg_ok();
}

#endif
