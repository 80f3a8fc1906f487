/** Regenerative regularisation around any learner: a pull towards the parameters at the start, so
 *  that the network stays able to learn. It is part of the gradient, so the optimizer's means know
 *  of it.
 *
 *      g <- g + k (w - w0)              norm l2, k = lambda; 2 lambda with half = false
 *      g <- g + lambda sign(w - w0)     norm l1
 *      g <- g + k clip(w - w0, -1, 1)   norm huber
 *
 *  w0 are the initial values, also of a head that begins anew; with target = resample every update
 *  draws them anew from the initial distributions. Scales and shifts of normalised units are
 *  spared, biases are not.
 *  The published values of lambda are those of the authors' program, whose penalty is lambda/2 |w -
 *  w0|^2; the paper prints it without the half. Sources: Kumar et al. 2023, arXiv 2308.11958;
 *  program skumar9876/L2_Init. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/around.h"
#include "learner/regularised.h"
#include "math/shared/elementary.h"

#include <math.h>
#include <string.h>

/* In the order of the names. */
typedef enum norm { NORM_L2, NORM_L1, NORM_HUBER } norm;
typedef enum target { TARGET_FIRST, TARGET_RESAMPLE } target;

static const char *const norm_names[] = {
    [NORM_L2] = "l2", [NORM_L1] = "l1", [NORM_HUBER] = "huber", NULL};
static const char *const target_names[] = {
    [TARGET_FIRST] = "first", [TARGET_RESAMPLE] = "resample", NULL};

/* Of one network. */
typedef struct l2_init_part {
    const eg_net *net; /* borrowed */
    norm norm;
    double factor;   /* k */
    eg_real *anchor; /* [param_count] w0 */
    eg_penalty penalty;
    eg_gradient_term term;
} l2_init_part;

typedef struct l2_init {
    eg_around around;
    target target;
    bool joins; /* the learner inside records a penalty, too: the curve is of their sum */
} l2_init;

static bool is_pulled(const eg_parameter_block *block)
{
    return block->role == EG_ROLE_WEIGHT || block->role == EG_ROLE_BIAS;
}

static void add_block(const l2_init_part *part, size_t n, const eg_real *anchor, const eg_real *w,
                      eg_real *g)
{
    eg_real k = (eg_real)part->factor;
    for (size_t i = 0; i < n; i++) {
        eg_real away = w[i] - anchor[i];
        switch (part->norm) {
        case NORM_L2:
            g[i] += k * away;
            break;
        case NORM_L1:
            g[i] += away > 0 ? k : away < 0 ? -k : 0;
            break;
        case NORM_HUBER:
            g[i] += k * eg_clip(away, -1, 1);
            break;
        }
    }
}

/* Adds the gradient of parameters first … first+count-1, as far as they are pulled. */
static void add(void *user, size_t first, size_t count, const eg_real *w, eg_real *g)
{
    const l2_init_part *part = user;
    const eg_parameter_table *table = &part->net->table;
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *block = &table->blocks[b];
        size_t begin = block->offset > first ? block->offset : first;
        size_t block_end = block->offset + block->count;
        size_t end = block_end < first + count ? block_end : first + count;
        if (is_pulled(block) && begin < end) {
            add_block(part, end - begin, part->anchor + begin, w + (begin - first),
                      g + (begin - first));
        }
    }
}

static void renewed(void *user, size_t first, size_t count, size_t stride)
{
    const l2_init_part *part = user;
    for (size_t i = 0; i < count; i++) {
        part->anchor[first + i * stride] = part->net->params[first + i * stride];
    }
}

static void keep_initial(const l2_init_part *part)
{
    memcpy(part->anchor, part->net->params, part->net->param_count * sizeof *part->anchor);
}

/* The anchor of update number `update`, from the initial distributions. */
static void resample(const l2_init_part *part, uint64_t update)
{
    const eg_parameter_table *table = &part->net->table;
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *block = &table->blocks[b];
        eg_rng rng =
            eg_rng_make(part->net->seed, EG_PURPOSE_ANCHOR, update * table->block_count + b);
        for (size_t i = 0; i < block->count; i++) {
            if (eg_parameter_unit(block, i) < block->units) {
                part->anchor[block->offset + i] = (eg_real)eg_initial_draw(&block->initial, &rng);
            }
        }
    }
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    const l2_init *self = (const l2_init *)learner;
    for (size_t n = 0; self->target == TARGET_RESAMPLE && n < self->around.network_count; n++) {
        resample(eg_around_part(&self->around, n), self->around.network[n].updates + 1);
    }
    return eg_around_step(learner, batch, out);
}

static double penalty_of(const l2_init_part *part)
{
    const eg_parameter_table *table = &part->net->table;
    double sum = 0;
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *block = &table->blocks[b];
        for (size_t i = block->offset; is_pulled(block) && i < block->offset + block->count; i++) {
            double away = fabs((double)part->net->params[i] - (double)part->anchor[i]);
            bool is_square = part->norm == NORM_L2 || (part->norm == NORM_HUBER && away <= 1);
            double linear = part->norm == NORM_L1 ? away : away - 0.5;
            sum += is_square ? 0.5 * away * away : linear;
        }
    }
    return part->factor * sum;
}

static eg_status declare(eg_learner *learner, eg_record *record, size_t evals)
{
    l2_init *self = (l2_init *)learner;
    EG_TRY(eg_around_declare(learner, record, evals));
    self->joins = eg_record_find(record, eg_regularised_variables[0]->name) != NULL;
    return self->joins ? eg_ok() : eg_regularised_declare(learner, record, evals);
}

static eg_status measure(eg_learner *learner, eg_record *record, size_t eval)
{
    const l2_init *self = (const l2_init *)learner;
    EG_TRY(eg_around_measure(learner, record, eval));
    double *sum = &eg_record_find(record, eg_regularised_variables[0]->name)->data[eval];
    *sum = self->joins ? *sum : 0;
    for (size_t n = 0; n < self->around.network_count; n++) {
        *sum += penalty_of(eg_around_part(&self->around, n));
    }
    return eg_ok();
}

static void write_part(const eg_around *around, size_t n, eg_writer *writer)
{
    const l2_init_part *part = eg_around_part(around, n);
    eg_write_reals(writer, part->net->param_count, part->anchor);
}

static eg_status read_part(eg_around *around, size_t n, eg_reader *reader)
{
    l2_init_part *part = eg_around_part(around, n);
    return eg_read_reals(reader, part->net->param_count, part->anchor, "initial parameters");
}

static void given(eg_around *around, size_t n)
{
    keep_initial(eg_around_part(around, n));
}

static bool spares_some(const eg_parameter_table *table)
{
    for (size_t b = 0; b < table->block_count; b++) {
        if (!is_pulled(&table->blocks[b])) {
            return true;
        }
    }
    return false;
}

/* An even pull on all parameters is a penalty that the pass of the optimizer adds itself. */
static eg_status open_part(eg_around *around, size_t n, const eg_view *view)
{
    const eg_learner_network *at = &around->network[n].at;
    l2_init_part *part = eg_around_part(around, n);
    double lambda = eg_view_real(view, "lambda");
    part->net = at->net;
    part->norm = (norm)eg_view_name(view, "norm");
    part->factor = part->norm == NORM_L1 || eg_view_bool(view, "half") ? lambda : 2 * lambda;
    EG_TRY(eg_alloc(&part->anchor, at->net->param_count, sizeof *part->anchor));
    keep_initial(part);
    part->penalty = (eg_penalty){.strength = (eg_real)part->factor, .anchor = part->anchor};
    bool even = part->norm == NORM_L2 && !spares_some(&at->net->table);
    part->term = (eg_gradient_term){.penalty = even ? &part->penalty : NULL,
                                    .add = even ? NULL : add,
                                    .renewed = renewed,
                                    .user = part};
    return eg_optimizer_attach(at->optimizer, &part->term);
}

static void close_part(eg_around *around, size_t n)
{
    l2_init_part *part = eg_around_part(around, n);
    eg_free(part->anchor);
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    (void)setup;
    ((l2_init *)around)->target = (target)eg_view_name(view, "target");
    return eg_ok();
}

static eg_status l2_init_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "l2_init",
        .size = sizeof(l2_init),
        .part_size = sizeof(l2_init_part),
        .ops = {.step = step, .declare = declare, .measure = measure},
        .open = read_settings,
        .open_part = open_part,
        .close_part = close_part,
        .given = given,
        .write_part = write_part,
        .read_part = read_part,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    EG_LAMBDA("0.01", "strength of the pull; the best single value of the paper is 0.01"),
    {.name = "half",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "the penalty is lambda/2 |w - w0|^2, as in the authors' program, and not lambda "
            "|w - w0|^2, as the paper prints it"},
    {.name = "target",
     .type = EG_TYPE_NAME,
     .default_text = "first",
     .names = target_names,
     .doc = "w0: the parameters at the start, or fresh ones of their distribution at every update "
            "(published: much worse)"},
    {.name = "norm",
     .type = EG_TYPE_NAME,
     .default_text = "l2",
     .names = norm_names,
     .doc = "the penalty is quadratic, linear, or quadratic up to a distance of 1 and linear "
            "beyond (published: l1 is slightly worse)"},
};

const eg_learner_kind eg_learner_l2_init = {
    .component = {.name = "l2_init",
                  .doc = "any learner; weights and biases are pulled towards what they were at the "
                         "start",
                  .source = "Kumar et al. 2023, arXiv 2308.11958, and the program of its authors",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .variables = eg_regularised_variables,
    .records_inside = true,
    .check = eg_learner_check_network_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .takes_positions = true,
    .create = l2_init_create,
};
