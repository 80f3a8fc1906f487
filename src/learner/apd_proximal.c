/** The proximal step; see learner/apd_proximal.h. */
#include "learner/apd_proximal.h"

#include "learner/apd_chunk.h"
#include "math/shared/clones.h"

static const eg_optimizer_kind *kind_of(const eg_view *root)
{
    return (const eg_optimizer_kind *)(const void *)eg_view_component(root, "optimizer");
}

eg_status eg_apd_proximal_check(const eg_view *root, const char *prefix)
{
    const eg_optimizer_kind *kind = kind_of(root);
    return kind->reach != NULL
               ? eg_ok()
               : eg_fail_setting("", "optimizer learner",
                                 "%sl1 = proximal needs to know how far a gradient moves a weight, "
                                 "and optimizer = %s does not say (adam and sgd do)",
                                 prefix, kind->component.name);
}

EG_CLONES static void shrink(size_t n, eg_real lambda1, const eg_real *restrict reach,
                             eg_real *restrict tau)
{
    for (size_t i = 0; i < n; i++) {
        eg_real size = tau[i] < 0 ? -tau[i] : tau[i];
        eg_real left = size - lambda1 * reach[i];
        eg_real shrunk = tau[i] < 0 ? -left : left;
        /* Written so that a NaN stays one. */
        tau[i] = left <= 0 ? 0 : shrunk;
    }
}

void eg_apd_proximal(const eg_apd *self, size_t plane, size_t at, size_t n)
{
    eg_real reach[EG_APD_CHUNK];
    if (plane != self->task[self->current].plane && self->updates == 1) {
        return;
    }
    for (size_t done = 0; done < n;) {
        size_t count = n - done < EG_APD_CHUNK ? n - done : EG_APD_CHUNK;
        eg_optimizer_reach(self->base.optimizer, at + done, count, reach);
        shrink(count, (eg_real)self->settings.lambda1, reach, self->all + at + done);
        done += count;
    }
}
