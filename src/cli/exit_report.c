/** The files between rank 0 and its supervisor; see cli/exit_report.h. */
#include "cli/exit_report.h"

#include "engram/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STARTED_SUFFIX ".started"

eg_reporting eg_supervisor_tell(int code)
{
    const char *path = getenv(EG_EXIT_CODE_VARIABLE);
    int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) {
        return path != NULL && errno == EEXIST ? EG_REPORTED_BEFORE : EG_NOT_SUPERVISED;
    }
    (void)dprintf(file, "%d\n", code);
    (void)close(file);
    return EG_REPORTED;
}

eg_status eg_supervisor_tell_started(void)
{
    const char *path = getenv(EG_EXIT_CODE_VARIABLE);
    char *started = NULL;
    if (path == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_format(&started, "%s" STARTED_SUFFIX, path));
    int file = open(started, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    eg_status status = file >= 0 ? eg_ok() : eg_fail_errno(errno, "cannot make '%s'", started);
    if (file >= 0) {
        (void)close(file);
    }
    eg_free(started);
    return status;
}

eg_status eg_exit_report_open(eg_exit_report *out)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || strlen(parent) > sizeof out->directory - 20) {
        parent = "/tmp";
    }
    *out = (eg_exit_report){0};
    (void)snprintf(out->directory, sizeof out->directory, "%s/engram.XXXXXX", parent);
    if (mkdtemp(out->directory) == NULL) {
        int error = errno;
        out->directory[0] = '\0';
        return eg_fail_errno(error, "cannot make a directory in %s", parent);
    }
    eg_status status = eg_format(&out->code_path, "%s/code", out->directory);
    if (status.code == EG_OK) {
        status = eg_format(&out->started_path, "%s" STARTED_SUFFIX, out->code_path);
    }
    if (status.code == EG_OK && setenv(EG_EXIT_CODE_VARIABLE, out->code_path, 1) != 0) {
        status = eg_fail_memory(0);
    }
    if (status.code != EG_OK) {
        eg_exit_report_close(out);
    }
    return status;
}

void eg_exit_report_close(eg_exit_report *me)
{
    char **paths[] = {&me->code_path, &me->started_path};
    (void)unsetenv(EG_EXIT_CODE_VARIABLE); /* it was meant for the ranks */
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (*paths[i] != NULL) {
            (void)unlink(*paths[i]);
            eg_free(*paths[i]);
            *paths[i] = NULL;
        }
    }
    if (me->directory[0] != '\0') {
        (void)rmdir(me->directory);
        me->directory[0] = '\0';
    }
}

int eg_exit_report_code(const eg_exit_report *me)
{
    int code = -1;
    FILE *file = fopen(me->code_path, "re");
    if (file != NULL) {
        if (fscanf(file, "%d", &code) != 1) {
            code = -1;
        }
        (void)fclose(file);
    }
    return code;
}

bool eg_exit_report_has_started(const eg_exit_report *me)
{
    return access(me->started_path, F_OK) == 0;
}
