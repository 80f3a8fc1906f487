/** Command lines of other programs; see cli/command.h. */
#include "cli/command.h"

#include "engram/memory.h"

#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_NOT_STARTED = 127, EXIT_SIGNALLED = 128 };

/** Takes the word. */
static eg_status append(eg_command *command, char *word)
{
    eg_status status =
        eg_grow(&command->words, &command->capacity, command->count + 2, sizeof *command->words);
    if (status.code != EG_OK) {
        eg_free(word);
        return status;
    }
    command->words[command->count++] = word;
    command->words[command->count] = NULL;
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

eg_status eg_command_add_all(eg_command *command, char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EG_TRY(eg_command_add(command, "%s", words[i]));
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
        eg_free(command->words[i]);
    }
    eg_free(command->words);
    *command = (eg_command){0};
}

eg_status eg_command_run(const eg_command *command, int *out)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return eg_fail_errno(error, "cannot start %s", command->words[0]);
    }
    pid_t pid = 0;
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
    if (error == 0) {
        error = posix_spawnp(&pid, command->words[0], &actions, NULL, command->words, environ);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        *out = EXIT_NOT_STARTED;
        return eg_ok();
    }
    int state = 0;
    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) {
            return eg_fail_errno(errno, "cannot wait for %s", command->words[0]);
        }
    }
    *out = WIFEXITED(state) ? WEXITSTATUS(state) : EXIT_SIGNALLED + WTERMSIG(state);
    return eg_ok();
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
