/** engram failures: what went wrong, grouped by message. */
#include "cli/cli.h"

#include "cli/json.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JSON };

static const eg_option options[] = {
    [JSON] = {.name = "json", .doc = "A JSON array with an object per group; it has all ids."},
};

enum { IDS_SHOWN = 5 };

/** One line of the list; groups are runs of equal keys once it is sorted. */
typedef struct entry {
    const eg_result *result;
} entry;

static bool is_failure(const eg_result *result)
{
    return eg_trial_status_is_failure(result->status) || result->status == EG_TRIAL_DIVERGED;
}

static bool is_listed(const eg_result *result)
{
    return is_failure(result) || eg_result_was_retried(result);
}

/** A retried trial that came through in the end has no message of its own. */
static const char *message_of(const eg_result *result)
{
    if (is_failure(result)) {
        return result->message;
    }
    return result->losses > 0 ? "its worker was lost, it came through elsewhere"
                              : "needed more than one attempt";
}

static const char *status_of(const eg_result *result)
{
    return is_failure(result) ? eg_trial_status_name(result->status) : "retried";
}

/** Messages of diverged trials differ in the minibatch only: numbers do not separate groups. */
static int compare_messages(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        size_t digits_a = strspn(a, "0123456789");
        size_t digits_b = strspn(b, "0123456789");
        if (digits_a > 0 && digits_b > 0) {
            a += digits_a;
            b += digits_b;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int same_group(const eg_result *a, const eg_result *b)
{
    int order = strcmp(status_of(a), status_of(b));
    return order != 0 ? order : compare_messages(message_of(a), message_of(b));
}

static int compare_results(const void *a, const void *b)
{
    const eg_result *first = ((const entry *)a)->result;
    const eg_result *second = ((const entry *)b)->result;
    int order = same_group(first, second);
    if (order != 0) {
        return order;
    }
    return first < second ? -1 : first > second; /* both point into one array: its order */
}

static void print_group(const entry *group, size_t count)
{
    eg_say(stdout, "%zu %s: %s\n", count, status_of(group[0].result), message_of(group[0].result));
    (void)printf("  ids");
    for (size_t i = 0; i < count && i < IDS_SHOWN; i++) {
        (void)printf(" %s", eg_id(group[i].result->attempt.trial).text);
    }
    (void)printf("%s\n", count > IDS_SHOWN ? " …" : "");
}

static json_t *group_object(const entry *group, size_t count)
{
    json_t *object = json_object();
    json_t *ids = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(ids, json_string(eg_id(group[i].result->attempt.trial).text));
    }
    eg_json_text(object, "status", status_of(group[0].result));
    eg_json_text(object, "message", message_of(group[0].result));
    eg_json_count(object, "count", count);
    (void)json_object_set_new(object, "ids", ids);
    return object;
}

static eg_status report(const char *path, const eg_results *results, bool json)
{
    entry *listed = NULL;
    size_t count = 0;
    size_t failed = 0;
    size_t timeouts = 0;
    EG_TRY(eg_alloc(&listed, results->trial_count, sizeof *listed));
    for (size_t i = 0; i < results->trial_count; i++) {
        if (is_listed(&results->trials[i])) {
            listed[count++].result = &results->trials[i];
            failed += results->trials[i].status == EG_TRIAL_FAILED;
            timeouts += results->trials[i].status == EG_TRIAL_TIMEOUT;
        }
    }
    qsort(listed, count, sizeof *listed, compare_results);
    json_t *groups = json_array();
    size_t end = 0;
    for (size_t first = 0; first < count; first = end) {
        for (end = first + 1;
             end < count && same_group(listed[first].result, listed[end].result) == 0; end++) {
        }
        if (json) {
            (void)json_array_append_new(groups, group_object(listed + first, end - first));
        } else {
            print_group(listed + first, end - first);
        }
    }
    eg_free(listed);
    if (json) {
        return eg_json_print(groups);
    }
    json_decref(groups);
    if (count == 0) {
        eg_say(stdout, "%s: no trial failed, timed out, diverged or was retried\n", path);
    }
    if (failed > 0) {
        (void)printf("\n`engram run SWEEP --redo failed` runs the failed ones again\n");
    }
    if (timeouts > 0) {
        (void)printf("\n`engram run SWEEP max_seconds=… --redo timeout` runs those again that took "
                     "too long\n");
    }
    return eg_ok();
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    eg_results *results = NULL;
    EG_TRY(eg_results_load_brief(&results, args->operands[0]));
    eg_results_warn(results);
    eg_status status = report(args->operands[0], results, args->option[JSON] != NULL);
    eg_results_free(results);
    return status;
}

const eg_verb eg_verb_failures = {
    .name = "failures",
    .summary = "failed, timed out, diverged and retried trials, grouped by message",
    .synopsis = "FILE [--json]",
    .description =
        "Lists what went wrong in FILE: trials that failed (the system or the data; they "
        "can be run again), took longer than max_seconds, diverged (a result: the loss was not "
        "finite) or needed more "
        "than one attempt. Messages that differ in numbers only form one group, shown "
        "by its first message with its first trial ids.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file",
    .examples = "engram failures results/quickstart.h5\n"
                "engram run sweeps/quickstart.yaml --redo failed",
    .exits = "0   done, whether there are failures or not\n"
             "2   usage, or the file cannot be read",
    .run = run,
};
