/** All measures. Adding one: its file, and its two lines here. */
#include "engram/measure.h"

extern const eg_measure_kind eg_measure_accuracy;
extern const eg_measure_kind eg_measure_activity;
extern const eg_measure_kind eg_measure_cost;
extern const eg_measure_kind eg_measure_default;
extern const eg_measure_kind eg_measure_final_accuracy;
extern const eg_measure_kind eg_measure_forgetting;
extern const eg_measure_kind eg_measure_forward_transfer;
extern const eg_measure_kind eg_measure_learning;
extern const eg_measure_kind eg_measure_matrix;
extern const eg_measure_kind eg_measure_objective;
extern const eg_measure_kind eg_measure_online;
extern const eg_measure_kind eg_measure_progress;
extern const eg_measure_kind eg_measure_resources;
extern const eg_measure_kind eg_measure_task_accuracy;
extern const eg_measure_kind eg_measure_transfer;
extern const eg_measure_kind eg_measure_validation;
extern const eg_measure_kind eg_measure_weights;

static const eg_component *const members[] = {
    &eg_measure_accuracy.component,
    &eg_measure_activity.component,
    &eg_measure_cost.component,
    &eg_measure_default.component,
    &eg_measure_final_accuracy.component,
    &eg_measure_forgetting.component,
    &eg_measure_forward_transfer.component,
    &eg_measure_learning.component,
    &eg_measure_matrix.component,
    &eg_measure_objective.component,
    &eg_measure_online.component,
    &eg_measure_progress.component,
    &eg_measure_resources.component,
    &eg_measure_task_accuracy.component,
    &eg_measure_transfer.component,
    &eg_measure_validation.component,
    &eg_measure_weights.component,
};

const eg_family eg_measure_family = {
    .name = "measure",
    .doc = "what is recorded of a trial",
    .members = members,
    .member_count = EG_COUNT(members),
};
