/** The learning curve of one trial as text; see cli/report/curve_report.h. */
#include "cli/report/curve_report.h"

#include "cli/format.h"
#include "cli/report/table.h"
#include "cli/terminal.h"
#include "engram/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 40, TASKS_MAX = 12, SPARK_MAX = 60 };

/** The curves shown; NULL where the record does not have them. */
typedef struct curves {
    const eg_array *step, *phase, *loss, *accuracy, *tasks;
    size_t evals, task_count, shown_tasks;
} curves;

static curves find_curves(const eg_record *record)
{
    curves c = {
        .step = eg_record_find(record, "step"),
        .phase = eg_record_find(record, "phase"),
        .loss = eg_record_find(record, "loss"),
        .accuracy = eg_record_find(record, "accuracy"),
        .tasks = eg_record_find(record, "task_accuracy"),
    };
    c.evals = c.accuracy == NULL ? 0 : c.accuracy->count;
    while (c.evals > 0 && isnan(c.accuracy->data[c.evals - 1])) {
        c.evals--; /* a trial that diverged leaves the rest of its axis empty */
    }
    c.task_count = c.tasks == NULL ? 0 : c.tasks->extent[1];
    c.shown_tasks = c.task_count <= TASKS_MAX ? c.task_count : 0;
    return c;
}

static eg_status add_heading(eg_table *table, const curves *c)
{
    static const char *const names[] = {"eval", "step", "phase", "loss", "accuracy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        EG_TRY(eg_table_cell(table, "%s", names[i]));
    }
    for (size_t t = 0; t < c->shown_tasks; t++) {
        EG_TRY(eg_table_cell(table, "task %zu", t));
    }
    return eg_ok();
}

static eg_status add_value(eg_table *table, const eg_array *array, size_t at, const char *format)
{
    if (array == NULL || isnan(array->data[at])) {
        return eg_table_cell(table, "-");
    }
    char text[32];
    if (strcmp(format, "count") == 0) {
        (void)snprintf(text, sizeof text, "%.0f", array->data[at]);
    } else {
        (void)snprintf(text, sizeof text, "%.4f", array->data[at]);
    }
    return eg_table_cell(table, "%s", text);
}

static eg_status add_row(eg_table *table, const curves *c, size_t eval)
{
    EG_TRY(eg_table_cell(table, "%zu", eval));
    EG_TRY(add_value(table, c->step, eval, "count"));
    EG_TRY(add_value(table, c->phase, eval, "count"));
    EG_TRY(add_value(table, c->loss, eval, "real"));
    EG_TRY(add_value(table, c->accuracy, eval, "real"));
    for (size_t t = 0; t < c->shown_tasks; t++) {
        EG_TRY(add_value(table, c->tasks, eval * c->task_count + t, "real"));
    }
    return eg_ok();
}

static eg_status print_table(const curves *c)
{
    eg_table table;
    eg_table_init(&table, 5 + c->shown_tasks);
    eg_status status = add_heading(&table, c);
    size_t rows = c->evals < ROWS_MAX ? c->evals : ROWS_MAX;
    for (size_t row = 0; row < rows && status.code == EG_OK; row++) {
        /* evenly spread, the last evaluation always among them */
        status = add_row(&table, c, (row + 1) * c->evals / rows - 1);
    }
    if (status.code == EG_OK) {
        status = eg_table_print(&table, stdout);
    }
    if (c->evals > rows) {
        (void)printf("  (%zu of %zu evaluations; --json has all)\n", rows, c->evals);
    }
    if (c->shown_tasks < c->task_count) {
        (void)printf("  (%zu tasks not shown; --json has them)\n", c->task_count);
    }
    eg_table_clear(&table);
    return status;
}

static eg_status print_spark(const curves *c)
{
    double sample[SPARK_MAX];
    size_t count = c->evals < SPARK_MAX ? c->evals : SPARK_MAX;
    for (size_t i = 0; i < count; i++) {
        sample[i] = c->accuracy->data[(i + 1) * c->evals / count - 1];
    }
    char *line = NULL;
    EG_TRY(eg_sparkline(&line, sample, count, 0, 1));
    (void)printf("  accuracy 0 to 1: %s\n", line);
    eg_free(line);
    return eg_ok();
}

eg_status eg_curve_report(const eg_record *record, const char *objective, uint64_t seed,
                          double seconds)
{
    curves c = find_curves(record);
    if (c.evals > 0) {
        EG_TRY(print_table(&c));
        EG_TRY(print_spark(&c));
    }
    eg_trial_status ended = eg_record_status(record);
    (void)printf("\n%s", eg_trial_status_name(ended));
    if (eg_record_message(record)[0] != '\0') {
        eg_say(stdout, ": %s", eg_record_message(record));
    }
    (void)printf("; seed %" PRIu64 ", %s\n", seed, eg_duration(seconds).text);
    for (size_t i = 0; i < eg_record_count(record); i++) {
        const eg_array *array = eg_record_at(record, i);
        if (array->rank == 0 && isfinite(array->data[0])) {
            bool chosen = strcmp(array->name, "objective") == 0;
            (void)printf("  %-22s %.6g%s%s\n", array->name, array->data[0],
                         chosen ? "  selects by " : "", chosen ? objective : "");
        }
    }
    return eg_ok();
}
