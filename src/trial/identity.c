/** What makes a trial that trial: its content id, what it will cost, whether it can work at all. */
#include "engram/memory.h"
#include "engram/net.h"
#include "engram/stream.h"
#include "engram/trial.h"
#include "trial/evaluation.h"
#include "trial/protocol.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

eg_status eg_trial_id(uint64_t *out, const eg_settings *settings, uint64_t seed)
{
    char *text = NULL;
    char *whole = NULL;
    EG_TRY(eg_settings_text(&text, settings, false));
    eg_status status =
        eg_format(&whole, "%sseed=%" PRIu64 "\nresult_version=%d\n", text, seed, EG_RESULT_VERSION);
    if (status.code == EG_OK) {
        *out = eg_hash64(whole, strlen(whole));
    }
    eg_free(text);
    eg_free(whole);
    return status;
}

/** What the settings say of a trial before any data are opened. */
typedef struct outline {
    eg_view root, stream, model;
    const eg_stream_kind *stream_kind;
    const eg_model_kind *model_kind;
    size_t train, test, features, classes;
} outline;

static outline outline_of(const eg_settings *settings)
{
    outline out = {.root = eg_settings_root(settings)};
    out.stream = eg_view_inside(&out.root, "stream");
    out.model = eg_view_inside(&out.root, "model");
    eg_view data = eg_view_inside(&out.root, "dataset");
    const eg_dataset_kind *dataset =
        (const eg_dataset_kind *)(const void *)eg_view_component(&out.root, "dataset");
    out.stream_kind = (const eg_stream_kind *)(const void *)eg_view_component(&out.root, "stream");
    out.model_kind = (const eg_model_kind *)(const void *)eg_view_component(&out.root, "model");
    dataset->sizes(&data, &out.train, &out.test, &out.features, &out.classes);
    return out;
}

eg_status eg_trial_cost(double *out, const eg_settings *settings)
{
    outline o = outline_of(settings);
    eg_selection selection = eg_protocol_selection(&o.root);
    size_t phases = 0;
    size_t train = 0;
    size_t test = 0;
    o.stream_kind->sizes(&o.stream, o.train, o.test, &phases, &train, &test);
    double kept = 1.0 - selection.holdout;
    double steps = (double)train * kept / (double)eg_view_size(&o.stream, "batch");
    size_t every = eg_view_size(&o.root, "eval.every");
    double evaluations = (double)phases + (every > 0 ? steps / (double)every : 0.0);
    double evaluated = (double)test + selection.holdout * (double)o.train;
    if (eg_view_choice(&o.root, "eval.tasks") != EG_EVAL_ALL) {
        evaluated *= fmin(1.0, 2.0 / (double)phases); /* about two tasks instead of all */
    }
    double forward = o.model_kind->flops(&o.model, o.features, o.classes);
    *out = forward * (3.0 * kept * (double)train + evaluations * evaluated);
    return eg_ok();
}

eg_status eg_trial_check(const eg_settings *settings)
{
    outline o = outline_of(settings);
    EG_TRY(o.stream_kind->check(&o.stream, o.classes));
    return o.model_kind->check(&o.model, o.features, o.classes);
}
