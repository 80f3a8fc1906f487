/** The variables every trial records. */
#ifndef ENGRAM_TRIAL_VARIABLES_H
#define ENGRAM_TRIAL_VARIABLES_H

#include "engram/record.h"

/** Rows of eg_core_variables. */
typedef enum eg_core_variable {
    EG_VAR_STEP,
    EG_VAR_EXAMPLES_SEEN,
    EG_VAR_PHASE,
    EG_VAR_LOSS,
    EG_VAR_ACCURACY,
    EG_VAR_TASK_ACCURACY,
    EG_VAR_ACTIVE_FRACTION,
    EG_VAR_ACCURACY_MATRIX,
    EG_VAR_FINAL_ACCURACY,
    EG_VAR_AVERAGE_ACCURACY,
    EG_VAR_FORGETTING,
    EG_VAR_BACKWARD_TRANSFER,
    EG_VAR_STEPS,
    EG_VAR_FLOPS,
    EG_VAR_TRAIN_SECONDS,
    EG_VAR_EVALUATION_SECONDS,
    EG_VAR_PEAK_RSS,
    EG_VAR_OBJECTIVE,
    EG_VAR_VALIDATION_ACCURACY, /* this one and the next only where examples are held out */
    EG_VAR_VALIDATION_MATRIX,
    EG_VAR_UNTRAINED_ACCURACY, /* this one and the next only where eval.untrained asks for it */
    EG_VAR_FORWARD_TRANSFER,
    EG_VAR_VALIDATION_UNTRAINED, /* only with both */
    EG_VAR_COUNT
} eg_core_variable;

extern const eg_variable eg_core_variables[EG_VAR_COUNT];

#endif
