/** engram predict: what saved weights say of the examples of a dataset. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/predictions_file.h"
#include "cli/preflight.h"
#include "cli/report/table.h"
#include "engram/blas.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/trial.h"
#include "engram/weights_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUT, JSON, PLUGIN };
enum { SUBSETS = 2 };

static const eg_option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .value = "OUT",
                .doc = "Writes every example's label, prediction and scores to OUT (CSV): subset, "
                       "task and example (its number in the test set, for `validation` in the "
                       "training set) from 0, position where an example has several, label, "
                       "prediction, score.0, score.1 …"},
    [JSON] = {.name = "json", .doc = "Prints the accuracies as one JSON object."},
    [PLUGIN] = EG_PLUGIN_OPTION,
};

static const char *const subset_names[SUBSETS] = {
    [EG_SUBSET_TEST] = "test", [EG_SUBSET_VALIDATION] = "validation"};

/** --- Settings: those of the file, and what the command line says instead --------------------- */

/** Whether a line NAME=VALUE of the file's settings is overruled: by an argument of the same name,
 *  or one that names a component it is a parameter of. Where minibatches come from does not matter
 *  here. */
static bool is_overruled(const char *line, const eg_args *args)
{
    size_t name = strcspn(line, "=");
    if (strncmp(line, "stream.order_file=", name + 1) == 0) {
        return true;
    }
    for (size_t i = 1; i < args->operand_count; i++) {
        size_t length = strcspn(args->operands[i], "=");
        if (length <= name && strncmp(args->operands[i], line, length) == 0 &&
            (length == name || line[length] == '.')) {
            return true;
        }
    }
    return false;
}

static eg_status settings_of(eg_settings **out, const eg_predictor *predictor, const eg_args *args)
{
    eg_writer text = {0};
    const char *path = args->operands[0];
    EG_TRY(eg_preflight_overrides(args->operands + 1, args->operand_count - 1));
    if (predictor->settings == NULL) {
        return eg_fail(EG_INVALID,
                       "%s says nothing of the settings it was trained with, which predicting "
                       "needs; `engram train --load` can begin with it",
                       path);
    }
    for (const char *line = predictor->settings; *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        if (!is_overruled(line, args)) {
            eg_write_bytes(&text, line, length);
        }
        line += length;
    }
    for (size_t i = 1; i < args->operand_count; i++) {
        eg_write_bytes(&text, args->operands[i], strlen(args->operands[i]));
        eg_write_u8(&text, '\n');
    }
    eg_write_u8(&text, 0);
    eg_status status = eg_writer_status(&text);
    if (status.code == EG_OK) {
        status = eg_settings_parse(out, eg_trial_schema(), (const char *)text.data);
    }
    eg_writer_clear(&text);
    return status.code == EG_OK ? eg_trial_check(*out) : status;
}

/** --- What is shown --------------------------------------------------------------------------- */

static eg_status add_accuracy(eg_table *table, size_t examples, double accuracy)
{
    EG_TRY(eg_table_cell(table, "%zu", examples));
    return eg_table_cell(table, "%s", eg_mean_text(accuracy, (double)NAN).text);
}

static size_t all_examples(const eg_prediction *prediction)
{
    size_t count = 0;
    for (size_t task = 0; task < prediction->tasks; task++) {
        count += prediction->examples[task];
    }
    return count;
}

static eg_status fill_table(eg_table *table, const eg_prediction *of)
{
    static const char *const heading[] = {"task", "test examples", "accuracy",
                                          "validation examples", "accuracy"};
    for (size_t i = 0; i < table->columns; i++) {
        EG_TRY(eg_table_cell(table, "%s", heading[i]));
    }
    size_t subsets = table->columns / 2;
    for (size_t task = 0; task < of[0].tasks && of[0].tasks > 1; task++) {
        EG_TRY(eg_table_cell(table, "%zu", task));
        for (size_t s = 0; s < subsets; s++) {
            EG_TRY(add_accuracy(table, of[s].examples[task], of[s].accuracy[task]));
        }
    }
    EG_TRY(eg_table_cell(table, "all"));
    for (size_t s = 0; s < subsets; s++) {
        EG_TRY(add_accuracy(table, all_examples(&of[s]), of[s].overall));
    }
    return eg_ok();
}

static eg_status print_table(const eg_settings *settings, const eg_predictor *predictor,
                             const eg_prediction *of)
{
    eg_view root = eg_settings_root(settings);
    (void)printf("%s%s%s, learner %s, seed %" PRIu64 ", %" PRIu64
                 " minibatches learned, %zu parameters\n",
                 predictor->data != 0 ? eg_view_component(&root, "dataset")->name : "",
                 predictor->data != 0 ? ", " : "", eg_view_component(&root, "stream")->name,
                 eg_view_component(&root, "learner")->name, predictor->seed, predictor->step,
                 eg_weights_parameters(&predictor->weights));
    if (all_examples(&of[EG_SUBSET_TEST]) == 0) {
        (void)printf("the stream has no test examples\n");
        return eg_ok();
    }
    eg_table table;
    eg_table_init(&table, all_examples(&of[EG_SUBSET_VALIDATION]) > 0 ? 5 : 3);
    eg_status status = fill_table(&table, of);
    if (status.code == EG_OK) {
        status = eg_table_print(&table, stdout);
    }
    eg_table_clear(&table);
    return status;
}

static eg_status print_json(const eg_predictor *predictor, const eg_prediction *of)
{
    json_t *root = json_object();
    eg_json_seed(root, "seed", predictor->seed);
    eg_json_count(root, "step", predictor->step);
    eg_json_count(root, "parameters", eg_weights_parameters(&predictor->weights));
    for (size_t s = 0; s < SUBSETS; s++) {
        json_t *subset = json_object();
        json_t *tasks = json_array();
        for (size_t task = 0; task < of[s].tasks; task++) {
            json_t *one = json_object();
            eg_json_count(one, "examples", of[s].examples[task]);
            eg_json_real(one, "accuracy", of[s].accuracy[task]);
            (void)json_array_append_new(tasks, one);
        }
        eg_json_count(subset, "examples", all_examples(&of[s]));
        eg_json_real(subset, "accuracy", of[s].overall);
        (void)json_object_set_new(subset, "tasks", tasks);
        (void)json_object_set_new(root, subset_names[s], subset);
    }
    return eg_json_print(root);
}

/** --- The verb -------------------------------------------------------------------------------- */

static eg_status predict(const eg_settings *settings, eg_predictor *predictor, const eg_args *args)
{
    eg_dataset_cache *cache = NULL;
    eg_prediction of[SUBSETS] = {{0}};
    eg_predictions_file file = {.names = subset_names};
    const char *output = args->option[OUTPUT];
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_dataset_cache_create(&cache));
    EG_TRY_DONE(status, eg_blas_prepare());
    if (output != NULL) {
        EG_TRY_DONE(status, eg_predictions_open(&file, output));
    }
    for (size_t s = 0; s < SUBSETS; s++) {
        EG_TRY_DONE(status, eg_trial_predict(&of[s], settings, cache, predictor, (eg_subset)s,
                                             output != NULL ? eg_predictions_add : NULL, &file));
    }
    EG_TRY_DONE(status, eg_predictions_close(&file));
    if (predictor->data != 0 && of[EG_SUBSET_TEST].data != predictor->data) {
        (void)fprintf(stderr, "note: these are not the data that the weights were learned from\n");
    }
    status = args->option[JSON] != NULL ? print_json(predictor, of)
                                        : print_table(settings, predictor, of);
done:
    eg_status_keep(&status, eg_text_file_close(&file.text, false));
    for (size_t s = 0; s < SUBSETS; s++) {
        eg_prediction_clear(&of[s]);
    }
    eg_dataset_cache_free(cache);
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    eg_predictor predictor = {0};
    eg_settings *settings = NULL;
    EG_TRY(eg_plugin_option_load(args->option[PLUGIN]));
    EG_TRY(eg_weights_file_read(&predictor, args->operands[0]));
    predictor.weights.source = args->operands[0];
    eg_status status = settings_of(&settings, &predictor, args);
    if (status.code == EG_OK) {
        status = predict(settings, &predictor, args);
    }
    eg_settings_free(settings);
    eg_predictor_clear(&predictor);
    return status;
}

const eg_verb eg_verb_predict = {
    .name = "predict",
    .summary = "what saved weights say of the examples: accuracy per task, scores of each example",
    .synopsis = "FILE [-o OUT] [--json] [name=value …]",
    .description =
        "Reads weights that `engram train --save` or `engram run --keep-weights` has written, "
        "opens "
        "the dataset and the stream they were learned from, and prints the accuracy on the test "
        "examples of each task, and on the validation examples if the protocol held some out: the "
        "numbers that the trial recorded at its end.\n\n"
        "Settings are those in FILE. name=value puts another one in their place, such as the "
        "dataset's path, another dataset of the same shape, or a stream with other tasks; after "
        "dataset=NAME its parameters have their defaults. docs/weights.md describes FILE, and how "
        "to use it without engram.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .needs = "needs a file of weights",
    .examples = "engram train --save net.h5 && engram predict net.h5\n"
                "engram predict net.h5 dataset.path=/data/mnist -o scores.csv\n"
                "engram predict results/sweep.weights/22a80e0d2a32ee0c.h5 --json",
    .exits = "0   done\n"
             "2   usage, or the file, the data and the settings do not fit each other\n"
             "4   the system failed",
    .run = run,
};
