/** What a trial has learned, and predicting with it; see engram/predictor.h. */
#include "engram/predictor.h"

#include "engram/memory.h"

void eg_predictor_clear(eg_predictor *predictor)
{
    eg_weights_clear(&predictor->weights);
    eg_free(predictor->settings);
    eg_free(predictor->byte_value);
    *predictor = (eg_predictor){0};
}
