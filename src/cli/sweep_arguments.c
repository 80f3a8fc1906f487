/** The arguments that say which sweep; see cli/sweep_arguments.h. */
#include "cli/sweep_arguments.h"

#include "cli/preflight.h"
#include "engram/memory.h"
#include "engram/space.h"
#include "engram/store.h"

#include <stdlib.h>
#include <string.h>

/** A whole number at `text` with nothing but digits before `end`; 0 if it is none, or huge. */
static size_t read_number(const char *text, const char *end)
{
    size_t digits = strspn(text, "0123456789");
    bool good = digits > 0 && digits <= 7 && text + digits == end;
    return good ? strtoul(text, NULL, 10) : 0;
}

static eg_status apply_slice(eg_plan *plan, const char *text)
{
    const char *stroke = strchr(text, '/');
    size_t slice = stroke == NULL ? 0 : read_number(text, stroke);
    size_t count = stroke == NULL ? 0 : read_number(stroke + 1, text + strlen(text));
    if (slice == 0 || count == 0) {
        return eg_fail(EG_INVALID,
                       "--slice %s: must be I/N, two whole numbers with I from 1 to N, as in 1/4",
                       text);
    }
    return eg_status_wrap(eg_plan_slice(plan, slice, count), "%s", plan->path);
}

eg_status eg_sweep_arguments_plan(eg_plan **out, const eg_args *args, const char *slice)
{
    eg_plan *plan = NULL;
    *out = NULL;
    EG_TRY(eg_preflight_overrides(args->operands + 1, args->operand_count - 1));
    EG_TRY(eg_plan_load(&plan, args->operands[0], (const char *const *)(args->operands + 1),
                        args->operand_count - 1));
    eg_status status = slice == NULL ? eg_ok() : apply_slice(plan, slice);
    if (status.code != EG_OK) {
        eg_plan_free(plan);
        return status;
    }
    *out = plan;
    return eg_ok();
}

eg_status eg_sweep_arguments_space(eg_plan **out, const eg_args *args)
{
    *out = NULL;
    EG_TRY(eg_preflight_overrides(args->operands + 1, args->operand_count - 1));
    return eg_plan_load_space(out, args->operands[0], (const char *const *)(args->operands + 1),
                              args->operand_count - 1);
}

eg_status eg_sweep_arguments_path(char **out, const eg_plan *plan, const char *given)
{
    if (given != NULL) {
        return eg_store_file(out, given);
    }
    if (plan->slice_count > 0) {
        return eg_format(out, "results/%s.%zuof%zu.h5", plan->name, plan->slice, plan->slice_count);
    }
    return eg_format(out, "results/%s.h5", plan->name);
}
