/** What the order of tasks does, in the result file: a row per trial with the numbers of the points
 *  that differ from its own in the order alone, as all else in the file is over trials. */
#include "store/hdf5/h5_parts.h"

#include "engram/memory.h"

#include <math.h>

typedef enum quantity { GROUP, ACCURACY, AOPD, MOPD, STL_AOPD, STL_MOPD } quantity;

static const struct column {
    const char *name, *unit, *doc;
} columns[] = {
    [GROUP] =
        {"order_group", "1",
         "points that differ in the order of tasks alone have the same number, from 0 for the "
         "most accurate; -1: there is none but this one"},
    [ACCURACY] = {"order_accuracy", "1",
                  "of this group: mean accuracy after the last task, over tasks, orders and seeds"},
    [AOPD] = {"aopd", "1",
              "of this group: mean over tasks of the largest difference between orders in the "
              "accuracy on the task after the last one, seeds averaged first"},
    [MOPD] = {"mopd", "1", "the same, largest over tasks"},
    [STL_AOPD] = {"stl_aopd", "1", "aopd of the learner stl on the same problem, for comparison"},
    [STL_MOPD] = {"stl_mopd", "1", "mopd of the learner stl on the same problem"},
};

static double value_of(const eg_order_groups *groups, size_t g, quantity which)
{
    const bool beside = which == STL_AOPD || which == STL_MOPD;
    const size_t of = g != SIZE_MAX && beside ? groups->items[g].stl : g;
    const eg_order_numbers numbers = eg_results_group_numbers(groups, of);
    const double values[] = {[GROUP] = g == SIZE_MAX ? -1 : (double)g,
                             [ACCURACY] = numbers.accuracy,
                             [AOPD] = numbers.mean,
                             [MOPD] = numbers.largest,
                             [STL_AOPD] = numbers.mean,
                             [STL_MOPD] = numbers.largest};
    return values[which];
}

static eg_status write_column(eg_h5_out *out, const eg_results *results,
                              const eg_order_groups *groups, quantity which, double *values)
{
    static const double missing = (double)NAN;
    eg_h5_variable variable = {
        .type = H5T_IEEE_F64LE, .rank = 1, .fill = &missing, .doc = columns[which].doc};
    variable.unit = columns[which].unit;
    if (which == GROUP) {
        variable.type = H5T_STD_I32LE;
        variable.fill = NULL;
    }
    EG_TRY(eg_h5_name(out, &variable.name, columns[which].name, "_over_orders"));
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *trial = &results->trials[i];
        bool earlier = trial->stage == EG_STAGE_EARLIER;
        values[i] = value_of(groups, earlier ? SIZE_MAX : groups->group[trial->point], which);
    }
    return eg_h5_write_column(out, &variable, H5T_NATIVE_DOUBLE, values, NULL);
}

eg_status eg_h5_write_orders(eg_h5_out *out, const eg_journal_state *state,
                             const eg_order_groups *groups)
{
    const eg_results *results = &state->owner->results;
    double *values = NULL;
    if (groups->count == 0 || !groups->measured) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&values, results->trial_count, sizeof *values));
    eg_status status = eg_ok();
    for (size_t k = 0; k < EG_COUNT(columns) && status.code == EG_OK; k++) {
        status = write_column(out, results, groups, (quantity)k, values);
    }
    eg_free(values);
    return status;
}
