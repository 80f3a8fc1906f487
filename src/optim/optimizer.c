/** The optimizer object: its settings, its state arrays, and when they begin anew. */
#include "optim/object.h"

#include "engram/memory.h"

#include <assert.h>
#include <math.h>

static void read_decay(eg_optimizer *optimizer, const eg_view *view)
{
    const eg_value *spared = eg_view_value(view, "decay_spares");
    optimizer->decay = eg_view_real(view, "weight_decay");
    optimizer->decoupled = eg_view_name(view, "decay") == 1;
    optimizer->spares_head = eg_view_name(view, "decays") == 1;
    for (size_t i = 0; i < spared->count; i++) {
        optimizer->spares[(size_t)spared->items[i]] = true;
    }
}

static size_t slots_of(const eg_optimizer_kind *kind, const double *p)
{
    return kind->slots_with != NULL ? kind->slots_with(p) : kind->slots;
}

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
    optimizer->slots = slots_of(optimizer->kind, optimizer->p);
    optimizer->schedule = (const eg_schedule *)schedule;
    optimizer->lr = eg_view_real(&view, "lr");
    double clip = eg_view_real(&view, "clip");
    optimizer->clip = clip == 0.0 ? INFINITY : clip;
    double clip_norm = eg_view_real(&view, "clip_norm");
    optimizer->clip_norm = clip_norm == 0.0 ? INFINITY : clip_norm;
    optimizer->restarts = eg_view_name(&view, "restart") == 1;
    read_decay(optimizer, &view);
}

static eg_real initial_of(const eg_optimizer *optimizer, size_t s)
{
    const eg_optimizer_kind *kind = optimizer->kind;
    return kind->initial != NULL ? (eg_real)kind->initial(optimizer->p, s) : 0;
}

static eg_status copy_blocks(eg_optimizer *optimizer, const eg_parameter_table *table)
{
    const eg_optimizer_kind *kind = optimizer->kind;
    size_t largest = 0;
    EG_TRY(eg_alloc(&optimizer->blocks, table->block_count, sizeof *optimizer->blocks));
    for (; optimizer->block_count < table->block_count; optimizer->block_count++) {
        const eg_parameter_block *block = &table->blocks[optimizer->block_count];
        optimizer->blocks[optimizer->block_count] = *block;
        largest = block->count > largest ? block->count : largest;
    }
    return kind->draws != NULL && kind->draws(optimizer->p)
               ? eg_alloc(&optimizer->noise, largest, sizeof *optimizer->noise)
               : eg_ok();
}

enum { CORRECTION_END_MAX = 1 << 22 };

static bool is_over(const eg_optimizer *optimizer, int32_t t)
{
    return (eg_real)optimizer->kind->correction(optimizer->p, t) == 1;
}

/* A parameter's count ends where the correction is 1 to the last bit. At twice as many updates,
 * too: on its way it may pass 1. */
static eg_status tabulate_correction(eg_optimizer *optimizer)
{
    const eg_optimizer_kind *kind = optimizer->kind;
    int32_t end = 1;
    while (end <= CORRECTION_END_MAX && !(is_over(optimizer, end) && is_over(optimizer, 2 * end))) {
        end *= 2;
    }
    if (end > CORRECTION_END_MAX) {
        return eg_fail(EG_INVALID,
                       "optimizer %s: its means are too long for counts of updates per parameter "
                       "(more than %d)",
                       kind->component.name, CORRECTION_END_MAX);
    }
    EG_TRY(eg_alloc(&optimizer->count, optimizer->n, sizeof *optimizer->count));
    EG_TRY(eg_alloc(&optimizer->correction, (size_t)end + 1, sizeof *optimizer->correction));
    for (int32_t t = 0; t <= end; t++) {
        optimizer->correction[t] = t == 0 ? 0 : (eg_real)kind->correction(optimizer->p, t);
    }
    optimizer->correction_end = end;
    return eg_ok();
}

static eg_status allocate(eg_optimizer *optimizer, const eg_parameter_table *table, bool carries)
{
    assert(optimizer->slots <= EG_OPTIMIZER_SLOTS_MAX);
    for (size_t s = 0; s < optimizer->slots; s++) {
        EG_TRY(eg_alloc(&optimizer->slot[s], optimizer->n, sizeof *optimizer->slot[s]));
    }
    if (optimizer->kind->counts_each != NULL && optimizer->kind->counts_each(optimizer->p)) {
        EG_TRY(tabulate_correction(optimizer));
    }
    eg_optimizer_restart(optimizer);
    bool gathers = optimizer->kind->gather != NULL;
    if (optimizer->decay > 0.0 || gathers) {
        EG_TRY(copy_blocks(optimizer, table));
    }
    if (carries || optimizer->decay > 0.0) {
        EG_TRY(eg_alloc(&optimizer->mixed, EG_OPTIMIZER_BLOCK, sizeof *optimizer->mixed));
    }
    if (carries && (isfinite(optimizer->clip_norm) || gathers)) {
        EG_TRY(eg_alloc(&optimizer->whole, optimizer->n, sizeof *optimizer->whole));
    }
    return eg_ok();
}

eg_status eg_optimizer_create(eg_optimizer **out, const eg_view *root,
                              const eg_parameter_table *table, bool carries, uint64_t seed)
{
    *out = NULL;
    eg_optimizer *optimizer = NULL;
    EG_TRY(eg_alloc(&optimizer, 1, sizeof *optimizer));
    optimizer->n = table->count;
    optimizer->seed = seed;
    read_settings(optimizer, root);
    eg_status status = allocate(optimizer, table, carries);
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
    eg_free(optimizer->count);
    eg_free(optimizer->correction);
    eg_free(optimizer->blocks);
    eg_free(optimizer->noise);
    eg_free(optimizer->mixed);
    eg_free(optimizer->whole);
    eg_free(optimizer);
}

eg_status eg_optimizer_attach(eg_optimizer *optimizer, eg_gradient_term *term)
{
    if (optimizer->mixed == NULL) {
        EG_TRY(eg_alloc(&optimizer->mixed, EG_OPTIMIZER_BLOCK, sizeof *optimizer->mixed));
    }
    eg_gradient_term **end = &optimizer->attached;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    term->next = NULL;
    *end = term;
    return eg_ok();
}

void eg_optimizer_follow(eg_optimizer *optimizer, eg_column_magnitudes *sums)
{
    assert(sums->first + sums->rows * sums->width <= optimizer->n);
    sums->next = optimizer->followed;
    optimizer->followed = sums;
}

void eg_optimizer_profile(eg_optimizer *optimizer, eg_profile *profile)
{
    optimizer->profile = profile;
}

void eg_optimizer_reset(eg_optimizer *optimizer, size_t first, size_t count, size_t stride)
{
    for (size_t s = 0; s < optimizer->slots; s++) {
        eg_real initial = initial_of(optimizer, s);
        for (size_t i = 0; i < count; i++) {
            optimizer->slot[s][first + i * stride] = initial;
        }
    }
}

void eg_optimizer_tell(eg_optimizer *optimizer, size_t first, size_t count, size_t stride)
{
    for (const eg_gradient_term *term = optimizer->attached; term != NULL; term = term->next) {
        if (term->renewed != NULL) {
            term->renewed(term->user, first, count, stride);
        }
    }
}

void eg_optimizer_renew(eg_optimizer *optimizer, size_t first, size_t count, size_t stride)
{
    eg_optimizer_reset(optimizer, first, count, stride);
    eg_optimizer_tell(optimizer, first, count, stride);
}

void eg_optimizer_recount(eg_optimizer *optimizer, size_t first, size_t count, size_t stride)
{
    for (size_t i = 0; optimizer->count != NULL && i < count; i++) {
        optimizer->count[first + i * stride] = 0;
    }
}

double eg_optimizer_rate(const eg_optimizer *optimizer)
{
    return optimizer->rate;
}

void eg_optimizer_restart(eg_optimizer *optimizer)
{
    eg_optimizer_reset(optimizer, 0, optimizer->n, 1);
    eg_optimizer_recount(optimizer, 0, optimizer->n, 1);
    optimizer->steps = 0;
}

void eg_optimizer_begin_phase(eg_optimizer *optimizer, size_t phase, size_t epoch_steps)
{
    optimizer->phase = phase;
    optimizer->phase_steps = 0;
    optimizer->epoch_steps = epoch_steps;
    if (optimizer->restarts && phase > 0) {
        eg_optimizer_restart(optimizer);
    }
}

eg_optimizer_traits eg_optimizer_traits_of(const eg_view *root)
{
    const eg_component *component = eg_view_component(root, "optimizer");
    const eg_optimizer_kind *kind = (const eg_optimizer_kind *)component;
    eg_view view = eg_view_inside(root, "optimizer");
    double p[EG_OPTIMIZER_PARAMS_MAX];
    eg_view_numbers(&view, component, p);
    return (eg_optimizer_traits){.name = component->name,
                                 .slots = slots_of(kind, p),
                                 .is_momentum = kind->is_momentum,
                                 .counts_each = kind->counts_each != NULL && kind->counts_each(p)};
}
