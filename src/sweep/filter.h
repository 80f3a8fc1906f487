/** Inside the sweep room: conditions on points, of `when` and `exclude`. */
#ifndef SWEEP_FILTER_H
#define SWEEP_FILTER_H

#include "sweep/sweep_read.h"

typedef enum eg_relation {
    EG_ANY_OF, /**< equal to one of the values */
    EG_NONE_OF,
    EG_ABOVE,
    EG_BELOW,
    EG_AT_LEAST,
    EG_AT_MOST,
} eg_relation;

/** "setting relation values". */
typedef struct eg_condition {
    const char *name;
    eg_relation relation;
    double bound;        /**< ABOVE … AT_MOST */
    const char **values; /**< ANY_OF, NONE_OF: canonical texts */
    size_t count;
} eg_condition;

/** All conditions must hold. A setting that the point does not have never matches. */
typedef struct eg_filter {
    eg_origin at;
    const eg_condition *conditions;
    size_t count;
    size_t matched; /**< points so far */
} eg_filter;

/** Reads {optimizer: sgd, optimizer.lr: {above: 0.1}}; `where` names it in messages. */
eg_status eg_filter_read(eg_sweep *sweep, eg_filter *out, const eg_node *map,
                         const char *where) EG_WARN_UNUSED;

bool eg_filter_matches(const eg_filter *filter, const eg_settings *settings);

#endif
