/** Weight clipping around any learner: after every update, parameters are put back into an interval
 *  that is the smaller the more inputs a layer has.
 *
 *      w <- min(max(w, -zeta b), zeta b)     b = 1/sqrt(fan_in); weights and biases
 *
 *  Scales and shifts of normalised units are spared. What the optimizer remembers stays, so
 *  momentum may go on pushing outwards. Sources: Elsayed et al. 2024, arXiv 2407.01704; program
 *  mohmdelsayed/weight-clipping. */
#include "engram/record.h"
#include "learner/around.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <math.h>

/* What b is; the order is that of the names. */
typedef enum bound_by { BOUND_FAN_IN, BOUND_INIT } bound_by;

static const char *const bound_names[] = {[BOUND_FAN_IN] = "fan_in", [BOUND_INIT] = "init", NULL};

typedef struct weight_clipping {
    eg_around around;
    double zeta;
    bound_by bound;
    bool clips_last;
    size_t all, outside; /* parameters of the last update */
    double fraction;     /* of them were outside */
} weight_clipping;

static const eg_variable clip_fraction = {.name = "clip_fraction",
                                          .dims = {"eval"},
                                          .doc = "share of the parameters that are clipped that "
                                                 "were outside of their interval before, at the "
                                                 "last update"};

static const eg_variable *const variables[] = {&clip_fraction, NULL};

/* Puts w [n] into ±bound; returns how many were outside. A NaN stays. */
EG_CLONES static size_t clamp(size_t n, eg_real bound, eg_real *w)
{
    size_t outside = 0;
    for (size_t i = 0; i < n; i++) {
        eg_real inside = eg_clip(w[i], -bound, bound);
        outside += inside < w[i] || inside > w[i] ? 1 : 0;
        w[i] = inside;
    }
    return outside;
}

/* Of the weights of the same layer. */
static double bound_of(const weight_clipping *self, const eg_parameter_table *table,
                       const eg_parameter_block *block)
{
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *weights = &table->blocks[b];
        if (weights->node == block->node && weights->role == EG_ROLE_WEIGHT) {
            return self->zeta * (self->bound == BOUND_INIT ? eg_initial_spread(&weights->initial)
                                                           : 1 / sqrt((double)weights->fan_in));
        }
    }
    return INFINITY;
}

/* The last layer with weights. */
static size_t head_of(const eg_parameter_table *table)
{
    size_t head = 0;
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *block = &table->blocks[b];
        head = block->role == EG_ROLE_WEIGHT && block->node > head ? block->node : head;
    }
    return head;
}

static bool is_clipped(const weight_clipping *self, const eg_parameter_block *block, size_t head)
{
    bool has_role = block->role == EG_ROLE_WEIGHT || block->role == EG_ROLE_BIAS;
    return has_role && (self->clips_last || block->node != head);
}

/* Adds how many there are and how many were outside. */
static void clip_network(eg_around *around, size_t n)
{
    weight_clipping *self = (weight_clipping *)around;
    eg_net *net = around->network[n].at.net;
    const eg_parameter_table *table = &net->table;
    size_t head = head_of(table);
    size_t before = self->outside;
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *block = &table->blocks[b];
        if (is_clipped(self, block, head)) {
            self->outside += clamp(block->count, (eg_real)bound_of(self, table, block),
                                   net->params + block->offset);
            self->all += block->units * block->fan_in;
        }
    }
    if (self->outside != before) {
        eg_net_touch(net);
    }
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    weight_clipping *self = (weight_clipping *)learner;
    self->all = 0;
    self->outside = 0;
    EG_TRY(eg_around_step(learner, batch, out));
    self->fraction = self->all > 0 ? (double)self->outside / (double)self->all : 0;
    return eg_ok();
}

static eg_status declare(eg_learner *learner, eg_record *record, size_t evals)
{
    const size_t extent[EG_RANK_MAX] = {evals};
    eg_array *array = NULL;
    EG_TRY(eg_around_declare(learner, record, evals));
    return eg_record_find(record, clip_fraction.name) != NULL
               ? eg_ok() /* of a learner inside that clips, too: the curve is of this one */
               : eg_record_declare(record, &clip_fraction, extent, &array);
}

static eg_status measure(eg_learner *learner, eg_record *record, size_t eval)
{
    EG_TRY(eg_around_measure(learner, record, eval));
    eg_record_find(record, clip_fraction.name)->data[eval] =
        ((const weight_clipping *)learner)->fraction;
    return eg_ok();
}

static void clipping_write(const eg_learner *learner, eg_writer *writer)
{
    eg_write_f64(writer, ((const weight_clipping *)learner)->fraction);
    eg_around_write_inside(learner, writer);
}

static eg_status clipping_read(eg_learner *learner, eg_reader *reader)
{
    double fraction = eg_read_f64(reader);
    if (!(fraction >= 0 && fraction <= 1)) {
        return eg_fail(EG_INVALID, "saved learner: a share of %g, expected 0 … 1", fraction);
    }
    ((weight_clipping *)learner)->fraction = fraction;
    return eg_around_read_inside(learner, reader);
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    weight_clipping *self = (weight_clipping *)around;
    (void)setup;
    self->zeta = eg_view_real(view, "zeta");
    self->bound = (bound_by)eg_view_name(view, "bound");
    self->clips_last = eg_view_bool(view, "clip_last");
    return eg_ok();
}

static eg_status clipping_create(eg_learner **out, const eg_view *view,
                                 const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "weight_clipping",
        .size = sizeof(weight_clipping),
        .ops = {.step = step,
                .declare = declare,
                .measure = measure,
                .write = clipping_write,
                .read = clipping_read},
        .open = read_settings,
        .after_update = clip_network,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "zeta",
     .type = EG_TYPE_REAL,
     .default_text = "1",
     .min = 0,
     .max = INFINITY,
     .above_min = true,
     .doc = "width of the interval (published: 1 to 5, for residual nets up to 20)"},
    {.name = "clip_last",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "whether the last layer's weights and biases are clipped, too"},
    {.name = "bound",
     .type = EG_TYPE_NAME,
     .default_text = "fan_in",
     .names = bound_names,
     .doc =
         "what zeta multiplies: 1/sqrt(fan_in), or the half-width of the layer's initial weights "
         "(of normal ones their standard deviation)"},
};

const eg_learner_kind eg_learner_weight_clipping = {
    .component = {.name = "weight_clipping",
                  .doc = "any learner; after every update parameters are put back into an interval "
                         "of the size of initial ones",
                  .source = "Elsayed et al. 2024, arXiv 2407.01704, and the program of its authors",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .variables = variables,
    .records_inside = true,
    .check = eg_learner_check_network_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .takes_positions = true,
    .create = clipping_create,
};
