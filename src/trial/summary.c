/** The summary of a finished trial, and the objective that the protocol allows. */
#include "trial/trial_state.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>

static const eg_core_variable transfer_variables[] = {
    EG_VAR_FINAL_ACCURACY,    EG_VAR_AVERAGE_ACCURACY, EG_VAR_FORGETTING,
    EG_VAR_BACKWARD_TRANSFER, EG_VAR_FORWARD_TRANSFER,
};

static double transfer_value(const eg_transfer *transfer, eg_core_variable which)
{
    switch (which) {
    case EG_VAR_FINAL_ACCURACY:
        return transfer->final_accuracy;
    case EG_VAR_AVERAGE_ACCURACY:
        return transfer->average_accuracy;
    case EG_VAR_FORGETTING:
        return transfer->forgetting;
    case EG_VAR_BACKWARD_TRANSFER:
        return transfer->backward_transfer;
    case EG_VAR_FORWARD_TRANSFER:
        return transfer->forward_transfer;
    default:
        return (double)NAN;
    }
}

/** The summary over the leading `tasks` phases and tasks (0: all) of one subset's matrix. */
static eg_status summarise(const eg_trial_state *state, eg_subset subset, size_t tasks,
                           eg_transfer *out)
{
    const eg_stream_shape *shape = &state->stream->shape;
    const eg_array *matrix =
        state->array[subset == EG_SUBSET_TEST ? EG_VAR_ACCURACY_MATRIX : EG_VAR_VALIDATION_MATRIX];
    const eg_array *untrained =
        state->array[subset == EG_SUBSET_TEST ? EG_VAR_UNTRAINED_ACCURACY
                                              : EG_VAR_VALIDATION_UNTRAINED];
    double *weight = NULL;
    EG_TRY(eg_alloc(&weight, shape->tasks, sizeof *weight));
    for (size_t t = 0; t < shape->tasks; t++) {
        weight[t] = (double)eg_stream_count(state->stream, subset, t);
    }
    size_t phases = tasks > 0 && tasks < shape->phases ? tasks : shape->phases;
    size_t count = tasks > 0 && tasks < shape->tasks ? tasks : shape->tasks;
    *out = eg_transfer_of(matrix->data, shape->tasks, phases, count, weight,
                          untrained != NULL ? untrained->data : NULL);
    eg_free(weight);
    return eg_ok();
}

/** The objective: one of the transfer measures on the selecting data, or any scalar as recorded. */
static eg_status objective_of(const eg_trial_state *state, const eg_transfer *selecting,
                              double *out)
{
    for (size_t i = 0; i < EG_COUNT(transfer_variables); i++) {
        eg_core_variable which = transfer_variables[i];
        if (strcmp(state->objective, eg_core_variables[which].name) == 0 &&
            eg_record_find(state->record, state->objective) != NULL) {
            *out = transfer_value(selecting, which);
            return eg_ok();
        }
    }
    const eg_array *array = eg_record_find(state->record, state->objective);
    if (array == NULL || array->rank != 0) {
        return eg_fail(EG_INVALID, "objective '%s' is not a summary variable of this trial",
                       state->objective);
    }
    *out = array->data[0];
    return eg_ok();
}

static eg_status scalar(eg_trial_state *state, eg_core_variable which, double value)
{
    return eg_record_scalar(state->record, &eg_core_variables[which], value);
}

eg_status eg_trial_summarise(eg_trial_state *state, bool diverged)
{
    /* A diverged network predicts nothing: it scores what guessing scores. */
    double chance = 1.0 / (double)state->stream->shape.outputs;
    eg_transfer reported = {.final_accuracy = chance,
                            .average_accuracy = chance,
                            .forgetting = (double)NAN,
                            .backward_transfer = (double)NAN,
                            .forward_transfer = (double)NAN};
    eg_transfer selecting = reported;
    if (!diverged) {
        EG_TRY(summarise(state, EG_SUBSET_TEST, 0, &reported));
        EG_TRY(summarise(state, state->selection.subset, state->selection.tasks, &selecting));
    }
    for (size_t i = 0; i < EG_COUNT(transfer_variables); i++) {
        eg_core_variable which = transfer_variables[i];
        if (which != EG_VAR_FORWARD_TRANSFER || state->untrained) {
            EG_TRY(scalar(state, which, transfer_value(&reported, which)));
        }
    }
    EG_TRY(scalar(state, EG_VAR_STEPS, (double)state->step));
    double forward = state->learner->ops->flops(state->learner);
    EG_TRY(
        scalar(state, EG_VAR_FLOPS,
               forward * (3.0 * (double)state->examples_seen + (double)state->evaluator.examples)));
    EG_TRY(scalar(state, EG_VAR_TRAIN_SECONDS, state->train_seconds));
    EG_TRY(scalar(state, EG_VAR_EVALUATION_SECONDS, state->evaluation_seconds));
    struct rusage usage = {0};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        EG_TRY(scalar(state, EG_VAR_PEAK_RSS, (double)usage.ru_maxrss * 1024.0));
    }
    double objective = (double)NAN;
    EG_TRY(objective_of(state, &selecting, &objective));
    return scalar(state, EG_VAR_OBJECTIVE, objective);
}
