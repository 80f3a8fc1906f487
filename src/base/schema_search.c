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

static void offer_params(search *s, const char *prefix, const eg_param *params, size_t count,
                         unsigned depth);

/** `named`: parameters stand below the names of their members. */
static void offer_family(search *s, const char *prefix, const eg_family *family, bool named,
                         unsigned depth)
{
    for (size_t k = 0; k < family->member_count; k++) {
        const eg_component *member = family->members[k];
        char full[EG_NAME_SIZE];
        int length = snprintf(full, sizeof full, "%s%s%s", prefix, named ? member->name : "",
                              named ? "." : "");
        if (length > 0 && (size_t)length < sizeof full - 1) {
            offer_params(s, full, family->common, family->common_count, depth);
            offer_params(s, full, member->params, member->param_count, depth);
        }
    }
}

static void offer_params(search *s, const char *prefix, const eg_param *params, size_t count,
                         unsigned depth)
{
    for (size_t i = 0; i < count && depth <= DEPTH_MAX; i++) {
        char full[EG_NAME_SIZE];
        int length = snprintf(full, sizeof full, "%s%s", prefix, params[i].name);
        if (length < 0 || (size_t)length >= sizeof full - 1) {
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
    offer_params(&s, "", schema->root, schema->root_count, 0);
    return s.distance != SIZE_MAX;
}
