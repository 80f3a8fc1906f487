/** See saved_trials.h. */
#include "saved_trials.h"

#include "testing.h"

#include "engram/model.h"
#include "engram/stream.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { ASSIGNMENTS_MAX = 20 };

static const eg_param *param_of(const eg_component *component, const char *name)
{
    for (size_t i = 0; i < component->param_count; i++) {
        if (strcmp(component->params[i].name, name) == 0) {
            return &component->params[i];
        }
    }
    return NULL;
}

eg_settings *saved_settings(const char *name, const char *value)
{
    eg_assignment all[ASSIGNMENTS_MAX] = {
        {.name = "dataset", .value = "synthetic"},
        {.name = "dataset.examples", .value = "60"},
        {.name = "dataset.test_examples", .value = "20"},
        {.name = "dataset.side", .value = "8"},
        {.name = "stream.batch", .value = "9"},
        {.name = "stream.epochs", .value = "2"},
        {.name = "protocol", .value = "validation"},
        {.name = "protocol.fraction", .value = "0.2"},
        {.name = "eval.every", .value = "4"},
        {.name = "eval.block", .value = "6"},
    };
    size_t count = 10;
    const char *stream = "split";
    const char *model = "mlp";
    if (name != NULL) {
        all[count++] = (eg_assignment){.name = name, .value = value};
        stream = strcmp(name, "stream") == 0 ? value : stream;
        model = strcmp(name, "model") == 0 ? value : model;
    }
    if (param_of(eg_family_find(&eg_stream_family, stream), "tasks") != NULL) {
        all[count++] = (eg_assignment){.name = "stream.tasks", .value = "2"};
    }
    const eg_param *hidden = param_of(eg_family_find(&eg_model_family, model), "hidden");
    if (hidden != NULL) {
        /* Activations choose among many units by default. */
        bool wide = name != NULL && strcmp(name, "model.activation") == 0;
        const char *layers = wide ? "[100]" : "[6, 4]";
        all[count++] = (eg_assignment){.name = "model.hidden",
                                       .value = hidden->type == EG_TYPE_INT ? "100" : layers};
    }
    if (strcmp(stream, "online_permuted") == 0) {
        all[count++] = (eg_assignment){.name = "stream.change_after", .value = "50"};
    }
    if (strcmp(stream, "bit_flipping") == 0) {
        all[count++] = (eg_assignment){.name = "stream.epochs", .value = "1"};
        all[count++] = (eg_assignment){.name = "stream.examples", .value = "120"};
        all[count++] = (eg_assignment){.name = "stream.flip_every", .value = "20"};
        all[count++] = (eg_assignment){.name = "loss", .value = "squared_error"};
    }
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, eg_trial_schema(), all, count));
    assert_ok(eg_trial_check(settings));
    return settings;
}

static void pause_for(double seconds)
{
    const struct timespec time = {.tv_sec = (time_t)seconds,
                                  .tv_nsec = (long)(1e9 * (seconds - floor(seconds)))};
    (void)nanosleep(&time, NULL);
}

static bool count_poll(void *user, const eg_progress *progress)
{
    saved_scene *s = user;
    s->step = progress->step;
    if (s->slow_step > 0 && progress->evaluated && 2 * progress->step == progress->steps) {
        pause_for(s->slow_step);
    }
    return ++s->polls != s->last;
}

static void keep(void *user, const eg_writer *checkpoint)
{
    saved_scene *s = user;
    eg_status status = eg_writer_status(checkpoint);
    if (s->slow_save > 0) {
        pause_for(s->slow_save);
    }
    s->no_memory = status.code == EG_MEMORY;
    if (!s->no_memory) {
        s->saves++;
        eg_writer_reset(&s->saved);
        eg_write_bytes(&s->saved, checkpoint->data, checkpoint->size);
    }
}

static void note_continued(void *user, size_t step, size_t steps)
{
    saved_scene *s = user;
    s->continued = step;
    s->steps = steps;
}

saved_scene saved_scene_open(eg_settings *settings)
{
    saved_scene s = {.settings = settings};
    assert_ok(eg_dataset_cache_create(&s.cache));
    return s;
}

void saved_scene_close(saved_scene *s)
{
    eg_writer_clear(&s->saved);
    eg_dataset_cache_free(s->cache);
    eg_settings_free(s->settings);
}

eg_status saved_scene_run(saved_scene *s, const eg_writer *from, size_t last, double every,
                          eg_record **out, bool *refused)
{
    eg_checkpointing checkpointing = {.from = from != NULL ? from->data : NULL,
                                      .from_size = from != NULL ? from->size : 0,
                                      .every = every,
                                      .save = keep,
                                      .continued = note_continued,
                                      .user = s};
    const char *accuracy = "average_accuracy";
    bool evaluated = eg_trial_records(s->settings, eg_trial_variable(accuracy));
    const eg_trial_options options = {.objective = evaluated ? accuracy : "mean_online_loss",
                                      .poll = count_poll,
                                      .user = s,
                                      .checkpointing = &checkpointing,
                                      .until = s->until};
    s->polls = s->continued = 0;
    s->last = last;
    eg_status status = eg_trial_run(out, s->settings, 1, s->cache, &options);
    *refused = checkpointing.refused;
    return status;
}

saved_scene saved_scene_stopped(size_t polls)
{
    saved_scene s = saved_scene_open(saved_settings(NULL, NULL));
    eg_record *record = NULL;
    bool refused = true;
    assert_fails(saved_scene_run(&s, NULL, polls, 0, &record, &refused), EG_STOPPED, "stopped");
    return s;
}
