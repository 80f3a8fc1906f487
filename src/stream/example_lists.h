/** Which examples belong together: training, validation and test examples listed by group of
 * classes. */
#ifndef STREAM_EXAMPLE_LISTS_H
#define STREAM_EXAMPLE_LISTS_H

#include "engram/dataset.h"

/** Group of a class that is in no group: its examples are in no list. */
#define EG_NO_GROUP SIZE_MAX

/** Example numbers, all groups in a row: group g is index[begin[g]] … index[begin[g+1]-1],
 * ascending. */
typedef struct eg_example_list {
    uint32_t *index;
    size_t *begin; /**< [groups + 1] */
} eg_example_list;

typedef struct eg_example_lists {
    size_t groups;
    eg_example_list train;      /**< without those held out */
    eg_example_list validation; /**< training examples held out */
    eg_example_list test;
} eg_example_lists;

/** Examples of one group of one list. */
size_t eg_example_list_count(const eg_example_list *list, size_t group);
const uint32_t *eg_example_list_of(const eg_example_list *list, size_t group);

/** Lists the examples of `dataset` by group [classes]; group NULL: every class is in group 0. Of
 * each class the share `holdout` in [0, 1) of the training examples (rounded; if holdout > 0 at
 * least one, but never the only one) goes to `validation`: a random choice that depends on the data
 * alone, so that all trials agree. Errors: EG_INVALID if a group is left without training, test or
 * (holdout > 0) validation examples; EG_MEMORY. *out may be cleared also after a failure. */
eg_status eg_example_lists_init(eg_example_lists *out, const eg_dataset *dataset,
                                const size_t *group, size_t groups, double holdout) EG_WARN_UNUSED;
void eg_example_lists_clear(eg_example_lists *lists);

#endif
