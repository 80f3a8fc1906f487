/** engram train: one trial in this process. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/preflight.h"
#include "cli/report/curve_report.h"
#include "cli/sample.h"
#include "cli/trace_file.h"
#include "engram/blas.h"
#include "engram/build.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/settings.h"
#include "engram/trial.h"
#include "engram/weights_file.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    JSON,
    PROFILE,
    QUIET,
    TRACE,
    SAVE,
    SAVE_INITIAL,
    LOAD,
    PLUGIN,
    SAMPLE,
    TEMPERATURE,
    PROMPT,
};

static const eg_option options[] = {
    [JSON] = {.name = "json", .doc = "Prints settings and record as one JSON object."},
    [PROFILE] = {.name = "profile",
                 .doc = "Prints where the time went, after the curve or as `profile` in seconds."},
    [QUIET] = {.name = "quiet", .letter = 'q', .doc = "No progress line."},
    [SAVE] =
        {.name = "save",
         .value = "FILE",
         .doc = "Writes what was learned to FILE (HDF5; docs/weights.md describes it) once the "
                "trial is done: weights in row-major order, settings, seed. `engram predict FILE` "
                "uses it."},
    [SAVE_INITIAL] = {.name = "save-initial",
                      .value = "FILE",
                      .doc = "The same before the first minibatch: what another program needs to "
                             "follow the run step by step, with --trace."},
    [LOAD] = {.name = "load",
              .value = "FILE",
              .doc =
                  "Begins with the weights in FILE, from --save or another program, instead of "
                  "initial ones; the optimizer begins anew. Shapes must fit, settings need not."},
    [PLUGIN] = EG_PLUGIN_OPTION,
    [SAMPLE] = {.name = "sample",
                .value = "N",
                .doc = "Prints, after the curve or as `sample`, what the network writes once the "
                       "trial is done: the prompt and N symbols, each drawn from what it predicts "
                       "after those before it. For streams of text; the seed says what is drawn."},
    [TEMPERATURE] = {.name = "temperature",
                     .value = "T",
                     .doc = "Of --sample: scores are divided by T before the softmax (default 1); "
                            "0: the likeliest symbol every time."},
    [PROMPT] = {.name = "prompt",
                .value = "TEXT",
                .doc = "Of --sample: what comes before it (default: the first symbol of the "
                       "dataset's text)."},
    [TRACE] = {.name = "trace",
               .value = "FILE",
               .doc =
                   "Writes a line for every minibatch to FILE (CSV): step from 1, phase and epoch "
                   "from 0, loss before the update, and the numbers of the training examples in "
                   "it, from 0, with blanks between them. `stream.order_file=FILE` walks the same "
                   "path again."},
};

/** What the arguments ask for. */
typedef struct wish {
    eg_assignment *assignments;
    size_t count;
    char **names; /**< [count] owned copies of what stands before '=' */
    uint64_t seed;
    const char *objective;
} wish;

typedef struct screen {
    bool quiet, terminal, drawn;
    double start, last;
} screen;

static eg_status read_seed(uint64_t *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
        return eg_fail(EG_INVALID, "seed = %s: must be a whole number from 0 to 2^64-1", text);
    }
    *out = value;
    return eg_ok();
}

static eg_status read_arguments(wish *out, const eg_args *args)
{
    EG_TRY(eg_preflight_overrides(args->operands, args->operand_count));
    EG_TRY(eg_alloc(&out->assignments, args->operand_count, sizeof *out->assignments));
    EG_TRY(eg_alloc(&out->names, args->operand_count, sizeof *out->names));
    for (size_t i = 0; i < args->operand_count; i++) {
        const char *value = strchr(args->operands[i], '=') + 1;
        char *name = NULL;
        EG_TRY(eg_format(&name, "%.*s", (int)(value - args->operands[i] - 1), args->operands[i]));
        out->names[i] = name;
        if (strcmp(name, "seed") == 0) {
            EG_TRY(read_seed(&out->seed, value));
        } else if (strcmp(name, "objective") == 0) {
            out->objective = value;
        } else {
            out->assignments[out->count++] = (eg_assignment){.name = name, .value = value};
        }
    }
    const eg_variable *variable = eg_trial_variable(out->objective);
    if (variable == NULL || eg_variable_rank(variable) != 0) {
        return eg_fail(EG_INVALID,
                       "objective = %s: must be a number that trials record, such as "
                       "final_accuracy",
                       out->objective);
    }
    return eg_ok();
}

static void order_clear(wish *order, size_t count)
{
    for (size_t i = 0; order->names != NULL && i < count; i++) {
        eg_free(order->names[i]);
    }
    eg_free(order->names);
    eg_free(order->assignments);
}

static bool watch(void *user, const eg_progress *progress)
{
    screen *on = user;
    double now = eg_clock();
    if (!on->quiet && now - on->last >= (on->terminal ? 0.2 : 10.0)) {
        const char *dot = eg_utf8() ? " · " : " | ";
        double share = (double)progress->step / (double)progress->steps;
        double left = share > 0 ? (now - on->start) * (1 - share) / share : (double)NAN;
        (void)fprintf(stderr, "%sstep %zu/%zu%sphase %zu/%zu%sloss %.4f%saccuracy %s%s%s left%s",
                      on->terminal ? "\r\033[K" : "", progress->step, progress->steps, dot,
                      progress->phase + 1, progress->phases, dot, progress->loss, dot,
                      eg_mean_text(progress->accuracy, (double)NAN).text, dot,
                      eg_duration(left).text, on->terminal ? "" : "\n");
        (void)fflush(stderr);
        on->drawn = on->terminal;
        on->last = now;
    }
    return eg_signals_pending() == 0;
}

static void print_profile(const eg_profile *profile)
{
    double total = 0.0;
    for (size_t part = 0; part < EG_PROFILE_COUNT; part++) {
        total += profile->seconds[part];
    }
    (void)printf("\n%-12s %9s %7s\n", "part", "seconds", "share");
    for (size_t part = 0; part < EG_PROFILE_COUNT; part++) {
        (void)printf("%-12s %9.3f %5.1f %%\n", eg_profile_names[part], profile->seconds[part],
                     100.0 * profile->seconds[part] / total);
    }
}

/* profile NULL: none was wanted; nor was a sample. */
static eg_status print_json(const eg_settings *settings, const wish *order, const eg_record *record,
                            double seconds, const eg_profile *profile, const char *sample)
{
    json_t *root = json_object();
    json_t *given = json_object();
    json_t *arrays = json_object();
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        eg_json_setting(given, setting->name, (int)setting->param->type, setting->value.text);
    }
    for (size_t i = 0; i < eg_record_count(record); i++) {
        const eg_array *array = eg_record_at(record, i);
        (void)json_object_set_new(arrays, array->name, eg_json_array(array));
    }
    eg_json_text(root, "status", eg_trial_status_name(eg_record_status(record)));
    eg_json_text(root, "message", eg_record_message(record));
    eg_json_seed(root, "seed", order->seed);
    eg_json_real(root, "wall_seconds", seconds);
    (void)json_object_set_new(root, "settings", given);
    (void)json_object_set_new(root, "record", arrays);
    if (profile != NULL) {
        json_t *parts = json_object();
        for (size_t part = 0; part < EG_PROFILE_COUNT; part++) {
            eg_json_real(parts, eg_profile_names[part], profile->seconds[part]);
        }
        (void)json_object_set_new(root, "profile", parts);
    }
    if (sample != NULL) {
        eg_json_text(root, "sample", sample);
    }
    return eg_json_print(root);
}

/** What --save-initial, --save and --sample ask for; NULL: nothing. */
typedef struct saving {
    const char *initial, *path;
    eg_sample sample;
    bool done; /**< --save was possible */
} saving;

static eg_status save_initial(void *user, const eg_predictor *predictor)
{
    return eg_weights_file_write(((saving *)user)->initial, predictor, eg_build_info()->version);
}

static eg_status save(void *user, const eg_predictor *predictor)
{
    saving *to = user;
    if (to->path != NULL) {
        EG_TRY(eg_weights_file_write(to->path, predictor, eg_build_info()->version));
        to->done = true;
    }
    return eg_sample_draw(&to->sample, predictor);
}

/** The files that options name, before anything is computed. */
static eg_status open_files(eg_trial_options *how, const eg_args *args, eg_text_file *trace,
                            eg_predictor *loaded, saving *to)
{
    if (args->option[LOAD] != NULL) {
        EG_TRY(eg_weights_file_read(loaded, args->option[LOAD]));
        loaded->weights.source = args->option[LOAD];
        how->initial = &loaded->weights;
    }
    to->initial = args->option[SAVE_INITIAL];
    to->path = args->option[SAVE];
    how->learned_user = to;
    if (to->initial != NULL) {
        EG_TRY(eg_weights_file_check(to->initial));
        how->begun = save_initial;
    }
    if (to->path != NULL) {
        EG_TRY(eg_weights_file_check(to->path));
    }
    if (to->path != NULL || to->sample.text != NULL) {
        how->learned = save;
    }
    if (args->option[TRACE] != NULL) {
        EG_TRY(eg_trace_open(trace, args->option[TRACE]));
        how->trace = eg_trace_step;
        how->trace_user = trace;
    }
    return eg_ok();
}

static eg_status train(const eg_settings *settings, const wish *order, const eg_args *args,
                       int *code)
{
    bool json = args->option[JSON] != NULL;
    bool quiet = args->option[QUIET] != NULL;
    eg_profile measured;
    eg_profile *profile = args->option[PROFILE] != NULL ? &measured : NULL;
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    eg_text_file trace = {0};
    eg_predictor loaded = {0};
    saving to = {.path = NULL};
    char *written = NULL; /* the sample */
    eg_status status = eg_ok();
    double now = eg_clock();
    screen on = {.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1, .start = now, .last = now};
    EG_TRY_DONE(status, eg_dataset_cache_create(&cache));
    EG_TRY_DONE(status, eg_blas_prepare());
    eg_trial_options how = {
        .objective = order->objective, .poll = watch, .user = &on, .profile = profile};
    const eg_sample_wish wanted = {args->option[SAMPLE], args->option[TEMPERATURE],
                                   args->option[PROMPT]};
    EG_TRY_DONE(status, eg_sample_prepare(&to.sample, &wanted, settings, cache));
    EG_TRY_DONE(status, open_files(&how, args, &trace, &loaded, &to));
    status = eg_trial_run(&record, settings, order->seed, cache, &how);
    eg_status_keep(&status,
                   eg_text_file_close(&trace, status.code == EG_OK || status.code == EG_STOPPED));
    if (on.drawn) {
        (void)fprintf(stderr, "\r\033[K");
    }
    if (status.code == EG_OK && to.sample.done) {
        status = eg_sample_text(&written, &to.sample);
    }
    if (status.code == EG_OK && json) {
        status = print_json(settings, order, record, eg_clock() - on.start, profile, written);
    } else if (status.code == EG_OK) {
        status = eg_curve_report(record, order->objective, order->seed, eg_clock() - on.start);
        if (status.code == EG_OK && profile != NULL) {
            print_profile(profile);
        }
        if (status.code == EG_OK && written != NULL) {
            (void)printf("\n%s\n", written);
        }
    }
    if (status.code == EG_OK && to.path != NULL && !to.done) {
        (void)fprintf(stderr, "engram: %s was not written: the trial did not end well\n", to.path);
        *code = EG_EXIT_FAILED_TRIALS;
    }
done:
    eg_status_keep(&status, eg_text_file_close(&trace, false));
    eg_free(written);
    eg_sample_clear(&to.sample);
    eg_predictor_clear(&loaded);
    eg_record_free(record);
    eg_dataset_cache_free(cache);
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    wish order = {.objective = "final_accuracy"};
    eg_settings *settings = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_signals_install());
    EG_TRY_DONE(status, eg_plugin_option_load(args->option[PLUGIN]));
    EG_TRY_DONE(status, read_arguments(&order, args));
    EG_TRY_DONE(status,
                eg_settings_resolve(&settings, eg_trial_schema(), order.assignments, order.count));
    EG_TRY_DONE(status, eg_trial_check(settings));
    status = train(settings, &order, args, code);
done:
    eg_settings_free(settings);
    order_clear(&order, args->operand_count);
    return status;
}

const eg_verb eg_verb_train = {
    .name = "train",
    .summary = "train one trial here, with live progress and the curve at the end",
    .synopsis = "[--save FILE] [--load FILE] [--sample N] [--json] [name=value …] [seed=N]",
    .description =
        "Runs one trial in this process and prints its curve: a line per evaluation with the "
        "accuracy over all tasks and over each task. Nothing is written unless it is asked for. "
        "Settings that are not "
        "given "
        "have their defaults; `engram list` and `engram describe` show them.\n\n"
        "Besides settings, seed=N (default 0) and objective=VARIABLE (default final_accuracy) are "
        "understood. The result is the same, bit for bit, as that of the same trial in a sweep.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_max = SIZE_MAX,
    .examples = "engram train optimizer.lr=0.0002 model.activation=relu seed=3\n"
                "engram train dataset=synthetic stream.tasks=2 eval.every=10\n"
                "engram train --json | python3 -m json.tool\n"
                "engram train --save net.h5 && engram predict net.h5\n"
                "engram train dataset=synthetic --trace path.csv\n"
                "engram train stream=text_iid dataset=text model=switch_transformer --sample 200",
    .exits = "0   the trial finished (or diverged: that is a result)\n"
             "2   usage or bad input\n"
             "3   --save wrote nothing: the trial diverged\n"
             "4   the system failed\n"
             "75  stopped by a signal",
    .run = run,
};
