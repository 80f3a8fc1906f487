/** The settings by which people tell the points of a sweep apart, as columns of a table.
 *
 *  Shown are swept settings that take more than one value: a parameter that merely exists where its
 *  component was chosen, with the same value everywhere, tells nothing. A parameter of a component
 *  that has a column itself goes into that column, "adagrad lr=0.0002", so that alternatives with
 *  parameters of their own do not make tables wide and empty. */
#ifndef CLI_POINT_COLUMNS_H
#define CLI_POINT_COLUMNS_H

#include "cli/report/table.h"
#include "engram/store.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_point_columns {
    const eg_plan *plan; /**< where the settings come from: one of these two; borrowed */
    const eg_results *results;
    size_t count;   /**< settings shown */
    size_t *index;  /**< [count] into plan->swept or results->columns */
    size_t *parent; /**< [count] setting into whose column this one goes, SIZE_MAX: its own */
} eg_point_columns;

/** Release with eg_point_columns_clear, also after a failure. */
eg_status eg_point_columns_of_plan(eg_point_columns *out, const eg_plan *plan) EG_WARN_UNUSED;
/** `all`: settings that only some points have, with a single value, too. */
eg_status eg_point_columns_of_results(eg_point_columns *out, const eg_results *results,
                                      bool all) EG_WARN_UNUSED;
/** Leaves out a setting, if it is shown. */
void eg_point_columns_drop(eg_point_columns *columns, const char *name);
void eg_point_columns_clear(eg_point_columns *columns);

/** Dotted name of shown setting i, and its value at a point (NULL: it does not exist there). */
const char *eg_point_columns_name(const eg_point_columns *columns, size_t i);
const char *eg_point_columns_text(const eg_point_columns *columns, size_t i, size_t point);

/** How many columns of a table they take; their headings; their cells. */
size_t eg_point_columns_width(const eg_point_columns *columns);
eg_status eg_point_columns_head(const eg_point_columns *columns, eg_table *table) EG_WARN_UNUSED;
eg_status eg_point_columns_row(const eg_point_columns *columns, eg_table *table,
                               size_t point) EG_WARN_UNUSED;

#endif
