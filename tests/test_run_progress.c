/** What rank 0 does for every report of a worker. */
#define _DEFAULT_SOURCE /* anonymous mappings */
#include "testing.h"

#include "run/run_reporter.h"

#include <sys/mman.h>
#include <unistd.h>

enum { WORKERS = 10000, REPORTER = 5000 };

/* Of 10,000 workers only what is kept of the one that speaks can be touched: whoever looks at the others is ended by
 * SIGSEGV. */
static void a_report_costs_the_same_whatever_the_number_of_workers(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = WORKERS * sizeof(eg_run_report);
    unsigned char *memory = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    size_t own = REPORTER * sizeof(eg_run_report) / page * page;
    assert_int_equal(mprotect(memory + own, 2 * page, PROT_READ | PROT_WRITE), 0);
    eg_run_reporter reporter = {.reports = (eg_run_report *)(void *)memory,
                                .report_count = WORKERS};
    const eg_run_report *report = &reporter.reports[REPORTER];

    eg_work_progress progress = {.attempt.rank = REPORTER, .step = 1, .steps = 4};
    eg_run_reporter_hear(&reporter, 7, &progress);
    progress.step = 3;
    eg_run_reporter_hear(&reporter, 7, &progress);
    assert_true(report->known);
    assert_int_equal(report->trial, 7);
    assert_close(report->first, 0.25, 0.0);
    assert_close(report->latest, 0.75, 0.0);
    assert_close(reporter.heard, report->latest_time, 0.0);

    eg_run_reporter_forget(&reporter, REPORTER, 6); /* it has begun another one since */
    assert_true(report->known);
    eg_run_reporter_forget(&reporter, REPORTER, 7);
    assert_false(report->known);
    (void)munmap(memory, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_costs_the_same_whatever_the_number_of_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
