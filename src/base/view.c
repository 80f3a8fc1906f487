/** A component's window on the settings. Asking for what does not exist is a mistake in the
 * program. */
#include "engram/settings.h"

#include "base/settings_memory.h"

#include <assert.h>
#include <string.h>

eg_view eg_settings_root(const eg_settings *settings)
{
    eg_view view = {.settings = settings};
    return view;
}

static eg_view below(const eg_view *view, const char *name)
{
    eg_view inside = {.settings = view->settings};
    size_t outer = strlen(view->prefix);
    size_t length = strlen(name);
    assert(outer + length + 2 <= sizeof inside.prefix);
    memcpy(inside.prefix, view->prefix, outer);
    memcpy(inside.prefix + outer, name, length);
    inside.prefix[outer + length] = '.';
    return inside;
}

eg_view eg_view_inside(const eg_view *view, const char *name)
{
    assert(eg_view_value(view, name)->type == EG_TYPE_COMPONENT);
    return below(view, name);
}

eg_view eg_view_member(const eg_view *view, const char *name, const char *member)
{
    assert(eg_view_value(view, name)->type == EG_TYPE_COMPONENTS);
    eg_view list = below(view, name);
    return below(&list, member);
}

const eg_value *eg_view_value(const eg_view *view, const char *name)
{
    size_t place = eg_settings_place_of(view->settings, view->prefix, name);
    if (place != SIZE_MAX) {
        return &eg_settings_at(view->settings, place)->value;
    }
    assert(false && "no such setting");
    return NULL;
}

static const eg_value *typed(const eg_view *view, const char *name, eg_type type)
{
    const eg_value *value = eg_view_value(view, name);
    assert(value->type == type);
    (void)type;
    return value;
}

bool eg_view_bool(const eg_view *view, const char *name)
{
    return typed(view, name, EG_TYPE_BOOL)->boolean;
}

int64_t eg_view_int(const eg_view *view, const char *name)
{
    return typed(view, name, EG_TYPE_INT)->integer;
}

size_t eg_view_size(const eg_view *view, const char *name)
{
    int64_t value = eg_view_int(view, name);
    assert(value >= 0);
    return (size_t)value;
}

double eg_view_real(const eg_view *view, const char *name)
{
    return typed(view, name, EG_TYPE_REAL)->real;
}

size_t eg_view_name(const eg_view *view, const char *name)
{
    return (size_t)typed(view, name, EG_TYPE_NAME)->integer;
}

const char *eg_view_text(const eg_view *view, const char *name)
{
    return eg_view_value(view, name)->text;
}

const eg_component *eg_view_component(const eg_view *view, const char *name)
{
    return typed(view, name, EG_TYPE_COMPONENT)->component;
}

void eg_view_numbers(const eg_view *view, const eg_component *component, double *out)
{
    for (size_t i = 0; i < component->param_count; i++) {
        const eg_value *value = eg_view_value(view, component->params[i].name);
        out[i] = value->type == EG_TYPE_NAME ? (double)value->integer : value->real;
    }
}
