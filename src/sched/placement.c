/** Hosts, cores and what is wrong with them; see sched/placement.h. */
/* sched_getaffinity and CPU_ALLOC are Linux's own. */
#define _GNU_SOURCE
#include "sched/placement.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { CPUS_MAX = EG_CPU_WORDS * 64 };

eg_status eg_process_info_get(eg_process_info *out)
{
    memset(out, 0, sizeof *out);
    if (gethostname(out->host, sizeof out->host - 1) != 0 && errno != ENAMETOOLONG) {
        return eg_fail_errno(errno, "cannot find out this host's name");
    }
    out->pid = (uint64_t)getpid();
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    out->online = online > 0 ? (uint64_t)online : 1;
    cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
    if (set == NULL) {
        return eg_fail_memory(CPU_ALLOC_SIZE(CPUS_MAX));
    }
    size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
    eg_status status = eg_ok();
    if (sched_getaffinity(0, size, set) != 0) {
        status = eg_fail_errno(errno, "cannot find out which cores this process may use");
    }
    for (size_t cpu = 0; cpu < CPUS_MAX && status.code == EG_OK; cpu++) {
        if (CPU_ISSET_S(cpu, size, set)) {
            out->cpus[cpu / 64] |= UINT64_C(1) << (cpu % 64);
        }
    }
    CPU_FREE(set);
    return status;
}

static size_t count_cpus(const uint64_t *cpus)
{
    size_t count = 0;
    for (size_t i = 0; i < EG_CPU_WORDS; i++) {
        count += (size_t)__builtin_popcountll(cpus[i]);
    }
    return count;
}

static bool is_subset(const uint64_t *part, const uint64_t *whole)
{
    for (size_t i = 0; i < EG_CPU_WORDS; i++) {
        if ((part[i] & ~whole[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool same_host(const eg_process_info *a, const eg_process_info *b)
{
    return strcmp(a->host, b->host) == 0;
}

/* The most crowded binding on the host of `processes[at]`: a set of cores that more ranks are
 * confined to than it has cores. False if there is none. */
static bool find_crowd(const eg_process_info *processes, size_t count, size_t at, size_t *ranks,
                       size_t *cores)
{
    for (size_t i = at; i < count; i++) {
        size_t confined = 0;
        for (size_t k = at; same_host(&processes[at], &processes[i]) && k < count; k++) {
            if (same_host(&processes[at], &processes[k]) &&
                is_subset(processes[k].cpus, processes[i].cpus)) {
                confined++;
            }
        }
        if (confined > count_cpus(processes[i].cpus)) {
            *ranks = confined;
            *cores = count_cpus(processes[i].cpus);
            return true;
        }
    }
    return false;
}

/* Adds a sentence, with its newline, to `text`. */
static eg_status add_sentence(eg_writer *text, char *sentence)
{
    eg_write_bytes(text, sentence, strlen(sentence));
    eg_free(sentence);
    return eg_writer_status(text);
}

/* One host: processes[at] is its first computing rank. */
static eg_status check_host(const eg_process_info *processes, size_t count, size_t at,
                            eg_writer *text, size_t *cores)
{
    uint64_t allowed[EG_CPU_WORDS] = {0};
    size_t ranks = 0;
    for (size_t i = at; i < count; i++) {
        for (size_t k = 0; same_host(&processes[at], &processes[i]) && k < EG_CPU_WORDS; k++) {
            allowed[k] |= processes[i].cpus[k];
        }
        ranks += same_host(&processes[at], &processes[i]) ? 1 : 0;
    }
    *cores = count_cpus(allowed);
    size_t crowd = 0, crowd_cores = 0;
    char *sentence = NULL;
    if (ranks > processes[at].online) {
        EG_TRY(eg_format(&sentence,
                         "host %s: %zu ranks compute on %zu cores and will slow each other down; "
                         "start at most %zu there\n",
                         processes[at].host, ranks, (size_t)processes[at].online,
                         (size_t)processes[at].online));
        return add_sentence(text, sentence);
    }
    if (ranks > *cores) {
        EG_TRY(eg_format(&sentence,
                         "host %s: %zu ranks may use only %zu of its %zu cores; start fewer, or "
                         "launch with: mpirun --bind-to none\n",
                         processes[at].host, ranks, *cores, (size_t)processes[at].online));
        return add_sentence(text, sentence);
    }
    if (find_crowd(processes, count, at, &crowd, &crowd_cores)) {
        EG_TRY(eg_format(&sentence,
                         "host %s: %zu ranks are bound to the same %zu of its %zu cores; launch "
                         "with: mpirun --bind-to none\n",
                         processes[at].host, crowd, crowd_cores, (size_t)processes[at].online));
        return add_sentence(text, sentence);
    }
    return eg_ok();
}

static bool is_first_of_host(const eg_process_info *processes, size_t first, size_t at)
{
    for (size_t i = first; i < at; i++) {
        if (same_host(&processes[i], &processes[at])) {
            return false;
        }
    }
    return true;
}

eg_status eg_process_info_describe(const eg_process_info *processes, size_t count, size_t first,
                                   char **line, char **warnings)
{
    *line = *warnings = NULL;
    eg_writer text = {0};
    size_t hosts = 0, cores = 0;
    eg_status status = eg_ok();
    for (size_t i = first; i < count; i++) {
        if (is_first_of_host(processes, first, i)) {
            size_t here = 0;
            EG_TRY_DONE(status, check_host(processes, count, i, &text, &here));
            cores += here;
            hosts++;
        }
    }
    size_t computing = count - first;
    EG_TRY_DONE(status,
                eg_format(line,
                          "%zu rank%s on %zu host%s: %zu compute thread%s, %zu core%s "
                          "allowed",
                          count, count == 1 ? "" : "s", hosts, hosts == 1 ? "" : "s", computing,
                          computing == 1 ? "" : "s", cores, cores == 1 ? "" : "s"));
    status =
        eg_format(warnings, "%.*s", (int)text.size, text.size > 0 ? (const char *)text.data : "");
done:
    eg_writer_clear(&text);
    if (status.code != EG_OK) {
        eg_free(*line);
        *line = NULL;
    }
    return status;
}
