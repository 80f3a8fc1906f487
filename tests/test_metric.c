/** Accuracy, transfer measures and the loss window against numbers worked out by hand. */
#include "testing.h"

#include "engram/metric.h"
#include "metric/matrix_summary.h"

#include <math.h>
#include <string.h>

static void counts_the_largest_score(void **state)
{
    (void)state;
    const eg_real scores[] = {
        0.1F, 0.7F, 0.2F, /* 1 */
        0.9F, 0.0F, 0.9F, /* tie: the first, 0 */
        -3.F, -2.F, -1.F, /* 2 */
    };
    const uint32_t right[] = {1, 0, 2};
    const uint32_t second_of_tie[] = {1, 2, 2};
    assert_int_equal(eg_count_correct(3, 3, scores, right, NULL), 3);
    assert_int_equal(eg_count_correct(3, 3, scores, second_of_tie, NULL), 2);
}

static void nan_scores_are_wrong(void **state)
{
    (void)state;
    const eg_real scores[] = {(eg_real)NAN, 1, 0, 2, (eg_real)NAN, 1};
    const uint32_t label[] = {1, 0};
    assert_int_equal(eg_count_correct(2, 3, scores, label, NULL), 0);
}

/* Outputs that are not active do not count, whatever is in them. */
static void predictions_among_active_outputs(void **state)
{
    (void)state;
    const eg_real scores[] = {
        9.0F, 0.1F, (eg_real)NAN, 0.7F,         /* 3 among 1 and 3 */
        0.9F, 0.5F, 8.0F,         0.5F,         /* tie: the first, 1 */
        0.0F, 1.0F, 0.0F,         (eg_real)NAN, /* wrong */
    };
    const eg_active active = {.count = 2, .output = (const uint32_t[]){1, 3}};
    const uint32_t right[] = {3, 1, 1};
    assert_int_equal(eg_count_correct(3, 4, scores, right, &active), 2);
    assert_int_equal(eg_count_correct(3, 4, scores, right, NULL), 0);
}

/* Added to what was counted before. */
static void counts_of_every_class(void **state)
{
    (void)state;
    const eg_real scores[] = {
        0.1F, 0.7F, 0.2F,         /* 1; without 0 the same */
        0.9F, 0.0F, 0.8F,         /* 0; without 0 it is 2 */
        -3.F, -2.F, -1.F,         /* 2; the same */
        0.0F, 1.0F, (eg_real)NAN, /* wrong */
    };
    const uint32_t label[] = {1, 2, 2, 1};
    const eg_active active = {.count = 2, .output = (const uint32_t[]){1, 2}};
    size_t examples_of[3] = {0, 0, 5};
    size_t correct_of[3] = {0, 0, 4};
    assert_int_equal(eg_count_correct_of(4, 3, scores, label, NULL, examples_of, correct_of), 2);
    assert_memory_equal(examples_of, ((size_t[]){0, 2, 7}), sizeof examples_of);
    assert_memory_equal(correct_of, ((size_t[]){0, 1, 5}), sizeof correct_of);
    assert_int_equal(eg_count_correct_of(4, 3, scores, label, &active, examples_of, correct_of), 3);
    assert_memory_equal(examples_of, ((size_t[]){0, 4, 9}), sizeof examples_of);
    assert_memory_equal(correct_of, ((size_t[]){0, 2, 7}), sizeof correct_of);
}

/** Everything that is summarised of an accuracy matrix. */
typedef struct transfer {
    double final_accuracy, average_accuracy, forgetting, backward_transfer, forward_transfer;
} transfer;

/** Of the leading phases and tasks of matrix [*, stride], row by row, and through a checkpoint on the way. */
static transfer transfer_of(const double *matrix, size_t stride, size_t phases, size_t tasks,
                            const double *weight, const double *untrained)
{
    eg_matrix_summary summary;
    eg_matrix_summary restored;
    assert_ok(eg_matrix_summary_init(&summary, phases, tasks));
    assert_ok(eg_matrix_summary_init(&restored, phases, tasks));
    memcpy(restored.weight, weight, tasks * sizeof *weight);
    for (size_t j = 0; untrained != NULL && j < tasks; j++) {
        summary.untrained[j] = untrained[j];
    }
    for (size_t phase = 0; phase + 1 < phases; phase++) {
        eg_matrix_summary_add(&summary, phase, matrix + phase * stride);
    }
    eg_writer writer = {0};
    eg_matrix_summary_write(&summary, &writer);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    assert_ok(eg_matrix_summary_read(&restored, &reader));
    eg_writer_clear(&writer);
    assert_true(isnan(eg_final_accuracy(&restored))); /* not before the last phase */
    eg_matrix_summary_add(&restored, phases - 1, matrix + (phases - 1) * stride);
    const transfer out = {.final_accuracy = eg_final_accuracy(&restored),
                          .average_accuracy = eg_average_accuracy(&restored),
                          .forgetting = eg_forgetting(&restored),
                          .backward_transfer = eg_backward_transfer(&restored),
                          .forward_transfer = eg_forward_transfer(&restored)};
    eg_matrix_summary_clear(&summary);
    eg_matrix_summary_clear(&restored);
    return out;
}

/* Three tasks of 10, 20 and 70 examples:
 *          task 0  task 1  task 2
 * phase 0   0.9      -       -
 * phase 1   0.6     0.8      -
 * phase 2   0.5     0.7     1.0
 * final      (10*0.5 + 20*0.7 + 70*1.0) / 100 = 0.89
 * average    (0.5 + 0.7 + 1.0) / 3            = 0.7333…
 * forgetting ((0.9 - 0.5) + (0.8 - 0.7)) / 2  = 0.25
 * transfer   ((0.5 - 0.9) + (0.7 - 0.8)) / 2  = -0.25 */
static void transfer_of_three_tasks(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const double matrix[] = {0.9, none, none, 0.6, 0.8, none, 0.5, 0.7, 1.0};
    const double weight[] = {10, 20, 70};
    transfer t = transfer_of(matrix, 3, 3, 3, weight, NULL);
    assert_close(t.final_accuracy, 0.89, 1e-12);
    assert_close(t.average_accuracy, 2.2 / 3, 1e-12);
    assert_close(t.forgetting, 0.25, 1e-12);
    assert_close(t.backward_transfer, -0.25, 1e-12);
}

/* Forgetting counts the best accuracy a task ever had, transfer the one when it was learned: with
 * task 0 going 0.5, 0.9, 0.6 they are 0.3 and +0.1. */
static void forgetting_is_from_the_best_phase(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const double matrix[] = {0.5, none, none, 0.9, 0.8, none, 0.6, 0.8, 1.0};
    const double weight[] = {1, 1, 1};
    transfer t = transfer_of(matrix, 3, 3, 3, weight, NULL);
    assert_close(t.forgetting, (0.3 + 0.0) / 2, 1e-12);
    assert_close(t.backward_transfer, (0.1 + 0.0) / 2, 1e-12);
}

static void first_tasks_only(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const double matrix[] = {0.9, none, none, 0.6, 0.8, none, none, none, none};
    const double weight[] = {10, 30, 60};
    transfer t = transfer_of(matrix, 3, 2, 2, weight, NULL);
    assert_close(t.final_accuracy, (6.0 + 24.0) / 40, 1e-12);
    assert_close(t.forgetting, 0.3, 1e-12);
}

/* Tasks 1 and 2 before they are learned: 0.3 and 0.2 after the phase before, 0.1 and 0.4 untrained:
 * ((0.3 - 0.1) + (0.2 - 0.4)) / 2 = 0. With three of four phases: only what they teach counts. */
static void forward_transfer_of_three_tasks(void **state)
{
    (void)state;
    const double none = (double)NAN;
    const double matrix[] = {0.9, 0.3, none, 0.6, 0.8, 0.2, 0.5, 0.7, 1.0};
    const double weight[] = {1, 1, 1};
    const double untrained[] = {none, 0.1, 0.4};
    const double lower[] = {0.9, 0, 0.1};
    assert_close(transfer_of(matrix, 3, 3, 3, weight, untrained).forward_transfer, 0, 1e-12);
    assert_close(transfer_of(matrix, 3, 3, 3, weight, lower).forward_transfer, 0.2, 1e-12);
    assert_close(transfer_of(matrix, 3, 2, 2, weight, lower).forward_transfer, 0.3, 1e-12);
    assert_true(isnan(transfer_of(matrix, 3, 3, 3, weight, NULL).forward_transfer));
    assert_true(isnan(transfer_of(matrix, 3, 2, 3, weight, lower).forward_transfer));
    assert_true(isnan(transfer_of(matrix, 3, 1, 1, weight, lower).forward_transfer));
}

static void one_task_has_nothing_to_forget(void **state)
{
    (void)state;
    const double matrix[] = {0.75};
    const double weight[] = {4};
    transfer t = transfer_of(matrix, 1, 1, 1, weight, NULL);
    assert_close(t.final_accuracy, 0.75, 1e-12);
    assert_true(isnan(t.forgetting));
    assert_true(isnan(t.backward_transfer));
}

static void window_keeps_the_last_hundred(void **state)
{
    (void)state;
    eg_window window = {.seen = 0};
    assert_true(isnan(eg_window_mean(&window)));
    eg_window_add(&window, 4);
    eg_window_add(&window, 8);
    assert_close(eg_window_mean(&window), 6, 1e-12);
    for (int i = 1; i <= 250; i++) {
        eg_window_add(&window, i);
    }
    assert_close(eg_window_mean(&window), (151 + 250) / 2.0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_largest_score),
        cmocka_unit_test(nan_scores_are_wrong),
        cmocka_unit_test(predictions_among_active_outputs),
        cmocka_unit_test(counts_of_every_class),
        cmocka_unit_test(transfer_of_three_tasks),
        cmocka_unit_test(forgetting_is_from_the_best_phase),
        cmocka_unit_test(first_tasks_only),
        cmocka_unit_test(forward_transfer_of_three_tasks),
        cmocka_unit_test(one_task_has_nothing_to_forget),
        cmocka_unit_test(window_keeps_the_last_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
