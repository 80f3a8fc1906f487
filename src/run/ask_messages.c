/** Lines for a tuner; see run/ask_messages.h. */
#include "run/ask_messages.h"

#include "base/shared/value.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** --- As text --------------------------------------------------------------------------------- */

/* Before the text of what ask_ingest_line writes. */
static const char ingest_start[] = "{\"ingest\":";

static void put(eg_writer *writer, const char *text)
{
    eg_write_bytes(writer, text, strlen(text));
}

/** A real as the shortest decimal that reads back to it, and not as an integer. */
static void put_real(eg_writer *writer, double value)
{
    char text[EG_NUMBER_TEXT];
    eg_real_text(text, value);
    put(writer, text);
    put(writer, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void put_plain(eg_writer *writer, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    put(writer, text == NULL ? "" : text);
    writer->failed = writer->failed || text == NULL;
    free(text);
}

/** The recursion is bounded: what was parsed has a limited depth. */
static void put_value(eg_writer *writer, json_t *value)
{
    size_t done = 0;
    if (json_is_object(value)) {
        const char *key = NULL;
        json_t *member = NULL;
        put(writer, "{");
        json_object_foreach(value, key, member)
        {
            json_t *name = json_string(key);
            put(writer, done++ == 0 ? "" : ",");
            put_plain(writer, name);
            json_decref(name);
            put(writer, ":");
            put_value(writer, member);
        }
        put(writer, "}");
    } else if (json_is_array(value)) {
        put(writer, "[");
        for (size_t i = 0; i < json_array_size(value); i++) {
            put(writer, i == 0 ? "" : ",");
            put_value(writer, json_array_get(value, i));
        }
        put(writer, "]");
    } else if (json_is_real(value)) {
        put_real(writer, json_real_value(value));
    } else {
        put_plain(writer, value);
    }
}

/** The text of `value`, which is released; NULL: it could not be made. */
static eg_status print_line(char **out, json_t *value)
{
    eg_writer writer = {.failed = value == NULL};
    *out = NULL;
    if (value != NULL) {
        put_value(&writer, value);
    }
    eg_write_u8(&writer, 0);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    json_decref(value);
    return status;
}

/** --- The space ------------------------------------------------------------------------------- */

/** A label as a value of its setting's type. */
static json_t *label_value(const eg_space_variable *variable, size_t i)
{
    const char *label = variable->labels[i];
    json_t *value = NULL;
    if (variable->type == EG_TYPE_INT || variable->type == EG_TYPE_BOOL) {
        value = json_loads(label, JSON_DECODE_ANY, NULL);
    } else if (variable->type == EG_TYPE_REAL) {
        value = json_real(strtod(label, NULL));
    }
    return value != NULL ? value : json_string(label);
}

static json_t *describe_variable(const eg_space_variable *variable)
{
    if (variable->kind == EG_VARIABLE_CHOICE) {
        json_t *values = json_array();
        for (size_t i = 0; i < variable->label_count; i++) {
            (void)json_array_append_new(values, label_value(variable, i));
        }
        return json_pack("{s:s, s:o}", "type", "DiscreteVariable", "values", values);
    }
    bool whole = variable->kind == EG_VARIABLE_INTEGER;
    json_t *domain =
        whole ? json_pack("[I, I]", (json_int_t)variable->low, (json_int_t)variable->high)
              : json_pack("[f, f]", variable->low, variable->high);
    return json_pack("{s:s, s:o, s:s, s:b}", "type", "ContinuousVariable", "domain", domain,
                     "dtype", whole ? "int" : "float", "log", (int)variable->logarithmic);
}

eg_status eg_ask_space_line(char **out, const eg_plan *plan)
{
    size_t count = 0;
    const eg_space_variable *variables = eg_plan_variables(plan, &count);
    json_t *described = json_object();
    for (size_t i = 0; i < count; i++) {
        (void)json_object_set_new(described, variables[i].name, describe_variable(&variables[i]));
    }
    return print_line(out,
                      json_pack("{s:{s:o, s:{s:s}, s:[s, s]}, s:I}", "vocs", "variables", described,
                                "objectives", plan->objective,
                                plan->maximise ? "MAXIMIZE" : "MINIMIZE", "observables", "status",
                                "seeds", "seed", (json_int_t)eg_plan_space_seed(plan)));
}

eg_status eg_ask_suggest_line(char **out, size_t count)
{
    return print_line(out, json_pack("{s:{s:I}}", "suggest", "num_points", (json_int_t)count));
}

/** --- Results --------------------------------------------------------------------------------- */

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/** Adds the trials of a point and its mean, which is the one that it is ranked by. */
static eg_status add_results(json_t *point, const eg_run_state *state, size_t index)
{
    const eg_plan *plan = state->plan;
    const char *overall = "done";
    json_t *seeds = json_array();
    eg_ranked_point *ranked = NULL;
    EG_TRY(eg_ranking_create(&ranked, 1));
    for (size_t r = plan->seed_count; r-- > 0;) {
        const eg_outcome *outcome = &state->outcomes[eg_plan_find(plan, index, r)];
        const char *status = eg_trial_status_name((eg_trial_status)outcome->status);
        overall = outcome->status == EG_TRIAL_DONE ? overall : status;
    }
    for (size_t r = 0; r < plan->seed_count; r++) {
        size_t t = eg_plan_find(plan, index, r);
        const eg_outcome *outcome = &state->outcomes[t];
        const eg_scored_trial trial = {.seed = plan->trials[t].seed,
                                       .status = outcome->status,
                                       .stage = EG_STAGE_FIRST,
                                       .selected = outcome->objective};
        eg_ranking_add(ranked, &state->basis, &trial);
        double value =
            eg_ranking_value(outcome->status, outcome->objective, state->basis.chance_selected);
        json_t *seed = json_pack("{s:I, s:s}", "seed", (json_int_t)trial.seed, "status",
                                 eg_trial_status_name((eg_trial_status)outcome->status));
        (void)json_object_set_new(seed, plan->objective, real_or_null(value));
        (void)json_array_append_new(seeds, seed);
    }
    const eg_sample *sample = &eg_point_selecting(ranked)->selected;
    (void)json_object_set_new(point, plan->objective,
                              sample->n > 0 ? real_or_null(sample->mean) : json_null());
    (void)json_object_set_new(point, "status", json_string(overall));
    (void)json_object_set_new(point, "seeds", seeds);
    eg_free(ranked);
    return eg_ok();
}

eg_status eg_ask_ingest_line(char **out, const eg_run_state *state, const json_t *points,
                             const size_t *indices)
{
    json_t *results = json_deep_copy(points);
    eg_status status = results == NULL ? eg_fail_memory(sizeof *points) : eg_ok();
    *out = NULL;
    for (size_t i = 0; i < json_array_size(results) && status.code == EG_OK; i++) {
        status = add_results(json_array_get(results, i), state, indices[i]);
    }
    if (status.code != EG_OK) {
        json_decref(results);
        return status;
    }
    return print_line(out, json_pack("{s:{s:o}}", "ingest", "results", results));
}

bool eg_ask_is_ingest(const char *line)
{
    return strncmp(line, ingest_start, sizeof ingest_start - 1) == 0;
}

bool eg_ask_same_answer(const char *a, const char *b)
{
    json_t *first = json_loads(a, JSON_DECODE_ANY, NULL);
    json_t *second = json_loads(b, JSON_DECODE_ANY, NULL);
    bool same =
        strcmp(a, b) == 0 || (first != NULL && second != NULL && json_equal(first, second) == 1);
    json_decref(first);
    json_decref(second);
    return same;
}
