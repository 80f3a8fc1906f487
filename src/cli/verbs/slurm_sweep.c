/** Which sweep a job of Slurm runs; see cli/verbs/slurm.h. */
#include "cli/verbs/slurm.h"

#include "cli/sweep_arguments.h"
#include "engram/memory.h"
#include "engram/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

eg_status eg_slurm_sweep_read(eg_slurm_sweep *out, const eg_args *args)
{
    *out = (eg_slurm_sweep){0};
    for (size_t i = 0; i < args->operand_count; i++) {
        const char *word = args->operands[i];
        if (strcmp(word, "-o") == 0 || strcmp(word, "--output") == 0) {
            if (++i == args->operand_count) {
                return eg_fail(EG_INVALID, "%s needs a file", word);
            }
            out->output = args->operands[i];
        } else if (strncmp(word, "--output=", 9) == 0) {
            out->output = word + 9;
        } else if (strncmp(word, "-o", 2) == 0) {
            out->output = word + 2;
        } else if (word[0] == '-' && i > 0) {
            return eg_fail(EG_INVALID,
                           "'%s': after the sweep file there may be -o FILE and name=value; a job "
                           "that goes back into the queue would do anything else again",
                           word);
        } else {
            EG_TRY(eg_command_add(&out->arguments, "%s", word));
        }
    }
    if (out->arguments.count == 0) {
        return eg_fail(EG_INVALID, "needs a sweep file");
    }
    if (strcmp(out->arguments.arguments[0], "-") == 0) {
        return eg_fail(EG_INVALID, "a job cannot read its sweep from standard input: name a file");
    }
    return eg_ok();
}

void eg_slurm_sweep_clear(eg_slurm_sweep *sweep)
{
    eg_command_clear(&sweep->arguments);
}

/** FILE.IofN.h5 for FILE.h5. */
static eg_status slice_path(char **out, const char *whole, size_t slice, size_t slices)
{
    size_t stem = strlen(whole) - strlen(".h5");
    return eg_format(out, "%.*s.%zuof%zu.h5", (int)stem, whole, slice, slices);
}

eg_status eg_slurm_sweep_plan(eg_plan **plan, char **results, const eg_slurm_sweep *sweep,
                              size_t slice, size_t slices)
{
    const eg_args args = {.operands = sweep->arguments.arguments,
                          .operand_count = sweep->arguments.count};
    char part[64];
    (void)snprintf(part, sizeof part, "%zu/%zu", slice, slices);
    *results = NULL;
    EG_TRY(eg_sweep_arguments_plan(plan, &args, slices > 0 ? part : NULL));
    eg_status status = eg_sweep_arguments_path(results, *plan, sweep->output);
    if (status.code == EG_OK && slices > 0 && sweep->output != NULL) {
        char *whole = *results;
        *results = NULL;
        status = slice_path(results, whole, slice, slices);
        eg_free(whole);
    }
    if (status.code != EG_OK) {
        eg_plan_free(*plan);
        *plan = NULL;
    }
    return status;
}

eg_status eg_slurm_count_finished(size_t *out, const eg_plan *plan, const char *results)
{
    eg_outcome *outcomes = NULL;
    *out = 0;
    EG_TRY(eg_alloc(&outcomes, plan->trial_count, sizeof *outcomes));
    eg_status status = eg_store_look(outcomes, results, plan);
    for (size_t i = 0; status.code == EG_OK && i < plan->trial_count; i++) {
        *out += eg_trial_status_is_final(outcomes[i].status) && !outcomes[i].lacks_measures ? 1 : 0;
    }
    eg_free(outcomes);
    return status;
}
