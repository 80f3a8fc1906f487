/** One line about hosts and cores, and warnings where ranks get in each other's way. */
#include "testing.h"

#include "engram/memory.h"

#include "sched/placement.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static eg_process_info at(const char *host, uint64_t online, uint64_t cpus)
{
    eg_process_info place = {.online = online, .cpus = {cpus}};
    (void)snprintf(place.host, sizeof place.host, "%s", host);
    return place;
}

static void assert_described(const eg_process_info *processes, size_t count, size_t first,
                             const char *line, const char *warnings)
{
    char *got_line = NULL, *got_warnings = NULL;
    assert_ok(eg_process_info_describe(processes, count, first, &got_line, &got_warnings));
    assert_string_equal(got_line, line);
    assert_string_equal(got_warnings, warnings);
    eg_free(got_line);
    eg_free(got_warnings);
}

static void test_enough_cores(void **state)
{
    (void)state;
    const eg_process_info one[] = {at("a", 1, 1)};
    assert_described(one, 1, 0, "1 rank on 1 host: 1 compute thread, 1 core allowed", "");
    const eg_process_info bound[] = {at("a", 4, 1), at("a", 4, 2), at("b", 8, 0xf0),
                                     at("b", 8, 0xf0)};
    assert_described(bound, 4, 0, "4 ranks on 2 hosts: 4 compute threads, 6 cores allowed", "");
}

static void test_more_ranks_than_cores(void **state)
{
    (void)state;
    const eg_process_info processes[] = {at("b", 2, 3), at("a", 2, 3), at("a", 2, 3),
                                         at("a", 2, 3)};
    assert_described(processes, 4, 0, "4 ranks on 2 hosts: 4 compute threads, 4 cores allowed",
                     "host a: 3 ranks compute on 2 cores and will slow each other down; start at "
                     "most 2 there\n");
    /* A rank 0 that only schedules needs no core of its own. */
    assert_described(processes + 1, 3, 1, "3 ranks on 1 host: 2 compute threads, 2 cores allowed",
                     "");
}

static void test_binding_takes_cores_away(void **state)
{
    (void)state;
    const eg_process_info few[] = {at("a", 8, 3), at("a", 8, 3), at("a", 8, 2)};
    assert_described(few, 3, 0, "3 ranks on 1 host: 3 compute threads, 2 cores allowed",
                     "host a: 3 ranks may use only 2 of its 8 cores; start fewer, or launch with: "
                     "mpirun --bind-to none\n");
    const eg_process_info crowd[] = {at("a", 8, 1), at("a", 8, 0xe), at("a", 8, 1)};
    assert_described(crowd, 3, 0, "3 ranks on 1 host: 3 compute threads, 4 cores allowed",
                     "host a: 2 ranks are bound to the same 1 of its 8 cores; launch with: mpirun "
                     "--bind-to none\n");
}

static void test_here(void **state)
{
    (void)state;
    eg_process_info here;
    char host[256];
    assert_ok(eg_process_info_get(&here));
    assert_int_equal(gethostname(host, sizeof host), 0);
    assert_int_equal(strncmp(here.host, host, strlen(here.host)), 0);
    assert_true(here.host[0] != '\0');
    assert_int_equal(here.pid, (uint64_t)getpid());
    uint64_t any = 0;
    for (size_t i = 0; i < EG_CPU_WORDS; i++) {
        any |= here.cpus[i];
    }
    assert_true(any != 0);
    assert_true(here.online >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enough_cores),
        cmocka_unit_test(test_more_ranks_than_cores),
        cmocka_unit_test(test_binding_takes_cores_away),
        cmocka_unit_test(test_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
