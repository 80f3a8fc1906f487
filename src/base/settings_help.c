/** Words for a setting that does not exist: most slips are one of four, and each gets its own
 *  answer. */
#include "base/shared/settings_help.h"
#include "base/shared/schema_search.h"
#include "base/shared/value.h"

#include <stdio.h>
#include <string.h>

enum { LIST_SIZE = 240 };

eg_status eg_origin_wrap(eg_status status, const eg_origin *origin)
{
    if (status.code == EG_OK || origin->file == NULL) {
        return status;
    }
    if (origin->line == 0) {
        return eg_status_wrap(status, "%s", origin->file);
    }
    if (origin->column == 0) {
        return eg_status_wrap(status, "%s:%u", origin->file, origin->line);
    }
    return eg_status_wrap(status, "%s:%u:%u", origin->file, origin->line, origin->column);
}

static void append_word(char list[LIST_SIZE], const char *word)
{
    size_t used = strlen(list);
    (void)snprintf(list + used, LIST_SIZE - used, "%s%s", used == 0 ? "" : " or ", word);
}

/** The setting that the longest dotted prefix of `name` names, and the rest behind it; NULL if
 * none. */
static const eg_setting *deepest_parent(const eg_settings *settings, const char *name,
                                        const char **rest)
{
    const eg_setting *parent = NULL;
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        char prefix[EG_PREFIX_SIZE];
        size_t length = (size_t)(dot - name);
        if (length >= sizeof prefix) {
            break;
        }
        memcpy(prefix, name, length);
        prefix[length] = '\0';
        const eg_setting *found = eg_settings_find(settings, prefix);
        if (found == NULL) {
            break;
        }
        parent = found;
        *rest = dot + 1;
    }
    return parent;
}

/** "measures.online.bin belongs to online, which is not in measures = [default]". */
static bool not_listed(const eg_schema *schema, const eg_setting *parent, const char *name,
                       const char *rest, eg_status *status)
{
    const eg_family *family = eg_schema_family(schema, parent->param->family);
    const eg_component *member = eg_family_beginning(family, rest);
    if (member == NULL ||
        eg_schema_member_param(schema, member, rest + strlen(member->name) + 1) == NULL) {
        return false;
    }
    *status = eg_fail(EG_INVALID, "%.100s belongs to %s, which is not in %s = %s", name,
                      member->name, parent->name, parent->value.text);
    return true;
}

/** "model.activation.alpha belongs to hard_ash, but model.activation is relu". */
static bool other_member(const eg_schema *schema, const eg_settings *settings, const char *name,
                         eg_status *status)
{
    const char *rest = NULL;
    const eg_setting *parent = deepest_parent(settings, name, &rest);
    if (parent != NULL && parent->param->type == EG_TYPE_COMPONENTS) {
        return not_listed(schema, parent, name, rest, status);
    }
    if (parent == NULL || parent->param->type != EG_TYPE_COMPONENT) {
        return false;
    }
    const eg_family *family = eg_schema_family(schema, parent->param->family);
    char owners[LIST_SIZE] = "";
    for (size_t i = 0; i < family->member_count; i++) {
        if (eg_schema_member_param(schema, family->members[i], rest) != NULL) {
            append_word(owners, family->members[i]->name);
        }
    }
    if (owners[0] == '\0') {
        return false;
    }
    *status = eg_fail(EG_INVALID, "%.100s belongs to %s, but %s is %s", name, owners, parent->name,
                      parent->value.text);
    return true;
}

/** "unknown setting 'lr': did you mean optimizer.lr?" for names that miss their first parts. */
static bool deeper_level(const eg_settings *settings, const char *name, eg_status *status)
{
    char found[LIST_SIZE] = "";
    size_t length = strlen(name);
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const char *full = eg_settings_at(settings, i)->name;
        size_t size = strlen(full);
        if (size > length + 1 && full[size - length - 1] == '.' &&
            strcmp(full + size - length, name) == 0) {
            append_word(found, full);
        }
    }
    if (found[0] != '\0') {
        *status = eg_fail(EG_INVALID, "unknown setting '%s': did you mean %s?", name, found);
    }
    return found[0] != '\0';
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

/** Of two names with the same first parts only the last ones are worth a comparison, and these are
 *  too different. */
static bool is_sibling_unlike(const char *name, const char *candidate)
{
    size_t first = (size_t)(last_part(name) - name);
    eg_nearest last = {0};
    eg_nearest_offer(&last, last_part(name), last_part(candidate));
    return first > 0 && strncmp(name, candidate, first) == 0 &&
           strchr(candidate + first, '.') == NULL && last.best == NULL;
}

/** A misspelling of a whole name, or the right last part (or a misspelling of it) behind a wrong
 * prefix. */
static bool misspelt(const eg_settings *settings, const char *name, eg_status *status)
{
    eg_nearest whole = {0};
    eg_nearest part = {0};
    const char *part_of = NULL;
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const char *candidate = eg_settings_at(settings, i)->name;
        if (!is_sibling_unlike(name, candidate)) {
            eg_nearest_offer(&whole, name, candidate);
        }
        const char *before = part.best;
        eg_nearest_offer(&part, last_part(name), last_part(candidate));
        if (part.best != before) {
            part_of = candidate;
        }
    }
    /* An exact last part says more than a few wrong letters in a long name. */
    bool exact_part = part.best != NULL && part.distance == 0;
    const char *best = whole.best != NULL && !exact_part ? whole.best : part_of;
    if (whole.best != NULL && exact_part && whole.distance <= 2) {
        best = whole.best;
    }
    if (best != NULL) {
        *status = eg_fail(EG_INVALID, "unknown setting '%.100s': did you mean %s?", name, best);
    }
    return best != NULL;
}

/** A name, or the end of one, that only other components of this schema have. */
static bool elsewhere(const eg_schema *schema, const eg_settings *settings, const char *name,
                      eg_status *status)
{
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (setting->param->type != EG_TYPE_COMPONENT) {
            continue;
        }
        const eg_family *family = eg_schema_family(schema, setting->param->family);
        for (size_t k = 0; k < family->member_count; k++) {
            if (eg_schema_member_param(schema, family->members[k], name) != NULL) {
                *status = eg_fail(EG_INVALID,
                                  "unknown setting '%.60s': %s.%.60s belongs to %s, but %s is %s",
                                  name, setting->name, name, family->members[k]->name,
                                  setting->name, setting->value.text);
                return true;
            }
        }
    }
    return false;
}

eg_status eg_settings_unknown(const eg_schema *schema, const eg_settings *settings,
                              const char *name)
{
    eg_status status = eg_ok();
    if (other_member(schema, settings, name, &status) || deeper_level(settings, name, &status) ||
        elsewhere(schema, settings, name, &status)) {
        return status;
    }
    const char *rest = NULL;
    const eg_setting *parent = deepest_parent(settings, name, &rest);
    if (parent != NULL && parent->param->family == NULL) {
        return eg_fail(EG_INVALID, "unknown setting '%.100s': %s has no parts", name, parent->name);
    }
    if (misspelt(settings, name, &status)) {
        return status;
    }
    char nearest[EG_NAME_SIZE];
    if (eg_schema_nearest(schema, name, nearest)) {
        return eg_fail(EG_INVALID, "unknown setting '%.100s': did you mean %s?", name, nearest);
    }
    return eg_fail(EG_INVALID, "unknown setting '%.100s'", name);
}
