/** `engram train --sample N`; see cli/sample.h. */
#include "cli/sample.h"

#include "engram/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1000000 };

static eg_status read_count(size_t *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < 1 ||
        value > COUNT_MAX) {
        return eg_fail(EG_INVALID, "--sample=%s: must be a whole number from 1 to %d", text,
                       COUNT_MAX);
    }
    *out = (size_t)value;
    return eg_ok();
}

static eg_status read_temperature(double *out, const char *text)
{
    char *end = NULL;
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*out) || *out < 0) {
        return eg_fail(EG_INVALID, "--temperature=%s: must be a number from 0, such as 0.8", text);
    }
    return eg_ok();
}

/* Leaves room behind it for what will be drawn. */
static eg_status read_prompt(eg_sample *out, const char *prompt)
{
    uint32_t *read = NULL;
    const uint32_t *symbols = out->text->id; /* of which the first one */
    size_t count = 1;
    if (prompt != NULL) {
        EG_TRY(eg_tokens_encode(&read, &count, out->text, prompt, "--prompt"));
        symbols = read;
    }
    eg_status status = count > 0 ? eg_ok() : eg_fail(EG_INVALID, "--prompt: must not be empty");
    if (status.code == EG_OK) {
        status = eg_alloc(&out->symbols, count + out->how.count, sizeof *out->symbols);
    }
    if (status.code == EG_OK) {
        memcpy(out->symbols, symbols, count * sizeof *symbols);
        out->how.prompt_count = count;
        out->how.prompt = out->symbols;
    }
    eg_free(read);
    return status;
}

eg_status eg_sample_prepare(eg_sample *out, const eg_sample_wish *wish, const eg_settings *settings,
                            eg_dataset_cache *cache)
{
    const eg_view root = eg_settings_root(settings);
    const eg_dataset *dataset = NULL;
    *out = (eg_sample){.settings = settings, .cache = cache, .how.temperature = 1};
    if (wish->count == NULL) {
        const char *alone = wish->temperature != NULL ? "--temperature"
                            : wish->prompt != NULL    ? "--prompt"
                                                      : NULL;
        return alone == NULL
                   ? eg_ok()
                   : eg_fail(EG_INVALID, "%s is said of a sample; expected --sample N, too", alone);
    }
    EG_TRY(read_count(&out->how.count, wish->count));
    if (wish->temperature != NULL) {
        EG_TRY(read_temperature(&out->how.temperature, wish->temperature));
    }
    EG_TRY(eg_status_wrap(eg_trial_check_sampling(settings), "--sample"));
    EG_TRY(eg_dataset_cache_get(cache, &root, &dataset));
    out->text = &dataset->text;
    out->how.symbols = dataset->text.symbols;
    return read_prompt(out, wish->prompt);
}

eg_status eg_sample_draw(eg_sample *sample, const eg_predictor *predictor)
{
    if (sample->text == NULL) {
        return eg_ok();
    }
    /* Borrowed: reading weights marks the arrays that were used. */
    eg_predictor with = *predictor;
    EG_TRY(eg_trial_sample(sample->symbols + sample->how.prompt_count, sample->settings,
                           sample->cache, &with, &sample->how));
    sample->done = true;
    return eg_ok();
}

eg_status eg_sample_text(char **out, const eg_sample *sample)
{
    return eg_tokens_spell(out, sample->text, sample->symbols,
                           sample->how.prompt_count + sample->how.count);
}

void eg_sample_clear(eg_sample *sample)
{
    eg_free(sample->symbols);
    *sample = (eg_sample){0};
}
