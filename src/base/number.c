/** Decimal numbers as text, both ways; independent of how the text came here. */
#include "base/shared/value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void eg_real_text(char out[EG_NUMBER_TEXT], double value)
{
    /* One spelling for both zeros, so that they have one identity. */
    double positive_zero = value == 0 ? 0.0 : value;
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, EG_NUMBER_TEXT, "%.*g", digits, positive_zero);
        if (strtod(out, NULL) == value) {
            return;
        }
    }
}

static bool names_non_finite(const char *text)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    while (*text == '+' || *text == '-' || *text == '.') {
        text++;
    }
    for (size_t i = 0; i < EG_COUNT(words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool eg_real_read(double *out, const char *text, const char **why)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        length--;
    }
    char digits[400]; /* the longest exact decimal anybody writes by hand is far shorter */
    *why = "a number";
    if (length == 0 || length >= sizeof digits) {
        return false;
    }
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (names_non_finite(digits)) {
        *why = "a finite number";
        return false;
    }
    /* strtod alone would also take hexadecimal and "nan(…)". */
    if (strspn(digits, "+-.0123456789eE") != length) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    double value = strtod(digits, &end);
    if (end == digits || *end != '\0') {
        return false;
    }
    if (!isfinite(value) || (errno == ERANGE && value == 0)) {
        *why = "a finite number that fits a double (about 1e-308 to 1e308)";
        return false;
    }
    *out = value == 0 ? 0.0 : value;
    return true;
}
