/** The one way to say how a call went: a code for programs, a message for people.
 *
 *  Every fallible function returns an eg_status by value. Nothing below the command line prints or
 *  ends the process. Messages are complete sentences naming what is at fault (file, line, key,
 *  value) and what was expected; whoever knows more context puts it in front with eg_status_wrap.
 */
#ifndef ENGRAM_STATUS_H
#define ENGRAM_STATUS_H

#include <stdbool.h>

typedef enum eg_code {
    EG_OK = 0,
    EG_INVALID,  /**< the caller's data or settings are wrong: bad file, bad setting (exit 2) */
    EG_MEMORY,   /**< an allocation failed (exit 4) */
    EG_SYSTEM,   /**< the operating system refused: disk full, read error, lost peer (exit 4) */
    EG_STOPPED,  /**< asked to stop by a signal or time limit; resumable (exit 75) */
    EG_INTERNAL, /**< a promise inside engram was broken (exit 1) */
} eg_code;

enum { EG_MESSAGE_SIZE = 496, EG_STATUS_SETTINGS_SIZE = 256 };

typedef struct eg_status {
    eg_code code;
    /** Empty when code is EG_OK; truncated at the end if too long. */
    char message[EG_MESSAGE_SIZE];
    /** Whole names of the settings that do not work (together), separated by spaces; empty: it is
     *  about no setting. The first of them that somebody gave is where to look. */
    char settings[EG_STATUS_SETTINGS_SIZE];
} eg_status;

#define EG_WARN_UNUSED __attribute__((warn_unused_result))
#define EG_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))

static inline eg_status eg_ok(void)
{
    eg_status status;
    status.code = EG_OK;
    status.message[0] = '\0';
    status.settings[0] = '\0';
    return status;
}

static inline bool eg_is_ok(const eg_status *status)
{
    return status->code == EG_OK;
}

/** A failure with a printf-formatted message. */
eg_status eg_fail(eg_code code, const char *format, ...) EG_PRINTF(2, 3);

/** EG_INVALID about settings: `names` are those of one component, without the prefix of its view,
 *  separated by spaces, the one most at fault first. The message says their names itself. A name
 *  too many to be kept is left out. */
eg_status eg_fail_setting(const char *prefix, const char *names, const char *format, ...)
    EG_PRINTF(3, 4);

/** The same failure about these settings too, which come behind its own; EG_OK stays EG_OK. */
eg_status eg_status_about(eg_status status, const char *prefix, const char *names);

/** The same failure, of the component that setting PREFIXname chose: its settings are below that
 *  one, which comes behind them; EG_OK stays EG_OK. */
eg_status eg_status_inside(eg_status status, const char *prefix, const char *name);

/** EG_MEMORY with the number of bytes that were asked for. */
eg_status eg_fail_memory(unsigned long long bytes);

/** EG_SYSTEM with a formatted message followed by ": " and strerror(error). */
eg_status eg_fail_errno(int error, const char *format, ...) EG_PRINTF(2, 3);

/** The same failure, about the same settings, with formatted text and ": " put in front; EG_OK
 *  stays EG_OK. */
eg_status eg_status_wrap(eg_status status, const char *format, ...) EG_PRINTF(2, 3);

/** Keeps the first failure: *first becomes `next` only while *first is EG_OK. */
void eg_status_keep(eg_status *first, eg_status next);

/** Returns from the calling function if `call` fails; for functions that hold nothing. */
#define EG_TRY(call)                                                                               \
    do {                                                                                           \
        eg_status eg_try_status_ = (call);                                                         \
        if (eg_try_status_.code != EG_OK) {                                                        \
            return eg_try_status_;                                                                 \
        }                                                                                          \
    } while (0)

/** Stores a failure in `status` and jumps to the label `done:`; for functions that must clean
 *  up. */
#define EG_TRY_DONE(status, call)                                                                  \
    do {                                                                                           \
        (status) = (call);                                                                         \
        if ((status).code != EG_OK) {                                                              \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

#endif
