/** What the order of tasks does to points, as people and scripts get it. */
#ifndef CLI_ORDERS_REPORT_H
#define CLI_ORDERS_REPORT_H

#include "cli/report/point_columns.h"
#include "store/shared/order_groups.h"

#include <jansson.h>

/** A table of the first `count` groups, in per cent: accuracy, AOPD, MOPD, the latter two of stl
 *  beside them where it is there, orders and runs of each; settings are those of `columns`, which
 *  has no orders. `latex`: for LaTeX, the caption begins with this name; NULL: as text. */
eg_status eg_orders_print(const eg_order_groups *groups, size_t count,
                          const eg_point_columns *columns, const char *latex) EG_WARN_UNUSED;
/** The same of one group as an object, and what each task and each order has; shares, not per
 *  cent. No settings. */
json_t *eg_order_group_json(const eg_order_groups *groups, size_t g, const eg_results *results);

#endif
