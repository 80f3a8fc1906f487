/** Reads /proc; see cli/neighbours.h. What ends while it is read is simply not there. */
#include "cli/neighbours.h"

#include "engram/memory.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 64, COUNT_MAX = 1000000 };

/** What Open MPI says to each process that it starts. */
typedef struct identity {
    long rank, local_rank; /* -1: it does not say */
    long local_size;       /* how many ranks the host has; 0: it does not say */
} identity;

static FILE *open_file(long pid, const char *name)
{
    char path[2 * PATH_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", pid, name);
    return fopen(path, "re");
}

static void take_number(long *out, const char *entry, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(entry, name, length) == 0) {
        *out = strtol(entry + length, NULL, 10);
    }
}

static identity identify(long pid)
{
    identity found = {-1, -1, 0};
    FILE *file = open_file(pid, "environ");
    char *entry = NULL;
    size_t size = 0;
    while (file != NULL && getdelim(&entry, &size, '\0', file) > 0) {
        take_number(&found.rank, entry, "OMPI_COMM_WORLD_RANK=");
        take_number(&found.local_rank, entry, "OMPI_COMM_WORLD_LOCAL_RANK=");
        take_number(&found.local_size, entry, "OMPI_COMM_WORLD_LOCAL_SIZE=");
    }
    free(entry);
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

/** State and parent; the name before them may have spaces and parentheses. False: there is no such
 *  process. */
static bool read_state(long pid, char *state, long *parent)
{
    char text[512] = "";
    FILE *file = open_file(pid, "stat");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    text[size] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && sscanf(end + 1, " %c %ld", state, parent) == 2;
}

/** Is one of its threads in eg_startup_open? */
static bool is_starting(long pid)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    bool found = false;
    for (struct dirent *task = NULL; tasks != NULL && (task = readdir(tasks)) != NULL;) {
        char name[PATH_SIZE], text[32] = "";
        (void)snprintf(name, sizeof name, "task/%.20s/comm", task->d_name);
        FILE *file = open_file(pid, name);
        if (file != NULL) {
            found = found || (fgets(text, sizeof text, file) != NULL &&
                              strcmp(text, EG_STARTUP_THREAD "\n") == 0);
            (void)fclose(file);
        }
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    return found;
}

/** Do two processes run the same program? */
static bool is_same_program(long one, long other)
{
    const long pids[2] = {one, other};
    char program[2][4096];
    ssize_t size[2];
    for (int i = 0; i < 2; i++) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "/proc/%ld/exe", pids[i]);
        size[i] = readlink(path, program[i], sizeof program[i]);
    }
    return size[0] > 0 && size[0] == size[1] &&
           memcmp(program[0], program[1], (size_t)size[0]) == 0;
}

/** Calls visit(context, pid) for the children of every thread of a process, until it returns false.
 *  False: it did, or there are no lists of them. */
static bool visit_children(long parent, bool (*visit)(void *context, long pid), void *context)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "/proc/%ld/task", parent);
    DIR *threads = opendir(path);
    bool listed = false;
    bool more = threads != NULL;
    for (struct dirent *thread = NULL; more && (thread = readdir(threads)) != NULL;) {
        char name[PATH_SIZE];
        (void)snprintf(name, sizeof name, "task/%.20s/children", thread->d_name);
        FILE *list = open_file(parent, name);
        long pid = 0;
        while (list != NULL && more && fscanf(list, "%ld", &pid) == 1) {
            more = visit(context, pid);
        }
        if (list != NULL) {
            listed = true;
            (void)fclose(list);
        }
    }
    if (threads != NULL) {
        (void)closedir(threads);
    }
    return listed && more;
}

static bool stop_at_child(void *context, long pid)
{
    (void)context;
    (void)pid;
    return false;
}

bool eg_has_children(long pid)
{
    return !visit_children(pid, stop_at_child, NULL);
}

static bool look_at(void *context, long pid)
{
    eg_neighbours *me = context;
    identity who = identify(pid);
    char state = ' ';
    long parent = 0;
    if (who.local_rank < 0 && is_same_program(pid, me->launcher)) {
        me->coming++; /* it does not yet run what it is to run, which may have to come from far */
    }
    if (who.local_rank < 0 || (size_t)who.local_rank >= me->count ||
        !read_state(pid, &state, &parent) || state == 'Z') {
        return true;
    }
    eg_neighbour *one = &me->list[who.local_rank];
    me->there += one->there ? 0 : 1;
    one->there = true;
    one->suspended = state == 'T' || state == 't';
    one->arrived = one->arrived || is_starting(pid) || !is_same_program(pid, (long)getpid());
    one->rank = who.rank;
    one->pid = pid;
    return true;
}

/** Ranks are counted from one number on, host by host, unless somebody asked for another order. */
static void guess_ranks(eg_neighbours *me)
{
    long first = -1;
    for (size_t i = 0; i < me->count; i++) {
        if (me->list[i].there) {
            first = first >= 0 ? first : me->list[i].rank - (long)i;
            if (me->list[i].rank != first + (long)i) {
                return;
            }
        }
    }
    for (size_t i = 0; i < me->count && first >= 0; i++) {
        me->list[i].rank = first + (long)i;
    }
}

bool eg_neighbours_look(eg_neighbours *me)
{
    if (me->list == NULL) {
        return true;
    }
    for (size_t i = 0; i < me->count; i++) {
        me->list[i].there = false;
    }
    me->there = me->coming = 0;
    (void)visit_children(me->launcher, look_at, me);
    guess_ranks(me);
    return kill((pid_t)me->launcher, 0) == 0 || errno != ESRCH;
}

/** The first process above this one that is not a part of the same rank: a script may stand in
 *  between. */
static long find_launcher(long rank)
{
    long pid = (long)getppid();
    char state = ' ';
    while (pid > 1 && identify(pid).rank == rank) {
        if (!read_state(pid, &state, &pid)) {
            return 0;
        }
    }
    return pid > 1 ? pid : 0;
}

/** What a rank says of the size of its host; 0: not known. */
static size_t count_of(const identity *who)
{
    bool known = who->rank >= 0 && who->local_rank >= 0 && who->local_rank < who->local_size;
    return known && who->local_size < COUNT_MAX ? (size_t)who->local_size : 0;
}

static eg_status make_list(eg_neighbours *me, size_t count)
{
    EG_TRY(eg_alloc(&me->list, count, sizeof *me->list));
    me->count = count;
    for (size_t i = 0; i < count; i++) {
        me->list[i].rank = -1;
    }
    return eg_ok();
}

eg_status eg_neighbours_find(eg_neighbours *out)
{
    identity own = identify((long)getpid());
    size_t count = count_of(&own);
    eg_neighbours_below(out, count == 0 ? 0 : find_launcher(own.rank));
    if (out->launcher == 0) {
        return eg_ok();
    }
    out->own = (size_t)own.local_rank;
    EG_TRY(make_list(out, count));
    /* Without lists of children (an option of the kernel), not even this process is found. */
    if (!eg_neighbours_look(out) || !out->list[out->own].there) {
        eg_neighbours_clear(out);
    }
    return eg_ok();
}

void eg_neighbours_below(eg_neighbours *out, long launcher)
{
    *out = (eg_neighbours){.launcher = launcher};
    (void)gethostname(out->host, sizeof out->host - 1);
}

static bool take_count(void *context, long pid)
{
    size_t *count = context;
    identity who = identify(pid);
    *count = count_of(&who);
    return *count == 0;
}

eg_status eg_neighbours_count(eg_neighbours *me)
{
    size_t count = 0;
    if (me->list == NULL) {
        (void)visit_children(me->launcher, take_count, &count);
    }
    return count == 0 ? eg_ok() : make_list(me, count);
}

void eg_neighbours_clear(eg_neighbours *me)
{
    eg_free(me->list);
    me->list = NULL;
    me->count = me->there = 0;
}
