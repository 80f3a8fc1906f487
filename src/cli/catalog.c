/** Components and parameters as text; see cli/catalog.h. */
#include "cli/catalog.h"

#include "cli/format.h"
#include "engram/sweep.h"
#include "engram/trial.h"

#include <math.h>
#include <string.h>

static const eg_family *const sweep_families[] = {&eg_stop_family};

size_t eg_catalog_family_count(void)
{
    return eg_trial_schema()->family_count + EG_COUNT(sweep_families);
}

const eg_family *eg_catalog_family(size_t index)
{
    const eg_schema *schema = eg_trial_schema();
    return index < schema->family_count ? schema->families[index]
                                        : sweep_families[index - schema->family_count];
}

const eg_family *eg_catalog_find(const char *name)
{
    for (size_t i = 0; i < eg_catalog_family_count(); i++) {
        if (strcmp(eg_catalog_family(i)->name, name) == 0) {
            return eg_catalog_family(i);
        }
    }
    return NULL;
}

const char *eg_param_default(const eg_param *param)
{
    if (param->default_text == NULL) {
        return "required";
    }
    return param->default_text[0] == '\0' ? "\"\"" : param->default_text;
}

void eg_param_type_words(const eg_param *param, char *text, size_t size)
{
    static const char *const type_names[] = {
        [EG_TYPE_BOOL] = "true or false",
        [EG_TYPE_INT] = "integer",
        [EG_TYPE_REAL] = "number",
        [EG_TYPE_NAME] = "one of",
        [EG_TYPE_TEXT] = "text",
        [EG_TYPE_INTS] = "list of integers",
        [EG_TYPE_NAMES] = "list of",
        [EG_TYPE_GROUPS] = "list of lists of integers",
        [EG_TYPE_COMPONENT] = "component:",
        [EG_TYPE_COMPONENTS] = "list of components:",
        [EG_TYPE_TEXTS] = "list of texts",
    };
    text[0] = '\0';
    eg_append(text, size, "%s", type_names[param->type]);
    if (param->family != NULL) {
        eg_append(text, size, " %s", param->family);
    }
    for (size_t i = 0; param->names != NULL && param->names[i] != NULL; i++) {
        eg_append(text, size, "%s%s", i == 0 ? " " : ", ", param->names[i]);
    }
}

void eg_param_range_words(const eg_param *param, char *text, size_t size)
{
    text[0] = '\0';
    if (param->min == param->max) {
        return;
    }
    bool low = isfinite(param->min);
    bool high = isfinite(param->max);
    if (low) {
        eg_append(text, size, "%s %s", param->above_min ? "above" : "from",
                  eg_number(param->min, true).text);
    }
    if (high) {
        eg_append(text, size, "%sat most %s", low ? ", " : "", eg_number(param->max, true).text);
    }
}
