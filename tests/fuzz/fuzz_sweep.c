/** Fuzz target: a sweep file's text, from YAML to plan. */
#include "fuzz.h"

#include "engram/sweep.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/** A number of four to eight digits makes a sweep of as many points or seeds, which is allowed and takes seconds.
 *  Longer ones are refused at once, or should be. */
static bool is_slow(const uint8_t *data, size_t size)
{
    size_t digits = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && isdigit(data[i])) {
            digits++;
            continue;
        }
        if (digits >= 4 && digits <= 8) {
            return true;
        }
        digits = 0;
    }
    return false;
}

/* A refusal names the file; memory that ran out may not be the file's doing. */
static void check_words(const eg_status *status)
{
    fuzz_require(status->code == EG_OK || strstr(status->message, "fuzz.yaml") != NULL);
}

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    if (is_slow(data, size)) {
        return;
    }
    eg_plan *plan = NULL;
    char *copy = malloc(size == 0 ? 1 : size); /* of exactly this size, for the sanitizer */
    fuzz_require(copy != NULL);
    memcpy(copy, data, size);
    eg_status status = eg_plan_parse(&plan, "fuzz.yaml", copy, size, NULL, 0);
    eg_fuzz_check(&status, plan);
    check_words(&status);
    if (plan != NULL) {
        fuzz_require(plan->point_count > 0 && plan->trial_count > 0);
    }
    eg_plan_free(plan);
    free(copy);
}
