/** Which examples belong together: training, validation and test examples listed by group of
 * classes, and how many of every class are used. */
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

/** Some groups, in this order. */
typedef struct eg_group_set {
    const uint32_t *group; /**< [count] borrowed; NULL: first, first + 1, … */
    size_t first, count;
} eg_group_set;

/** Which examples of every class are listed. */
typedef struct eg_example_choice {
    double holdout;     /**< share of the training examples that goes to `validation`, in [0, 1) */
    bool in_order;      /**< these are the first ones in the dataset; else they are drawn */
    size_t train, test; /**< only the first so many, held-out ones included; 0: all */
} eg_example_choice;

typedef struct eg_example_lists {
    size_t groups;
    eg_example_list train;      /**< without those held out */
    eg_example_list validation; /**< training examples held out */
    eg_example_list test;
} eg_example_lists;

/** Examples of one group of one list. */
size_t eg_example_list_count(const eg_example_list *list, size_t group);
const uint32_t *eg_example_list_of(const eg_example_list *list, size_t group);

/** Examples of some groups of a list together. */
size_t eg_example_list_total(const eg_example_list *list, const eg_group_set *groups);
/** Examples first … first+size-1 of these groups, one group after the other: a piece of the list,
 *  or copied into `copy` [size] where they do not stand in a row. */
const uint32_t *eg_example_list_piece(const eg_example_list *list, const eg_group_set *groups,
                                      size_t first, size_t size, uint32_t *copy);

/** Lists the examples of `dataset` by group [classes]; group NULL: every class is in group 0. Of
 * each class the share `holdout` of the training examples (rounded; if holdout > 0 at least one,
 * but never the only one) goes to `validation`: a choice that depends on the data alone, so that
 * all trials agree. Errors: EG_INVALID if a class in a group has fewer examples than are to be
 * used, or a group is left without training, test or (holdout > 0) validation examples; EG_MEMORY.
 * *out may be cleared also after a failure. */
eg_status eg_example_lists_init(eg_example_lists *out, const eg_dataset *dataset,
                                const size_t *group, size_t groups,
                                const eg_example_choice *choice) EG_WARN_UNUSED;
void eg_example_lists_clear(eg_example_lists *lists);

#endif
