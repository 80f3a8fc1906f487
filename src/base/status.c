/** Codes and words of failures; see engram/status.h. */
#include "engram/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static eg_status fail_with(eg_code code, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static eg_status fail_with(eg_code code, const char *format, va_list arguments)
{
    eg_status status;
    status.code = code;
    status.settings[0] = '\0';
    if (vsnprintf(status.message, sizeof status.message, format, arguments) < 0) {
        status.message[0] = '\0';
    }
    return status;
}

eg_status eg_fail(eg_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    eg_status status = fail_with(code, format, arguments);
    va_end(arguments);
    return status;
}

/** Every name of the list "a b", as PREFIXa and PREFIXb, behind those the status has; one that does
 *  not fit is left out. */
static void add_settings(eg_status *status, const char *prefix, const char *names)
{
    while (*names != '\0') {
        size_t length = strcspn(names, " ");
        size_t used = strlen(status->settings);
        size_t room = sizeof status->settings - used;
        int wanted = snprintf(status->settings + used, room, "%s%s%.*s", used > 0 ? " " : "",
                              prefix, (int)length, names);
        if (wanted < 0 || (size_t)wanted >= room) {
            status->settings[used] = '\0';
        }
        names += length + (names[length] == ' ' ? 1 : 0);
    }
}

eg_status eg_fail_setting(const char *prefix, const char *names, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    eg_status status = fail_with(EG_INVALID, format, arguments);
    va_end(arguments);
    add_settings(&status, prefix, names);
    return status;
}

eg_status eg_status_about(eg_status status, const char *prefix, const char *names)
{
    if (status.code != EG_OK) {
        add_settings(&status, prefix, names);
    }
    return status;
}

eg_status eg_status_inside(eg_status status, const char *prefix, const char *name)
{
    if (status.code == EG_OK) {
        return status;
    }
    char names[EG_STATUS_SETTINGS_SIZE];
    char below[EG_STATUS_SETTINGS_SIZE];
    memcpy(names, status.settings, sizeof names);
    status.settings[0] = '\0';
    int length = snprintf(below, sizeof below, "%s%s.", prefix, name);
    if (length >= 0 && (size_t)length < sizeof below) {
        add_settings(&status, below, names);
    }
    add_settings(&status, prefix, name);
    return status;
}

eg_status eg_fail_memory(unsigned long long bytes)
{
    return eg_fail(EG_MEMORY, "out of memory: could not allocate %llu bytes", bytes);
}

eg_status eg_fail_errno(int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    eg_status status = fail_with(EG_SYSTEM, format, arguments);
    va_end(arguments);
    size_t used = strlen(status.message);
    (void)snprintf(status.message + used, sizeof status.message - used, ": %s", strerror(error));
    return status;
}

eg_status eg_status_wrap(eg_status status, const char *format, ...)
{
    if (status.code == EG_OK) {
        return status;
    }
    va_list arguments;
    va_start(arguments, format);
    eg_status wrapped = fail_with(status.code, format, arguments);
    va_end(arguments);
    memcpy(wrapped.settings, status.settings, sizeof wrapped.settings);
    size_t used = strlen(wrapped.message);
    /* Cut at the end if too long, as everywhere; the result is looked at so that gcc knows we
     * know. */
    if (snprintf(wrapped.message + used, sizeof wrapped.message - used, ": %s", status.message) <
        0) {
        wrapped.message[used] = '\0';
    }
    return wrapped;
}

void eg_status_keep(eg_status *first, eg_status next)
{
    if (first->code == EG_OK) {
        *first = next;
    }
}
