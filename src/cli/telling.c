/** Which swept settings are worth a column; see cli/telling.h. */
#include "cli/telling.h"

#include "engram/memory.h"
#include "engram/settings.h"

#include <string.h>

/** Whether a second value turned up; *first is the first one, NULL at the start. */
static bool differs(const char **first, const char *text)
{
    if (text == NULL) {
        return false; /* this point does not have the setting */
    }
    if (*first == NULL) {
        *first = text;
    }
    return strcmp(*first, text) != 0;
}

eg_status eg_telling_of_plan(size_t **out, size_t *count, const eg_plan *plan)
{
    *count = 0;
    EG_TRY(eg_alloc(out, plan->swept_count, sizeof **out));
    for (size_t s = 0; s < plan->swept_count; s++) {
        const char *first = NULL;
        for (size_t p = 0; p < plan->point_count; p++) {
            const eg_setting *setting = eg_settings_find(plan->points[p].settings, plan->swept[s]);
            if (differs(&first, setting == NULL ? NULL : setting->value.text)) {
                (*out)[(*count)++] = s;
                break;
            }
        }
    }
    return eg_ok();
}

eg_status eg_telling_of_results(size_t **out, size_t *count, const eg_results *results, bool all)
{
    *count = 0;
    EG_TRY(eg_alloc(out, results->column_count, sizeof **out));
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        const char *first = NULL;
        bool shown = all;
        for (size_t p = 0; p < results->point_count && !shown; p++) {
            shown = differs(&first, column->text[p]);
        }
        if (column->swept && shown) {
            (*out)[(*count)++] = c;
        }
    }
    return eg_ok();
}
