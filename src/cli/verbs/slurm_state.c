/** A job's traces beside its results; see cli/verbs/slurm_state.h. */
#define _GNU_SOURCE /* strptime */
#include "cli/verbs/slurm_state.h"

#include "cli/command.h"
#include "cli/verbs/slurm.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/store.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TOKEN_SIZE = 256 };

static void read_checkpoints(eg_slurm_state *out, const char *directory)
{
    DIR *list = opendir(directory);
    const struct dirent *entry = NULL;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        struct stat info;
        if (fstatat(dirfd(list), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode)) {
            uint64_t time =
                (uint64_t)info.st_mtim.tv_sec * 1000000000U + (uint64_t)info.st_mtim.tv_nsec;
            uint64_t name = eg_crc32c(0, entry->d_name, strlen(entry->d_name));
            out->checkpoints++;
            out->mark += time ^ (name << 32); /* in whatever order they come */
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
}

eg_status eg_slurm_state_read(eg_slurm_state *out, const eg_plan *plan, const char *results)
{
    char *directory = NULL;
    *out = (eg_slurm_state){0};
    EG_TRY(eg_slurm_count_finished(&out->finished, plan, results));
    EG_TRY(eg_store_checkpoint_directory(&directory, results));
    read_checkpoints(out, directory);
    eg_free(directory);
    return eg_ok();
}

bool eg_slurm_state_same(const eg_slurm_state *a, const eg_slurm_state *b)
{
    return a->finished == b->finished && a->checkpoints == b->checkpoints && a->mark == b->mark;
}

eg_status eg_slurm_tell_end(const char *job)
{
    if (getenv("SLURM_JOB_END_TIME") != NULL || !eg_command_exists("squeue")) {
        return eg_ok();
    }
    eg_command command = {0};
    char *text = NULL;
    int code = 0;
    struct tm parts = {.tm_isdst = -1};
    eg_status status = eg_command_split(&command, "squeue --noheader --format %e --jobs");
    eg_status_keep(&status, eg_command_add(&command, "%s", job));
    if (status.code == EG_OK) {
        status = eg_command_capture(&command, &text, &code);
    }
    /* A job without end has none to tell. */
    if (status.code == EG_OK && code == 0 && strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) != NULL) {
        char end[24];
        (void)snprintf(end, sizeof end, "%lld", (long long)mktime(&parts));
        status = setenv("SLURM_JOB_END_TIME", end, 1) == 0 ? eg_ok() : eg_fail_memory(sizeof end);
    }
    eg_free(text);
    eg_command_clear(&command);
    return status;
}

/** NAME.ending for NAME.h5. */
static eg_status beside(char **out, const char *results, const char *ending)
{
    return eg_format(out, "%.*s%s", (int)(strlen(results) - strlen(".h5")), results, ending);
}

/** The first two tokens of a file; "" where there are none. */
static void read_tokens(const char *path, char first[TOKEN_SIZE], char second[TOKEN_SIZE])
{
    FILE *file = fopen(path, "re");
    first[0] = second[0] = '\0';
    if (file != NULL) {
        if (fscanf(file, "%255s %255s", first, second) < 1) {
            first[0] = '\0';
        }
        (void)fclose(file);
    }
}

static eg_status write_mark(const char *path, const char *job, const char *host)
{
    FILE *file = fopen(path, "we");
    bool written = file != NULL && fprintf(file, "%s %s\n", job, host) > 0;
    int error = errno;
    if (file != NULL && fclose(file) != 0) {
        written = false;
        error = errno;
    }
    return written ? eg_ok() : eg_fail_errno(error, "cannot write %s", path);
}

eg_status eg_slurm_mark(bool *reclaimed, const char *job, const char *results, size_t restarts)
{
    char *mark = NULL;
    char *lock = NULL;
    char last_job[TOKEN_SIZE], last_host[TOKEN_SIZE], holder[TOKEN_SIZE], rest[TOKEN_SIZE];
    char host[TOKEN_SIZE] = "";
    eg_status status = eg_ok();
    (void)gethostname(host, sizeof host - 1);
    EG_TRY_DONE(status, beside(&mark, results, ".slurm"));
    EG_TRY_DONE(status, beside(&lock, results, ".lock"));
    read_tokens(mark, last_job, last_host);
    read_tokens(lock, holder, rest);
    *reclaimed = restarts > 0 && strcmp(last_job, job) == 0 && holder[0] != '\0' &&
                 strcmp(last_host, holder) == 0 && strcmp(last_host, host) != 0;
    if (*reclaimed) {
        (void)unlink(lock);
    }
    status = write_mark(mark, job, host);
done:
    eg_free(mark);
    eg_free(lock);
    return status;
}

void eg_slurm_unmark(const char *results)
{
    char *mark = NULL;
    if (beside(&mark, results, ".slurm").code == EG_OK) {
        (void)unlink(mark);
    }
    eg_free(mark);
}
