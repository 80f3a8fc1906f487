/** The optimizer object: its constants, its state arrays and the count of updates. */
#include "engram/optimizer.h"

#include "engram/memory.h"
#include "math/prefetch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct eg_optimizer {
    const eg_optimizer_kind *kind;
    const eg_schedule *schedule;
    double p[EG_OPTIMIZER_PARAMS_MAX];
    double schedule_p[EG_OPTIMIZER_PARAMS_MAX];
    double lr, clip;
    double clip_norm; /* INFINITY: none */
    double rate;      /* of the update that was begun last */
    eg_real scale;    /* of its gradients */
    double factor[EG_OPTIMIZER_FACTORS_MAX];
    size_t n;
    uint64_t steps;                        /* updates made */
    eg_real *slot[EG_OPTIMIZER_SLOTS_MAX]; /* [n] each, kind->slots of them */
};

static void read_settings(eg_optimizer *optimizer, const eg_view *root)
{
    const eg_component *kind = eg_view_component(root, "optimizer");
    eg_view view = eg_view_inside(root, "optimizer");
    const eg_component *schedule = eg_view_component(&view, "schedule");
    eg_view inside = eg_view_inside(&view, "schedule");
    assert(kind->param_count <= EG_OPTIMIZER_PARAMS_MAX);
    assert(schedule->param_count <= EG_OPTIMIZER_PARAMS_MAX);
    eg_view_numbers(&view, kind, optimizer->p);
    eg_view_numbers(&inside, schedule, optimizer->schedule_p);
    optimizer->kind = (const eg_optimizer_kind *)kind;
    optimizer->schedule = (const eg_schedule *)schedule;
    optimizer->lr = eg_view_real(&view, "lr");
    double clip = eg_view_real(&view, "clip");
    optimizer->clip = clip == 0.0 ? INFINITY : clip;
    double clip_norm = eg_view_real(&view, "clip_norm");
    optimizer->clip_norm = clip_norm == 0.0 ? INFINITY : clip_norm;
}

static eg_status allocate_slots(eg_optimizer *optimizer)
{
    const eg_optimizer_kind *kind = optimizer->kind;
    assert(kind->slots <= EG_OPTIMIZER_SLOTS_MAX);
    for (size_t s = 0; s < kind->slots; s++) {
        EG_TRY(eg_alloc(&optimizer->slot[s], optimizer->n, sizeof *optimizer->slot[s]));
        eg_real start = kind->initial != NULL ? (eg_real)kind->initial(optimizer->p, s) : 0;
        for (size_t i = 0; i < optimizer->n; i++) {
            optimizer->slot[s][i] = start;
        }
    }
    return eg_ok();
}

eg_status eg_optimizer_create(eg_optimizer **out, const eg_view *root, size_t n)
{
    *out = NULL;
    eg_optimizer *optimizer = NULL;
    EG_TRY(eg_alloc(&optimizer, 1, sizeof *optimizer));
    optimizer->n = n;
    read_settings(optimizer, root);
    eg_status status = allocate_slots(optimizer);
    if (!eg_is_ok(&status)) {
        eg_optimizer_free(optimizer);
        return status;
    }
    *out = optimizer;
    return status;
}

void eg_optimizer_free(eg_optimizer *optimizer)
{
    if (optimizer == NULL) {
        return;
    }
    for (size_t s = 0; s < EG_OPTIMIZER_SLOTS_MAX; s++) {
        eg_free(optimizer->slot[s]);
    }
    eg_free(optimizer);
}

void eg_optimizer_begin(eg_optimizer *optimizer)
{
    optimizer->rate =
        optimizer->schedule->rate(optimizer->schedule_p, optimizer->lr, optimizer->steps);
    optimizer->scale = 1;
    optimizer->steps++;
    if (optimizer->kind->factors != NULL) {
        optimizer->kind->factors(optimizer->p, optimizer->steps, optimizer->factor);
    }
}

bool eg_optimizer_bounds_norm(const eg_optimizer *optimizer)
{
    return isfinite(optimizer->clip_norm);
}

/* The floor under the norm is that of torch.nn.utils.clip_grad_norm_, which the papers used. */
void eg_optimizer_bound_norm(eg_optimizer *optimizer, double squares)
{
    double factor = optimizer->clip_norm / (sqrt(squares) + 1e-6);
    optimizer->scale = factor < 1.0 ? (eg_real)factor : 1;
}

/* grads and loss_grads are those of parameter `at`, from which on n are updated. */
static void apply(const eg_optimizer *optimizer, eg_real *params, size_t at, size_t n,
                  const eg_real *grads, const eg_real *loss_grads,
                  const eg_update_terms *update_terms)
{
    eg_update update = {
        .p = optimizer->p,
        .lr = optimizer->rate,
        .clip = optimizer->clip,
        .n = n,
        .w = params + at,
        .g = grads,
        .scale = optimizer->scale,
        .loss_g = loss_grads,
    };
    memcpy(update.factor, optimizer->factor, sizeof update.factor);
    if (update_terms->penalty != NULL) {
        update.penalty = eg_penalty_at(update_terms->penalty, at);
    }
    if (update_terms->path_integral != NULL) {
        update.path_integral = update_terms->path_integral + at;
    }
    for (size_t s = 0; s < optimizer->kind->slots; s++) {
        update.slot[s] = optimizer->slot[s] + at;
    }
    optimizer->kind->update(&update);
}

/* Where importances are zero, neither they nor the anchor are read. */
static void apply_runs(const eg_optimizer *optimizer, eg_real *params, size_t first, size_t count,
                       const eg_real *grads, const eg_real *loss_grads,
                       const eg_update_terms *update_terms)
{
    const eg_update_terms zero = {.path_integral = update_terms->path_integral};
    for (size_t done = 0; done < count;) {
        bool is_zero = false;
        size_t n = eg_penalty_run(update_terms->penalty, first + done, count - done, &is_zero);
        apply(optimizer, params, first + done, n, grads + done, loss_grads + done,
              is_zero ? &zero : update_terms);
        done += n;
    }
}

/* Parts come in ascending order where it matters: what is known of the next one is fetched while its
 * gradient is computed. */
static void fetch_next(const eg_optimizer *optimizer, size_t next, size_t count,
                       const eg_update_terms *update_terms)
{
    size_t left = optimizer->n - next;
    size_t n = left < count ? left : count;
    for (size_t s = 0; s < optimizer->kind->slots; s++) {
        eg_prefetch(optimizer->slot[s] + next, n * sizeof(eg_real));
    }
    if (update_terms->path_integral != NULL) {
        eg_prefetch(update_terms->path_integral + next, n * sizeof(eg_real));
    }
    if (update_terms->penalty != NULL) {
        eg_penalty_prefetch(update_terms->penalty, next, n);
    }
}

void eg_optimizer_apply(const eg_optimizer *optimizer, eg_real *params, size_t first, size_t count,
                        const eg_real *grads, const eg_real *loss_grads,
                        const eg_update_terms *update_terms)
{
    static const eg_update_terms nothing = {.penalty = NULL};
    update_terms = update_terms != NULL ? update_terms : &nothing;
    loss_grads = loss_grads != NULL ? loss_grads : grads;
    assert(optimizer->steps > 0 && first + count <= optimizer->n);
    if (update_terms->penalty != NULL) {
        apply_runs(optimizer, params, first, count, grads, loss_grads, update_terms);
    } else {
        apply(optimizer, params, first, count, grads, loss_grads, update_terms);
    }
    fetch_next(optimizer, first + count, count, update_terms);
}

void eg_optimizer_step(eg_optimizer *optimizer, eg_real *params, const eg_real *grads)
{
    eg_optimizer_begin(optimizer);
    eg_optimizer_apply(optimizer, params, 0, optimizer->n, grads, NULL, NULL);
}

/* kind name, size of a number, n, steps, slots */
void eg_optimizer_write(const eg_optimizer *optimizer, eg_writer *writer)
{
    eg_write_text(writer, optimizer->kind->component.name);
    eg_write_u32(writer, sizeof(eg_real));
    eg_write_u64(writer, optimizer->n);
    eg_write_u64(writer, optimizer->steps);
    for (size_t s = 0; s < optimizer->kind->slots; s++) {
        eg_write_bytes(writer, optimizer->slot[s], optimizer->n * sizeof(eg_real));
    }
}

static eg_status check_kind(const eg_optimizer *optimizer, eg_reader *reader)
{
    char *name = NULL;
    EG_TRY(eg_read_text(reader, &name));
    const char *expected = optimizer->kind->component.name;
    eg_status status = eg_ok();
    if (name == NULL || strcmp(name, expected) != 0) {
        status = eg_fail(EG_INVALID, "saved state of optimizer \"%s\", expected \"%s\"",
                         name != NULL ? name : "", expected);
    }
    eg_free(name);
    return status;
}

/* What schedules and bias corrections, in double, can tell apart; and counting on never begins at 0 again. */
static const uint64_t steps_max = (uint64_t)1 << 53;

eg_status eg_optimizer_read(eg_optimizer *optimizer, eg_reader *reader)
{
    EG_TRY(check_kind(optimizer, reader));
    uint32_t real_size = eg_read_u32(reader);
    uint64_t n = eg_read_u64(reader);
    uint64_t steps = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (real_size != sizeof(eg_real) || n != optimizer->n) {
        return eg_fail(EG_INVALID,
                       "saved optimizer state has %llu numbers of %u bytes, expected %zu of %zu",
                       (unsigned long long)n, (unsigned)real_size, optimizer->n, sizeof(eg_real));
    }
    if (steps > steps_max) {
        return eg_fail(EG_INVALID, "saved optimizer state is after %llu updates",
                       (unsigned long long)steps);
    }
    const void *saved[EG_OPTIMIZER_SLOTS_MAX] = {NULL};
    for (size_t s = 0; s < optimizer->kind->slots; s++) {
        saved[s] = eg_read_bytes(reader, optimizer->n * sizeof(eg_real));
    }
    /* Nothing is changed before everything has been read. */
    EG_TRY(eg_reader_status(reader, false));
    for (size_t s = 0; s < optimizer->kind->slots; s++) {
        memcpy(optimizer->slot[s], saved[s], optimizer->n * sizeof(eg_real));
    }
    optimizer->steps = steps;
    return eg_ok();
}
