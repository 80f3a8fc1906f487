/** The file of `engram predict -o`: a line for every example, and for every position where it has several. */
#include "testing.h"

#include "cli/predictions_file.h"
#include "engram/file.h"
#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"test", "validation"};

/* What the file of this block says. */
static void assert_file(const eg_batch *batch, const eg_real *scores, const char *expected)
{
    const char *directory = eg_test_directory();
    char path[4096];
    unsigned char *bytes = NULL;
    size_t size = 0;
    (void)snprintf(path, sizeof path, "%s/scores.csv", directory);
    eg_predictions_file file = {.names = names};
    const eg_predicted block = {
        .subset = EG_SUBSET_VALIDATION, .task = 3, .batch = batch, .scores = scores, .outputs = 2};
    assert_ok(eg_predictions_open(&file, path));
    assert_ok(eg_predictions_add(&file, &block));
    assert_ok(eg_predictions_close(&file));
    assert_ok(eg_load_file(&bytes, &size, path, "the predictions"));
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(bytes, expected, size);
    eg_free(bytes);
    eg_test_remove(directory);
}

static void a_line_for_every_example(void **state)
{
    (void)state;
    const uint32_t labels[] = {1, 0};
    const uint32_t numbers[] = {7, 4};
    const eg_real scores[] = {0.5F, 2, 0.25F, 0};
    const eg_batch batch = {.size = 2, .label = labels, .number = numbers};
    assert_file(&batch, scores,
                "subset,task,example,label,prediction,score.0,score.1\n"
                "validation,3,7,1,1,0.5,2\n"
                "validation,3,4,0,0,0.25,0\n");
}

static void a_line_for_every_position(void **state)
{
    (void)state;
    const uint32_t labels[] = {1, 0, 1, 1};
    const uint32_t numbers[] = {7, 4};
    const eg_real scores[] = {0.5F, 2, 0.25F, 0, 1, 0, 0, 1};
    const eg_batch batch = {.size = 2, .positions = 2, .label = labels, .number = numbers};
    assert_file(&batch, scores,
                "subset,task,example,position,label,prediction,score.0,score.1\n"
                "validation,3,7,0,1,1,0.5,2\n"
                "validation,3,7,1,0,0,0.25,0\n"
                "validation,3,4,0,1,0,1,0\n"
                "validation,3,4,1,1,1,0,1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_for_every_example),
        cmocka_unit_test(a_line_for_every_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
