/** Command lines of other programs; see cli/command.h. */
#include "cli/command.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_SIGNALLED = 128 };

/** Takes the argument. */
static eg_status append(eg_command *command, char *word)
{
    eg_status status = eg_grow(&command->arguments, &command->capacity, command->count + 2,
                               sizeof *command->arguments);
    if (status.code != EG_OK) {
        eg_free(word);
        return status;
    }
    command->arguments[command->count++] = word;
    command->arguments[command->count] = NULL;
    return eg_ok();
}

eg_status eg_command_add(eg_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *word = NULL;
    EG_TRY(eg_alloc(&word, (size_t)length + 1, 1));
    va_start(arguments, format);
    (void)vsnprintf(word, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return append(command, word);
}

eg_status eg_command_add_all(eg_command *command, char *const *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EG_TRY(eg_command_add(command, "%s", arguments[i]));
    }
    return eg_ok();
}

eg_status eg_command_split(eg_command *command, const char *text)
{
    while (*(text += strspn(text, " ")) != '\0') {
        size_t length = strcspn(text, " ");
        EG_TRY(eg_command_add(command, "%.*s", (int)length, text));
        text += length;
    }
    return eg_ok();
}

void eg_command_clear(eg_command *command)
{
    for (size_t i = 0; i < command->count; i++) {
        eg_free(command->arguments[i]);
    }
    eg_free(command->arguments);
    *command = (eg_command){0};
}

/** `output`: where its standard output goes; -1: where ours does. */
static eg_status spawn(pid_t *out, const eg_command *command, int output)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    *out = -1;
    if (error != 0) {
        return eg_fail_errno(error, "cannot start %s", command->arguments[0]);
    }
    (void)fflush(stdout); /* in the order in which it was printed */
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    if (error == 0 && output >= 0) {
        error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    }
    if (error == 0) {
        error =
            posix_spawnp(out, command->arguments[0], &actions, NULL, command->arguments, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return error == 0
               ? eg_ok()
               : eg_fail(EG_INVALID, "cannot start %s: %s", command->arguments[0], strerror(error));
}

static eg_status await(const eg_command *command, pid_t pid, int *out)
{
    int state = 0;
    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) {
            return eg_fail_errno(errno, "cannot wait for %s", command->arguments[0]);
        }
    }
    *out = WIFEXITED(state) ? WEXITSTATUS(state) : EXIT_SIGNALLED + WTERMSIG(state);
    return eg_ok();
}

eg_status eg_command_run(const eg_command *command, int *out)
{
    pid_t pid = -1;
    EG_TRY(spawn(&pid, command, -1));
    return await(command, pid, out);
}

static eg_status read_all(eg_writer *out, int file)
{
    char bytes[4096];
    ssize_t count = 0;
    while ((count = read(file, bytes, sizeof bytes)) != 0) {
        if (count < 0 && errno != EINTR) {
            return eg_fail_errno(errno, "cannot read from a pipe");
        }
        if (count > 0) {
            eg_write_bytes(out, bytes, (size_t)count);
        }
    }
    eg_write_bytes(out, "", 1);
    return eg_writer_status(out);
}

eg_status eg_command_capture(const eg_command *command, char **text, int *out)
{
    int ends[2];
    pid_t pid = -1;
    eg_writer answer = {0};
    *text = NULL;
    if (pipe(ends) != 0) {
        return eg_fail_errno(errno, "cannot make a pipe");
    }
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    eg_status status = spawn(&pid, command, ends[1]);
    (void)close(ends[1]);
    if (status.code == EG_OK) {
        status = read_all(&answer, ends[0]);
        eg_status_keep(&status, await(command, pid, out));
    }
    (void)close(ends[0]);
    if (status.code == EG_OK) {
        status = eg_strdup(text, (const char *)answer.data);
    }
    eg_writer_clear(&answer);
    return status;
}

bool eg_command_exists(const char *program)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        char file[4096];
        size_t length = strcspn(path, ":");
        (void)snprintf(file, sizeof file, "%.*s/%s", (int)length, path, program);
        if (access(file, X_OK) == 0) {
            return true;
        }
        path += length + (path[length] == ':' ? 1 : 0);
    }
    return false;
}

eg_status eg_command_self(char **out)
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        return eg_fail_errno(errno, "cannot find this program");
    }
    path[length] = '\0';
    return eg_strdup(out, path);
}
