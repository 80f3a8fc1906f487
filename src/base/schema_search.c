/** Declarations by dotted name: a walk through every component that could be chosen on the way. */
#include "base/shared/schema_search.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 6 }; /* families may hold each other (a learner of learners) */

static const eg_param *find(const eg_schema *schema, const eg_param *params, size_t count,
                            const char *name, unsigned depth);

static const eg_param *find_in_family(const eg_schema *schema, const eg_family *family,
                                      const char *name, unsigned depth)
{
    if (family == NULL || depth > DEPTH_MAX) {
        return NULL;
    }
    const eg_param *found = find(schema, family->common, family->common_count, name, depth);
    for (size_t i = 0; found == NULL && i < family->member_count; i++) {
        const eg_component *member = family->members[i];
        found = find(schema, member->params, member->param_count, name, depth);
    }
    return found;
}

/** `name` begins with the name of a member. */
static const eg_param *find_in_member(const eg_schema *schema, const eg_family *family,
                                      const char *name, unsigned depth)
{
    const eg_component *member = eg_family_beginning(family, name);
    if (member == NULL || depth > DEPTH_MAX) {
        return NULL;
    }
    const char *rest = name + strlen(member->name) + 1;
    const eg_param *found = find(schema, family->common, family->common_count, rest, depth);
    return found != NULL ? found : find(schema, member->params, member->param_count, rest, depth);
}

static const eg_param *find(const eg_schema *schema, const eg_param *params, size_t count,
                            const char *name, unsigned depth)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(params[i].name); /* may itself hold dots: "eval.every" */
        if (strncmp(params[i].name, name, length) != 0) {
            continue;
        }
        if (name[length] == '\0') {
            return &params[i];
        }
        if (name[length] == '.' && params[i].type == EG_TYPE_COMPONENT) {
            const eg_family *family = eg_schema_family(schema, params[i].family);
            return find_in_family(schema, family, name + length + 1, depth + 1);
        }
        if (name[length] == '.' && params[i].type == EG_TYPE_COMPONENTS) {
            const eg_family *family = eg_schema_family(schema, params[i].family);
            return find_in_member(schema, family, name + length + 1, depth + 1);
        }
    }
    return NULL;
}

const eg_param *eg_schema_param(const eg_schema *schema, const char *name)
{
    return find(schema, schema->root, schema->root_count, name, 0);
}

const eg_param *eg_schema_member_param(const eg_schema *schema, const eg_component *member,
                                       const char *name)
{
    return find(schema, member->params, member->param_count, name, 0);
}

typedef struct search {
    const eg_schema *schema;
    const char *name;
    char *best;
    size_t distance;
} search;

/** Members of a family whose parameters stand at the same names. */
typedef struct peers {
    const eg_family *family;
    size_t count; /**< the first so many have been offered */
} peers;

/** Whether one of them has offered this parameter, and so all below it. Without this look, families
 *  that hold themselves take time exponential in the depth: every learner around another one would
 *  offer all learners again. */
static bool is_offered(const peers *before, const eg_param *param)
{
    for (size_t k = 0; k < before->count; k++) {
        const eg_component *member = before->family->members[k];
        for (size_t i = 0; i < member->param_count; i++) {
            const eg_param *other = &member->params[i];
            bool same_family =
                param->family == other->family || (param->family != NULL && other->family != NULL &&
                                                   strcmp(param->family, other->family) == 0);
            if (same_family && param->type == other->type &&
                strcmp(param->name, other->name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void offer_params(search *s, const char *prefix, const eg_param *params, size_t count,
                         const peers *before, unsigned depth);

/** `named`: parameters stand below the names of their members. */
static void offer_family(search *s, const char *prefix, const eg_family *family, bool named,
                         unsigned depth)
{
    const peers none = {.count = 0};
    for (size_t k = 0; k < family->member_count; k++) {
        const eg_component *member = family->members[k];
        char full[EG_NAME_SIZE];
        int length = snprintf(full, sizeof full, "%s%s%s", prefix, named ? member->name : "",
                              named ? "." : "");
        if (length > 0 && (size_t)length < sizeof full - 1) {
            const peers before = {.family = family, .count = named ? 0 : k};
            if (named || k == 0) {
                offer_params(s, full, family->common, family->common_count, &none, depth);
            }
            offer_params(s, full, member->params, member->param_count, &before, depth);
        }
    }
}

static void offer_params(search *s, const char *prefix, const eg_param *params, size_t count,
                         const peers *before, unsigned depth)
{
    for (size_t i = 0; i < count && depth <= DEPTH_MAX; i++) {
        char full[EG_NAME_SIZE];
        int length = snprintf(full, sizeof full, "%s%s", prefix, params[i].name);
        if (length < 0 || (size_t)length >= sizeof full - 1 || is_offered(before, &params[i])) {
            continue;
        }
        eg_nearest nearest = {0};
        eg_nearest_offer(&nearest, s->name, full);
        if (nearest.best != NULL && nearest.distance < s->distance) {
            s->distance = nearest.distance;
            strcpy(s->best, full);
        }
        const eg_family *family = eg_schema_family(s->schema, params[i].family);
        if (family != NULL) {
            strcat(full, ".");
            offer_family(s, full, family, params[i].type == EG_TYPE_COMPONENTS, depth + 1);
        }
    }
}

bool eg_schema_nearest(const eg_schema *schema, const char *name, char best[EG_NAME_SIZE])
{
    search s = {.schema = schema, .name = name, .best = best, .distance = SIZE_MAX};
    const peers none = {.count = 0};
    offer_params(&s, "", schema->root, schema->root_count, &none, 0);
    return s.distance != SIZE_MAX;
}
