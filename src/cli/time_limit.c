/** When a sweep has to stop by itself; see cli/time_limit.h. */
#include "cli/time_limit.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Stopping takes up to 20 s, and the launcher and the batch script come after us. */
static const double margin_seconds = 60;

/** Digits with or without a fraction, and then one character of `units` or, where allowed,
 *  nothing. */
static bool read_seconds(double *out, const char *text, const char *units)
{
    static const double seconds_of[] = {['s'] = 1, ['m'] = 60, ['h'] = 3600, ['d'] = 86400};
    size_t length = strspn(text, "0123456789.");
    char *end = NULL;
    *out = strtod(text, &end);
    if (!isdigit((unsigned char)*text) || end != text + length) {
        return false;
    }
    if (*end != '\0' && strchr(units, *end) != NULL) {
        *out *= seconds_of[(unsigned char)*end];
        end++;
    }
    return *end == '\0';
}

eg_status eg_time_limit_read(double *stop, const char *until, const char *job_end, double now)
{
    *stop = INFINITY;
    double given = 0;
    if (until != NULL) {
        if (strcmp(until, "off") == 0) {
            return eg_ok();
        }
        bool later = *until == '+';
        if (!read_seconds(&given, until + (later ? 1 : 0), later ? "smhd" : "")) {
            return eg_fail(EG_INVALID,
                           "--until %s: must be a time from now (+90s, +30m, +4h, +1d), seconds "
                           "since 1970, or off",
                           until);
        }
        *stop = later ? now + given : given;
        return eg_ok();
    }
    if (job_end == NULL) {
        return eg_ok();
    }
    if (!read_seconds(&given, job_end, "")) {
        return eg_fail(EG_INVALID,
                       "SLURM_JOB_END_TIME=%s: must be seconds since 1970; --until off ignores it",
                       job_end);
    }
    *stop = given - fmin(margin_seconds, fmax(0, given - now) / 4);
    return eg_ok();
}
