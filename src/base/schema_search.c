/** Declarations by dotted name: a walk through every component that could be chosen on the way. */
#include "base/schema_search.h"

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
