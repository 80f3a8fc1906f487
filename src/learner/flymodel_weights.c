/** What a FlyModel has learned, as named arrays; see learner/flymodel.h. */
#include "learner/flymodel.h"

#include "engram/memory.h"

#include <string.h>

/* inputs [units, ones]: the lists of units per input, the other way round. */
static eg_status list_inputs(const eg_flymodel *fly, double *inputs)
{
    size_t *listed = NULL; /* [units] */
    EG_TRY(eg_alloc(&listed, fly->shape.units, sizeof *listed));
    for (size_t i = 0; i < fly->shape.inputs; i++) {
        for (uint32_t k = fly->start[i]; k < fly->start[i + 1]; k++) {
            size_t unit = fly->unit[k];
            inputs[unit * fly->shape.ones + listed[unit]++] = (double)i;
        }
    }
    eg_free(listed);
    return eg_ok();
}

static eg_status pass_inputs(const eg_flymodel *fly, eg_weights_pass *pass)
{
    const size_t extent[] = {fly->shape.units, fly->shape.ones};
    const size_t count = extent[0] * extent[1];
    double *own = NULL;
    double *passed = NULL;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&own, count, sizeof *own));
    EG_TRY_DONE(status, eg_alloc(&passed, count, sizeof *passed));
    EG_TRY_DONE(status, list_inputs(fly, own));
    memcpy(passed, own, count * sizeof *own);
    EG_TRY_DONE(status, eg_weights_doubles(pass, "flymodel/inputs", "buffer", 2, extent, passed));
    if (memcmp(own, passed, count * sizeof *own) != 0) {
        status = eg_fail(EG_INVALID, "flymodel/inputs was drawn with another seed; expected the "
                                     "same seed as that of the trial");
    }
done:
    eg_free(own);
    eg_free(passed);
    return status;
}

static eg_status pass_seen(eg_flymodel *fly, eg_weights_pass *pass)
{
    double *seen = NULL;
    EG_TRY(eg_alloc(&seen, fly->shape.classes, sizeof *seen));
    for (size_t c = 0; c < fly->shape.classes; c++) {
        seen[c] = fly->seen[c];
    }
    eg_status status =
        eg_weights_doubles(pass, "flymodel/seen", "buffer", 1, &fly->shape.classes, seen);
    for (size_t c = 0; c < fly->shape.classes; c++) {
        fly->seen[c] = seen[c] != 0 ? 1 : 0;
    }
    eg_free(seen);
    return status;
}

eg_status eg_flymodel_weights(eg_flymodel *fly, eg_weights_pass *pass)
{
    const size_t extent[] = {fly->shape.classes, fly->shape.units};
    EG_TRY(pass_inputs(fly, pass));
    EG_TRY(eg_weights_reals(pass, "flymodel/association.weight", "weight", 2, extent, fly->weight));
    return pass_seen(fly, pass);
}
