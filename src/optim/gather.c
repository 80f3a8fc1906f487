/** Updates by rules that need all gradients before they change anything; see
 *  eg_optimizer_kind.gather. */
#include "optim/object.h"

#include "engram/random.h"
#include "math/shared/normals.h"
#include "math/shared/vector.h"

#include <string.h>

/* The bound on the norm, and coupled decay, become part of the gradient g of a block. */
static void complete(const eg_optimizer *optimizer, const eg_parameter_block *block, eg_real *g)
{
    if (optimizer->scale != 1) {
        eg_scale(block->count, optimizer->scale, g);
    }
    if (eg_optimizer_decays(optimizer, block) && !optimizer->decoupled) {
        const eg_real *w = optimizer->params + block->offset;
        eg_real lambda = (eg_real)optimizer->decay;
        for (size_t i = 0; i < block->count; i++) {
            g[i] += lambda * w[i];
        }
    }
}

/* Numbers that are the same however the update came about. Counts of updates may begin anew with a
 * phase, so the phase is part of the key. */
static void draw(const eg_optimizer *optimizer, size_t b)
{
    const eg_parameter_block *block = &optimizer->blocks[b];
    eg_rng phase = eg_rng_make(optimizer->seed, EG_PURPOSE_UPDATE, optimizer->phase);
    eg_normals(eg_rng_u64(&phase), EG_PURPOSE_UPDATE, optimizer->steps * optimizer->block_count + b,
               block->count, optimizer->noise);
    /* Lanes without a unit, of the last panel. */
    size_t used = block->units % block->lanes;
    eg_real *last = optimizer->noise + (block->units - used) * block->fan_in;
    for (size_t i = 0; used > 0 && i < block->fan_in; i++) {
        memset(last + i * block->lanes + used, 0, (block->lanes - used) * sizeof *last);
    }
}

static eg_update run_of(const eg_optimizer *optimizer, size_t b, const eg_real *g, double gathered)
{
    const eg_parameter_block *block = &optimizer->blocks[b];
    eg_update run = eg_optimizer_run(optimizer, block->offset, block->count, g + block->offset,
                                     optimizer->grads + block->offset, 1);
    run.block = block;
    run.gathered = gathered;
    run.noise = optimizer->noise;
    return run;
}

void eg_optimizer_gather(eg_optimizer *optimizer, eg_real *g)
{
    const eg_optimizer_kind *kind = optimizer->kind;
    double gathered = 0;
    for (size_t b = 0; b < optimizer->block_count; b++) {
        const eg_parameter_block *block = &optimizer->blocks[b];
        complete(optimizer, block, g + block->offset);
        eg_update run = run_of(optimizer, b, g, gathered);
        kind->gather(&run);
        gathered = run.gathered;
    }
    for (size_t b = 0; b < optimizer->block_count; b++) {
        const eg_parameter_block *block = &optimizer->blocks[b];
        if (optimizer->noise != NULL) {
            draw(optimizer, b);
        }
        if (eg_optimizer_decays(optimizer, block) && optimizer->decoupled) {
            eg_scale(block->count, (eg_real)(1.0 - optimizer->rate * optimizer->decay),
                     optimizer->params + block->offset);
        }
        const eg_update run = run_of(optimizer, b, g, gathered);
        kind->update(&run);
    }
}
