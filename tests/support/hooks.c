/** A library for LD_PRELOAD with which a test brings engram to a chosen point of its work and keeps it there, however
 *  fast or slow the machine is. The command itself knows nothing of it.
 *
 *  The point is a count in one process, from 1, and is reached at most once per folder:
 *
 *      ENGRAM_HOOK_AT      "products N"      before the N-th matrix product: somewhere inside a trial
 *                          "results N"       after the N-th result is in the journal
 *                          "checkpoints N"   after the N-th checkpoint is in its place
 *                          "main 1"          in a process that mpirun started, before its main begins
 *                          "init 1"          there, inside MPI_Init
 *                          unset             never
 *      ENGRAM_HOOK_RANK    only in this rank, and the others are slow until it is there (default: in every one, each by
 *                          its own count)
 *      ENGRAM_HOOK_FOLDER  an existing folder; without one nothing happens
 *      ENGRAM_HOOK_STALL   if set, the call there does not return as long as the file `stall` exists, which is made then
 *      ENGRAM_HOOK_SIGNAL  the number of a signal that the process then sends to itself (default: none)
 *      ENGRAM_HOOK_FOLLOW  "exit", "kill": all other ranks call exit, or kill themselves, at the same point of their work,
 *                          as soon as ENGRAM_HOOK_RANK is gone
 *
 *  There the process makes two files in the folder: `slow`, then `reached.RANK` (rank 0 without MPI). As long as
 *  `slow` exists, each matrix product of every process takes 10 ms: trials go on and answer messages, but none of them
 *  ends while a test looks on. A test may make `slow` itself, and remove it. */
#include <cblas.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

typedef enum event { PRODUCTS, RESULTS, CHECKPOINTS, MAIN, INIT, EVENTS } event;

static struct {
    bool active;
    event event;
    unsigned long at; /* 0: never */
    int signal;       /* 0: none */
    bool stalls;      /* the call at the point does not return */
    bool waits;       /* slow until another rank is at its point */
    bool follows;     /* ends when that one is gone … */
    bool exits;       /* … by exit */
    char slow[PATH_SIZE], stall[PATH_SIZE];
    char reached[PATH_SIZE]; /* of that rank, or of this one */
} hook;

static atomic_ulong counts[EVENTS];

static unsigned long number(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : strtoul(text, NULL, 10);
}

static void read_environment(void)
{
    static const char *const names[EVENTS] = {"products", "results", "checkpoints", "main", "init"};
    const char *folder = getenv("ENGRAM_HOOK_FOLDER");
    const char *at = getenv("ENGRAM_HOOK_AT");
    const char *only = getenv("ENGRAM_HOOK_RANK");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    rank = rank != NULL ? rank : getenv("PMIX_RANK");
    rank = rank != NULL ? rank : "0";
    if (folder == NULL) {
        return;
    }
    hook.active = true;
    hook.signal = (int)number("ENGRAM_HOOK_SIGNAL");
    hook.stalls = getenv("ENGRAM_HOOK_STALL") != NULL;
    (void)snprintf(hook.slow, sizeof hook.slow, "%s/slow", folder);
    (void)snprintf(hook.stall, sizeof hook.stall, "%s/stall", folder);
    (void)snprintf(hook.reached, sizeof hook.reached, "%s/reached.%s", folder,
                   only != NULL ? only : rank);
    hook.waits = only != NULL && strcmp(only, rank) != 0;
    const char *follow = getenv("ENGRAM_HOOK_FOLLOW");
    hook.follows = hook.waits && follow != NULL;
    hook.exits = hook.follows && strcmp(follow, "exit") == 0;
    for (int i = 0; i < EVENTS && at != NULL && (hook.follows || !hook.waits); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(at, names[i], length) == 0 && at[length] == ' ') {
            hook.event = (event)i;
            hook.at = strtoul(at + length, NULL, 10);
        }
    }
}

/* Whether the file was not there before. It names this process. */
static bool make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd >= 0 && dprintf(fd, "%ld\n", (long)getpid()) > 0 && close(fd) == 0;
}

static bool is_slow(void)
{
    return access(hook.slow, F_OK) == 0 || (hook.waits && access(hook.reached, F_OK) != 0);
}

static const struct timespec moment = {.tv_nsec = 10000000};

/* The process that is at its point; 0: none yet. */
static pid_t get_first(void)
{
    long pid = 0;
    FILE *file = fopen(hook.reached, "re");
    if (file != NULL && fscanf(file, "%ld\n", &pid) != 1) {
        pid = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (pid_t)pid;
}

static void follow(void)
{
    while (get_first() == 0 || kill(get_first(), 0) == 0) {
        (void)nanosleep(&moment, NULL);
    }
    if (hook.exits) {
        exit(1);
    }
    (void)kill(getpid(), SIGKILL);
}

static void count(event what)
{
    unsigned long n = atomic_fetch_add(&counts[what], 1) + 1;
    if (hook.follows && hook.at == n && hook.event == what) {
        follow();
    }
    if (!hook.follows && hook.at == n && hook.event == what && access(hook.reached, F_OK) != 0) {
        if (hook.stalls) {
            (void)make(hook.stall);
        }
        (void)make(hook.slow);
        (void)make(hook.reached);
        while (hook.stalls && access(hook.stall, F_OK) == 0) {
            (void)nanosleep(&moment, NULL);
        }
        if (hook.signal != 0) {
            (void)kill(getpid(), hook.signal);
        }
    }
}

/* Is this process a rank? */
static bool has_launcher(void)
{
    return hook.active && getenv("OMPI_COMM_WORLD_RANK") != NULL;
}

/* Before main, and so before any thread. */
__attribute__((constructor)) static void begin(void)
{
    read_environment();
    if (has_launcher()) {
        count(MAIN);
    }
}

/** --- The calls that are counted; each does what it always does. ----------------------------------- */

typedef void gemm(CBLAS_LAYOUT, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, float,
                  const float *, blasint, const float *, blasint, float, float *, blasint);

void cblas_sgemm(CBLAS_LAYOUT layout, CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b,
                 blasint m, blasint n, blasint k, float alpha, const float *a, blasint lda,
                 const float *b, blasint ldb, float beta, float *c, blasint ldc)
{
    static _Atomic(gemm *) real;
    gemm *next = atomic_load(&real);
    if (next == NULL) {
        *(void **)&next = dlsym(RTLD_NEXT, "cblas_sgemm"); /* POSIX's way to a function's address */
        atomic_store(&real, next);
    }
    if (hook.active) {
        count(PRODUCTS);
        if (is_slow()) {
            (void)nanosleep(&moment, NULL);
        }
    }
    next(layout, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

/* Open MPI says by this what it has to say to the other ranks; then it waits for what they say. */
int PMIx_Commit(void)
{
    int (*next)(void) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "PMIx_Commit");
    if (has_launcher()) {
        count(INIT);
    }
    return next();
}

/* A frame of the journal is one write; see store/journal/journal.h. */
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    static const unsigned char result[] = {0x89, 'E', 'G', 'J', 7, 0, 0, 0};
    ssize_t done = syscall(SYS_pwrite64, fd, data, size, offset);
    if (hook.active && done == (ssize_t)size && size > sizeof result &&
        memcmp(data, result, sizeof result) == 0) {
        count(RESULTS);
    }
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

int rename(const char *from, const char *to)
{
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (hook.active && result == 0 && strstr(to, ".checkpoints/") != NULL) {
        count(CHECKPOINTS);
    }
    return result;
}
