/** `engram train --sample N`: what a trained network writes. */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "engram/trial.h"

/** What the options ask for. */
typedef struct eg_sample_wish {
    const char *count;       /**< of --sample; NULL: no sample is wanted */
    const char *temperature; /**< of --temperature; NULL: 1 */
    const char *prompt;      /**< of --prompt; NULL: the first symbol of the text */
} eg_sample_wish;

/** A sample of symbols. Start with {0}; eg_sample_clear. */
typedef struct eg_sample {
    const eg_settings *settings; /**< borrowed, as are: */
    eg_dataset_cache *cache;
    const eg_tokens *text; /**< NULL: no sample is wanted */
    eg_sampling how;
    uint32_t *symbols; /**< [how.prompt_count + how.count] the prompt, then what is drawn; owned */
    bool done;         /**< it is drawn */
} eg_sample;

/** Checks the wishes and opens the dataset, before anything is learned. Errors, EG_INVALID: an
 *  option that is no such number, an option without --sample, a stream whose examples have one
 *  position or no vocabulary; as eg_dataset_cache_get. */
eg_status eg_sample_prepare(eg_sample *out, const eg_sample_wish *wish, const eg_settings *settings,
                            eg_dataset_cache *cache) EG_WARN_UNUSED;

/** Draws with the predictor, if a sample is wanted. */
eg_status eg_sample_draw(eg_sample *sample, const eg_predictor *predictor) EG_WARN_UNUSED;

/** Prompt and sample as text, in *out (eg_free). */
eg_status eg_sample_text(char **out, const eg_sample *sample) EG_WARN_UNUSED;

void eg_sample_clear(eg_sample *sample);

#endif
