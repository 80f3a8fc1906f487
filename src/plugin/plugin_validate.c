/** Whether the descriptors of a plug-in are complete and within bounds; see plugin/plugin_read.h.
 *  What is built in is held to the same by tests and assertions. */
#include "plugin/plugin_read.h"

#include "engram/settings.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

enum { WORD_MAX = 40, LINE_MAX_BYTES = 400 };

static bool is_word(const char *text)
{
    size_t length = text == NULL ? 0 : strnlen(text, WORD_MAX + 1);
    return length > 0 && length <= WORD_MAX && text[0] >= 'a' && text[0] <= 'z' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static bool is_line(const char *text)
{
    return text != NULL && text[0] != '\0' && strnlen(text, LINE_MAX_BYTES + 1) <= LINE_MAX_BYTES &&
           strpbrk(text, "\r\n\t") == NULL;
}

/** What the kernels can be given as a number. */
static bool is_numeric(eg_type type)
{
    return type == EG_TYPE_BOOL || type == EG_TYPE_INT || type == EG_TYPE_REAL ||
           type == EG_TYPE_NAME;
}

static eg_status number_of(double *out, const eg_param *param)
{
    eg_value value;
    eg_status status = eg_value_parse(&value, param, eg_trial_schema(), param->default_text);
    if (status.code == EG_OK) {
        *out = param->type == EG_TYPE_NAME ? (double)value.integer : value.real;
        eg_value_clear(&value);
    }
    return status;
}

eg_status eg_plugin_defaults(double *out, const eg_component *component)
{
    for (size_t i = 0; i < component->param_count; i++) {
        EG_TRY(number_of(&out[i], &component->params[i]));
    }
    return eg_ok();
}

static eg_status validate_param(const eg_param *param)
{
    double value = 0;
    if (!is_word(param->name)) {
        return eg_fail(EG_INVALID, "a parameter's name must be a word of a-z, 0-9 and _");
    }
    if (!is_numeric(param->type)) {
        return eg_fail(
            EG_INVALID,
            "parameter %s: its type must be BOOL, INT, REAL or NAME: kernels get numbers",
            param->name);
    }
    if (!is_line(param->doc)) {
        return eg_fail(EG_INVALID, "parameter %s: doc must be one line of text", param->name);
    }
    if ((param->type == EG_TYPE_NAME) != (param->names != NULL)) {
        return eg_fail(EG_INVALID, "parameter %s: names go with the type NAME and no other",
                       param->name);
    }
    if (isnan(param->min) || isnan(param->max) || param->min > param->max) {
        return eg_fail(EG_INVALID, "parameter %s: min must not be above max", param->name);
    }
    if (param->default_text == NULL) {
        return eg_fail(EG_INVALID, "parameter %s has no default_text", param->name);
    }
    if (param->by_content || param->keeps_results || param->family != NULL) {
        return eg_fail(EG_INVALID,
                       "parameter %s: by_content, keeps_results and family are not for "
                       "plug-ins",
                       param->name);
    }
    return eg_status_wrap(number_of(&value, param), "default of a parameter");
}

static bool is_common(const eg_family *family, const char *name)
{
    for (size_t i = 0; i < family->common_count; i++) {
        if (strcmp(family->common[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static eg_status validate_params(const eg_component *component, const eg_family *family,
                                 size_t most)
{
    if (component->param_count > most) {
        return eg_fail(EG_INVALID, "%zu parameters are more than %zu", component->param_count,
                       most);
    }
    if (component->param_count > 0 && component->params == NULL) {
        return eg_fail(EG_INVALID, "params is missing");
    }
    for (size_t i = 0; i < component->param_count; i++) {
        EG_TRY(validate_param(&component->params[i]));
        if (is_common(family, component->params[i].name)) {
            return eg_fail(EG_INVALID, "parameter %s: every %s has one of this name",
                           component->params[i].name, family->name);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(component->params[i].name, component->params[k].name) == 0) {
                return eg_fail(EG_INVALID, "parameter %s is there twice",
                               component->params[i].name);
            }
        }
    }
    return eg_ok();
}

static eg_status validate_activation(const eg_activation *a)
{
    if (a->forward == NULL || a->backward == NULL) {
        return eg_fail(EG_INVALID, "%s is missing", a->forward == NULL ? "forward" : "backward");
    }
    if (a->aux_count > EG_ACTIVATION_AUX_MAX) {
        return eg_fail(EG_INVALID, "aux_count = %zu is more than %d", a->aux_count,
                       EG_ACTIVATION_AUX_MAX);
    }
    if (a->parts > 8) {
        return eg_fail(EG_INVALID, "parts = %zu is more than 8", a->parts);
    }
    if (isnan(a->low) || isnan(a->high) || a->low > a->high) {
        return eg_fail(EG_INVALID, "low must not be above high");
    }
    return eg_ok();
}

static eg_status validate_optimizer(const eg_optimizer_kind *o)
{
    if (o->update == NULL) {
        return eg_fail(EG_INVALID, "update is missing");
    }
    if (o->slots > EG_OPTIMIZER_SLOTS_MAX) {
        return eg_fail(EG_INVALID, "slots = %zu is more than %d", o->slots, EG_OPTIMIZER_SLOTS_MAX);
    }
    /* Rules that go by whole blocks or count updates of each parameter have the optimizer's memory
     * behind them, which a check of the rule alone cannot stand in for. */
    if (o->gather != NULL || o->draws != NULL || o->counts_each != NULL || o->correction != NULL) {
        return eg_fail(EG_INVALID,
                       "gather, draws, counts_each and correction are not for plug-ins");
    }
    return eg_ok();
}

static eg_status validate_schedule(const eg_schedule *s)
{
    return s->rate != NULL ? eg_ok() : eg_fail(EG_INVALID, "rate is missing");
}

/* One kind of components: an array of pointers to structures that begin with an eg_component. */
typedef struct kind {
    const char *family;
    const void *const *items;
    size_t count, params_max;
} kind;

static eg_status validate_item(const kind *of, size_t index)
{
    const void *item = of->items[index];
    const eg_family *family = eg_schema_family(eg_trial_schema(), of->family);
    if (item == NULL) {
        return eg_fail(EG_INVALID, "it is NULL");
    }
    const eg_component *component = item;
    if (!is_word(component->name)) {
        return eg_fail(EG_INVALID, "its name must be a word of a-z, 0-9 and _");
    }
    if (!is_line(component->doc) || (component->source != NULL && !is_line(component->source))) {
        return eg_fail(EG_INVALID, "doc must be one line of text, and source one or NULL");
    }
    if (component->alias != NULL) {
        return eg_fail(EG_INVALID, "alias is not for plug-ins");
    }
    for (size_t k = 0; k < index; k++) {
        const eg_component *before = of->items[k];
        if (strcmp(before->name, component->name) == 0) {
            return eg_fail(EG_INVALID, "the plug-in has the name twice");
        }
    }
    EG_TRY(validate_params(component, family, of->params_max));
    return strcmp(of->family, "activation") == 0  ? validate_activation(item)
           : strcmp(of->family, "optimizer") == 0 ? validate_optimizer(item)
                                                  : validate_schedule(item);
}

static eg_status validate_kind(const kind *of)
{
    if (of->count > EG_PLUGIN_COMPONENTS_MAX) {
        return eg_fail(EG_INVALID, "%zu components of kind %s are more than %d", of->count,
                       of->family, EG_PLUGIN_COMPONENTS_MAX);
    }
    if (of->count > 0 && of->items == NULL) {
        return eg_fail(EG_INVALID, "the array of kind %s is missing", of->family);
    }
    for (size_t i = 0; i < of->count; i++) {
        const eg_component *component = of->items[i];
        const char *name =
            component != NULL && is_word(component->name) ? component->name : "without a name";
        EG_TRY(eg_status_wrap(validate_item(of, i), "%s %s", of->family, name));
    }
    return eg_ok();
}

eg_status eg_plugin_validate(const eg_plugin *plugin)
{
    const kind kinds[] = {
        {"activation", (const void *const *)plugin->activations, plugin->activation_count,
         EG_ACTIVATION_PARAMS_MAX},
        {"optimizer", (const void *const *)plugin->optimizers, plugin->optimizer_count,
         EG_OPTIMIZER_PARAMS_MAX},
        {"schedule", (const void *const *)plugin->schedules, plugin->schedule_count,
         EG_OPTIMIZER_PARAMS_MAX},
    };
    size_t count = 0;
    for (size_t i = 0; i < EG_COUNT(kinds); i++) {
        EG_TRY(validate_kind(&kinds[i]));
        count += kinds[i].count;
    }
    return count > 0 ? eg_ok() : eg_fail(EG_INVALID, "it has no component");
}
