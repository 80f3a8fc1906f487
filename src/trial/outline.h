/** What settings say of a trial before any data are opened. */
#ifndef ENGRAM_TRIAL_OUTLINE_H
#define ENGRAM_TRIAL_OUTLINE_H

#include "engram/measure.h"
#include "engram/model.h"
#include "engram/settings.h"
#include "engram/stream.h"

typedef struct eg_outline {
    eg_view root, stream, model;
    const eg_stream_kind *stream_kind;
    const eg_model_kind *model_kind;
    eg_stream_sizes data;  /**< of the dataset; nothing if the stream has its own */
    eg_stream_sizes sizes; /**< of the stream */
    eg_selection selection;
} eg_outline;

eg_outline eg_outline_of(const eg_settings *settings);
/** Borrows the outline. */
eg_measure_scope eg_outline_scope(const eg_outline *outline);

#endif
