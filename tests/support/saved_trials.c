/** See saved_trials.h. */
#include "saved_trials.h"

#include "testing.h"
#include "told_tasks.h"

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

/* What a stream needs to be a short one; returns how many there are then. */
static size_t add_stream(eg_assignment all[ASSIGNMENTS_MAX], size_t count, const char *stream)
{
    if (strcmp(stream, "online_permuted") == 0) {
        all[count++] = (eg_assignment){.name = "stream.change_after", .value = "50"};
    }
    if (strcmp(stream, "mega_batches") == 0) {
        all[count++] = (eg_assignment){.name = "stream.chunks", .value = "4"};
        all[count++] = (eg_assignment){.name = "stream.wait", .value = "3"};
    }
    bool hundred = strncmp(stream, "cifar100_", 9) == 0;
    if (hundred || strcmp(stream, "omniglot_rotation") == 0) {
        all[count++] = (eg_assignment){.name = "dataset.classes", .value = hundred ? "100" : "24"};
        all[1].value = "200";
        all[2].value = "100";
    }
    if (strcmp(stream, "bit_flipping") == 0) {
        all[count++] = (eg_assignment){.name = "stream.epochs", .value = "1"};
        all[count++] = (eg_assignment){.name = "stream.examples", .value = "120"};
        all[count++] = (eg_assignment){.name = "stream.flip_every", .value = "20"};
        all[count++] = (eg_assignment){.name = "loss", .value = "squared_error"};
    }
    return count;
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
    const char *tasks = "2";
    const char *model = "mlp";
    if (name != NULL) {
        all[count++] = (eg_assignment){.name = name, .value = value};
        stream = strcmp(name, "stream") == 0 ? value : stream;
        model = strcmp(name, "model") == 0 ? value : model;
    }
    if (name != NULL && strcmp(name, "learner") == 0 && strcmp(value, "firefly") == 0) {
        model = "vgg"; /* the only one that grows in width */
        all[count++] = (eg_assignment){.name = "model", .value = model};
        all[count++] = (eg_assignment){.name = "model.bias", .value = "false"};
        all[count++] = (eg_assignment){.name = "model.head", .value = "conv"};
        all[count++] = (eg_assignment){.name = "learner.candidates", .value = "2"};
    }
    if (name != NULL && strcmp(name, "learner") == 0 && needs_told_tasks(value)) {
        all[count++] = (eg_assignment){.name = "stream.active", .value = "task"};
        /* Some need units that do not depend on others. */
        all[count++] = (eg_assignment){.name = "model.weight_norm", .value = "[]"};
        all[count++] = (eg_assignment){.name = "model.activation", .value = "relu"};
    }
    tasks = strcmp(stream, "class_pairs") == 0 ? "4" : tasks; /* short ones */
    if (param_of(eg_family_find(&eg_stream_family, stream), "tasks") != NULL) {
        all[count++] = (eg_assignment){.name = "stream.tasks", .value = tasks};
    }
    const eg_component *network = eg_family_find(&eg_model_family, model);
    if (((const eg_model_kind *)network)->flops == NULL) {
        /* Windows need room. */
        all[3].value = "32";
    }
    static const char *const sizes[][2] = {
        {"model.width", "2"},
        {"model.members", "2"},
        {"model.filters", "[3, 4, 5]"},
        {"model.blocks", "[1, 1]"},
        {"model.layers", "[conv 4 5x5 stride 2, activation, max_pool 2, linear 5, activation]"},
    };
    for (size_t i = 0; i < EG_COUNT(sizes); i++) {
        if (param_of(network, sizes[i][0] + strlen("model.")) != NULL) {
            all[count++] = (eg_assignment){.name = sizes[i][0], .value = sizes[i][1]};
        }
    }
    if (param_of(network, "of") != NULL) {
        all[count++] = (eg_assignment){.name = "model.of.hidden", .value = "[6, 4]"};
    }
    const eg_param *hidden = param_of(network, "hidden");
    if (hidden != NULL) {
        /* Activations choose among many units by default. */
        bool wide = name != NULL && strcmp(name, "model.activation") == 0;
        const char *layers = wide ? "[100]" : "[6, 4]";
        all[count++] = (eg_assignment){.name = "model.hidden",
                                       .value = hidden->type == EG_TYPE_INT ? "100" : layers};
    }
    count = add_stream(all, count, stream);
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

eg_record *saved_scene_whole(saved_scene *s)
{
    eg_record *record = NULL;
    bool refused = true;
    size_t before = s->saves;
    assert_ok(saved_scene_run(s, NULL, ENDLESS, 60, &record, &refused));
    assert_false(refused);
    assert_int_equal(s->saves, before); /* a short trial has no time for checkpoints */
    assert_int_equal(s->continued, 0);
    return record;
}

void assert_saved_same(const eg_record *whole, const eg_record *continued, const char *what,
                       size_t poll)
{
    assert_int_equal(eg_record_status(whole), eg_record_status(continued));
    assert_string_equal(eg_record_message(whole), eg_record_message(continued));
    assert_int_equal(eg_record_count(whole), eg_record_count(continued));
    for (size_t i = 0; i < eg_record_count(whole); i++) {
        const eg_array *x = eg_record_at(whole, i);
        const eg_array *y = eg_record_at(continued, i);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->count, y->count);
        if (!eg_trial_variable(x->name)->volatile_ &&
            memcmp(x->data, y->data, x->count * sizeof(double)) != 0) {
            fail_msg("%s, interrupted at poll %zu: %s differs", what, poll, x->name);
        }
    }
}

void saved_scene_interrupt(saved_scene *s, const char *what)
{
    eg_record *whole = saved_scene_whole(s);
    size_t polls = s->polls;
    size_t steps = s->step;
    bool evaluates = eg_record_find(whole, "accuracy") != NULL;
    assert_true(steps > 8 && polls >= steps + (evaluates ? 9 : 0));
    for (size_t n = 1; n <= polls; n++) {
        eg_record *record = NULL;
        bool refused = true;
        size_t before = s->saves;
        assert_fails(saved_scene_run(s, NULL, n, 0, &record, &refused), EG_STOPPED, "stopped");
        assert_null(record);
        assert_false(refused);
        assert_int_equal(s->saves, before + 1);
        size_t stopped = s->step;
        assert_ok(saved_scene_run(s, &s->saved, ENDLESS, 0, &record, &refused));
        assert_true(s->steps >= steps); /* phases may end early */
        assert_int_equal(s->continued, stopped);
        assert_saved_same(whole, record, what, n);
        eg_record_free(record);
    }
    eg_record_free(whole);
}

/** A paused record holds what the whole one has up to an evaluation, and nothing else of its curves and summary. */
static void assert_prefix(const eg_record *whole, const eg_record *paused, size_t evaluations)
{
    assert_int_equal(eg_record_status(paused), EG_TRIAL_PAUSED);
    assert_int_equal(eg_trial_evaluations(paused), evaluations);
    assert_int_equal(eg_record_count(whole), eg_record_count(paused));
    for (size_t i = 0; i < eg_record_count(whole); i++) {
        const eg_array *x = eg_record_at(whole, i);
        const eg_array *y = eg_record_at(paused, i);
        const eg_variable *variable = eg_trial_variable(x->name);
        if (x->rank == 0 || strcmp(variable->dims[0], "eval") != 0) {
            continue;
        }
        size_t row = x->count / x->extent[0];
        assert_memory_equal(x->data, y->data, evaluations * row * sizeof(double));
        for (size_t k = evaluations * row; k < y->count; k++) {
            assert_true(isnan(y->data[k]));
        }
    }
    assert_true(isnan(eg_record_value(paused, "final_accuracy")));
    assert_true(isnan(eg_record_value(paused, "objective")));
}

void saved_scene_pause(saved_scene *s, const char *what)
{
    eg_record *whole = saved_scene_whole(s);
    size_t evaluations = eg_trial_evaluations(whole);
    assert_true(evaluations > 1);
    for (s->until = 1; s->until < evaluations; s->until++) {
        eg_record *record = NULL;
        bool refused = true;
        size_t before = s->saves;
        const eg_writer *from = s->until > 1 ? &s->saved : NULL;
        assert_ok(saved_scene_run(s, from, ENDLESS, 0, &record, &refused));
        assert_false(refused);
        assert_int_equal(s->saves, before + 1);
        assert_prefix(whole, record, s->until);
        eg_record_free(record);
        /* Word of the pause was lost: the checkpoint is there already. */
        assert_ok(saved_scene_run(s, &s->saved, ENDLESS, 0, &record, &refused));
        assert_int_equal(s->polls, 0);
        assert_prefix(whole, record, s->until);
        eg_record_free(record);
    }
    eg_record *record = NULL;
    bool refused = true;
    assert_ok(
        saved_scene_run(s, &s->saved, ENDLESS, 0, &record, &refused)); /* the last one is the end */
    assert_saved_same(whole, record, what, s->until);
    eg_record_free(record);
    s->until = 1;
    assert_fails(saved_scene_run(s, &s->saved, ENDLESS, 0, &record, &refused), EG_INVALID,
                 "only 1 are wanted");
    assert_true(refused);
    eg_record_free(whole);
}
