/** Fuzz target: the text of a trial's settings, as it stands in messages and journals. What is accepted has a
 *  canonical text that reads back to itself. */
#include "fuzz.h"

#include "engram/memory.h"
#include "engram/settings.h"
#include "engram/trial.h"

#include <stdlib.h>
#include <string.h>

static void check_canonical(const eg_settings *settings)
{
    char *text = NULL;
    char *again = NULL;
    eg_settings *same = NULL;
    eg_status status = eg_settings_text(&text, settings, true);
    fuzz_require(status.code == EG_OK);
    status = eg_settings_parse(&same, eg_trial_schema(), text);
    fuzz_require(status.code == EG_OK);
    status = eg_settings_text(&again, same, true);
    fuzz_require(status.code == EG_OK && strcmp(text, again) == 0);
    eg_free(text);
    eg_free(again);
    eg_settings_free(same);
}

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    eg_settings *settings = NULL;
    char *text = malloc(size + 1);
    fuzz_require(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    eg_status status = eg_settings_parse(&settings, eg_trial_schema(), text);
    eg_fuzz_check(&status, settings);
    if (settings != NULL) {
        check_canonical(settings);
        status = eg_trial_check(settings);
        fuzz_require(status.code == EG_OK || status.code == EG_INVALID);
    }
    eg_settings_free(settings);
    free(text);
}
