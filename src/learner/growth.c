/** Choosing and making filters; see learner/growth.h. */
#include "learner/growth.h"

#include "engram/memory.h"
#include "engram/units.h"
#include "nn/shared/vgg.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double eg_growth_ratio(double g, size_t stage)
{
    const double k = (double)stage;
    return (g * k + 1) / (g * (k - 1) + 1) - 1;
}

/* The smallest amount more keeps whole numbers from being rounded below themselves. */
size_t eg_growth_budget(double g, size_t stage, size_t filters)
{
    return (size_t)floor(eg_growth_ratio(g, stage) * (double)filters + 1e-9);
}

/* Choosing ------------------------------------------------------------------------------------- */

eg_status eg_growth_init(eg_growth *out, size_t convolutions, const size_t *widths,
                         size_t candidates)
{
    *out = (eg_growth){.convolutions = convolutions, .candidates = candidates, .widths = widths};
    EG_TRY(eg_alloc(&out->first, convolutions + 1, sizeof *out->first));
    for (size_t l = 0; l < convolutions; l++) {
        out->first[l + 1] = out->first[l] + widths[l] + candidates;
    }
    EG_TRY(eg_alloc(&out->score, out->first[convolutions], sizeof *out->score));
    return eg_alloc(&out->chosen, out->first[convolutions], sizeof *out->chosen);
}

void eg_growth_clear(eg_growth *growth)
{
    eg_free(growth->first);
    eg_free(growth->score);
    eg_free(growth->chosen);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    if (isnan(x) || isnan(y)) {
        return (isnan(x) ? 1 : 0) - (isnan(y) ? 1 : 0);
    }
    return (x > y) - (x < y);
}

eg_status eg_growth_select(eg_growth *growth, size_t rank)
{
    const size_t count = growth->first[growth->convolutions];
    double *sorted = NULL;
    EG_TRY(eg_alloc(&sorted, count, sizeof *sorted));
    memcpy(sorted, growth->score, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    const double threshold = sorted[rank < count ? rank : count - 1];
    eg_free(sorted);
    for (size_t i = 0; i < count; i++) {
        const double score = growth->score[i];
        growth->chosen[i] = score <= threshold || (isnan(threshold) && !isnan(score));
    }
    return eg_ok();
}

void eg_growth_widths(const eg_growth *growth, size_t *widths)
{
    for (size_t l = 0; l < growth->convolutions; l++) {
        widths[l] = growth->widths[l];
        for (size_t i = growth->first[l]; i < growth->first[l + 1]; i++) {
            widths[l] += growth->chosen[i] ? 1 : 0;
        }
    }
}

/* Making --------------------------------------------------------------------------------------- */

/* What a channel of the new network is. */
typedef enum origin { KEPT, SECOND_HALF, NEW } origin;

typedef struct channel {
    origin origin;
    size_t source; /* filter, or new filter */
    bool split;    /* half of a filter that was split; the first one is KEPT */
} channel;

typedef struct channels {
    size_t count;
    channel *channel; /* owned */
} channels;

/* Rows of one block: values [units][taps][inputs]. */
typedef struct rows {
    size_t inputs, taps;
    eg_real *values; /* owned; NULL: all 0 */
} rows;

typedef struct making {
    const eg_growth *growth;
    const eg_view *view;
    const eg_net *from, *candidates;
    eg_net *to;
    bool joins;
    channels in, out;             /* of the convolution at hand */
    rows own, part[EG_VGG_PARTS]; /* its weights */
} making;

/* The channels that `count` numbers without change are. */
static eg_status keep_all(channels *out, size_t count)
{
    out->count = count;
    EG_TRY(eg_alloc(&out->channel, count, sizeof *out->channel));
    for (size_t i = 0; i < count; i++) {
        out->channel[i].source = i;
    }
    return eg_ok();
}

static eg_status list_channels(channels *out, const eg_growth *growth, size_t l)
{
    const size_t width = growth->widths[l];
    const bool *chosen = growth->chosen + growth->first[l];
    const size_t all = width + growth->candidates;
    size_t end = width;
    EG_TRY(eg_alloc(&out->channel, width + all, sizeof *out->channel));
    for (size_t i = 0; i < width; i++) {
        out->channel[i] = (channel){.origin = KEPT, .source = i, .split = chosen[i]};
    }
    for (size_t i = 0; i < all; i++) {
        if (chosen[i]) {
            const bool is_new = i >= width;
            out->channel[end++] = (channel){.origin = is_new ? NEW : SECOND_HALF,
                                            .source = is_new ? i - width : i,
                                            .split = !is_new};
        }
    }
    out->count = end;
    return eg_ok();
}

static eg_status read_rows(rows *out, const eg_net *net, size_t block, size_t inputs)
{
    const eg_parameter_block *b = &net->table.blocks[block];
    out->inputs = inputs;
    out->taps = b->fan_in / inputs;
    EG_TRY(eg_alloc(&out->values, b->units * b->fan_in, sizeof *out->values));
    eg_net_block_get(net, block, net->params, out->values);
    return eg_ok();
}

static eg_real at(const rows *of, size_t unit, size_t tap, size_t input)
{
    return of->values == NULL ? 0 : of->values[(unit * of->taps + tap) * of->inputs + input];
}

/* The weight of an output channel for an input channel under one tap. */
static eg_real weight(const making *m, const channel *out, size_t tap, const channel *in)
{
    if (in->origin == NEW) {
        const eg_vgg_part part = out->origin == NEW ? EG_VGG_NEW_FROM_NEW : EG_VGG_OLD_FROM_NEW;
        return at(&m->part[part], out->source, tap, in->source);
    }
    eg_real w =
        at(out->origin == NEW ? &m->part[EG_VGG_NEW] : &m->own, out->source, tap, in->source);
    if (out->split) {
        const eg_real v = at(&m->part[EG_VGG_SPLIT], out->source, tap, in->source);
        w = out->origin == KEPT ? w + v : w - v;
    }
    return in->split ? w / 2 : w;
}

static size_t block_of(const eg_net *net, const char *node, const char *block)
{
    char name[EG_VGG_NAME_SIZE + 16];
    (void)snprintf(name, sizeof name, "%s.%s", node, block);
    const eg_parameter_block *found = eg_parameter_table_find(&net->table, name);
    assert(found != NULL);
    return (size_t)(found - net->table.blocks);
}

static void clear_weights(making *m)
{
    eg_free(m->own.values);
    m->own.values = NULL;
    for (size_t p = 0; p < EG_VGG_PARTS; p++) {
        eg_free(m->part[p].values);
        m->part[p].values = NULL;
    }
}

/* Of convolution l, or the head, and the parts it has. `inputs`: existing ones. */
static eg_status read_weights(making *m, const char *name, size_t l, size_t inputs)
{
    EG_TRY(read_rows(&m->own, m->from, block_of(m->from, name, "weight"), inputs));
    for (size_t p = 0; p < EG_VGG_PARTS; p++) {
        const bool of_new = p == EG_VGG_OLD_FROM_NEW || p == EG_VGG_NEW_FROM_NEW;
        const size_t block = eg_vgg_block(m->candidates, m->view, l, (eg_vgg_part)p);
        const bool left_out = l == m->growth->convolutions && !m->joins;
        if (block != SIZE_MAX && !left_out) {
            EG_TRY(read_rows(&m->part[p], m->candidates, block,
                             of_new ? m->growth->candidates : inputs));
        }
    }
    return eg_ok();
}

static eg_status write_weights(making *m, const char *name)
{
    const size_t taps = m->own.taps;
    eg_real *values = NULL;
    EG_TRY(eg_alloc(&values, m->out.count * taps * m->in.count, sizeof *values));
    for (size_t o = 0; o < m->out.count; o++) {
        for (size_t tap = 0; tap < taps; tap++) {
            for (size_t i = 0; i < m->in.count; i++) {
                values[(o * taps + tap) * m->in.count + i] =
                    weight(m, &m->out.channel[o], tap, &m->in.channel[i]);
            }
        }
    }
    eg_net_block_set(m->to, block_of(m->to, name, "weight"), values, m->to->params);
    eg_free(values);
    return eg_ok();
}

static const eg_node *node_of(const eg_net *net, const char *name)
{
    const eg_node *found = NULL;
    for (size_t i = 0; i < net->node_count && found == NULL; i++) {
        found = strcmp(net->nodes[i].name, name) == 0 ? &net->nodes[i] : NULL;
    }
    assert(found != NULL);
    return found;
}

/* Scale, shift and running statistics; those of a new filter are what they begin as. */
static void write_norm(const making *m, const char *name)
{
    char norm[EG_VGG_NAME_SIZE + 16];
    (void)snprintf(norm, sizeof norm, "%s.norm", name);
    const eg_node *from = node_of(m->from, norm);
    const eg_node *to = node_of(m->to, norm);
    for (size_t c = 0; c < m->out.count; c++) {
        const channel *is = &m->out.channel[c];
        for (size_t b = 0; is->origin != NEW && b < from->layer.block_count; b++) {
            to->params[b][c] = from->params[b][is->source];
        }
        for (size_t b = 0; is->origin != NEW && b < from->layer.buffer_count; b++) {
            to->buffers[b][c] = from->buffers[b][is->source];
        }
    }
}

/* Convolution l, whose inputs are m->in. They are then those of the next one. */
static eg_status make_convolution(making *m, size_t l, size_t inputs)
{
    char name[EG_VGG_NAME_SIZE];
    eg_vgg_name(name, m->view, l);
    EG_TRY(list_channels(&m->out, m->growth, l));
    EG_TRY(read_weights(m, name, l, inputs));
    EG_TRY(write_weights(m, name));
    write_norm(m, name);
    clear_weights(m);
    eg_free(m->in.channel);
    m->in = m->out;
    m->out = (channels){.count = 0};
    return eg_ok();
}

static eg_status make_head(making *m)
{
    const size_t l = m->growth->convolutions;
    EG_TRY(keep_all(&m->out, m->from->table.blocks[block_of(m->from, "head", "weight")].units));
    EG_TRY(read_weights(m, "head", l, m->growth->widths[l - 1]));
    EG_TRY(write_weights(m, "head"));
    const eg_node *from = node_of(m->from, "head");
    for (size_t c = 0; c < m->out.count; c++) {
        node_of(m->to, "head")->params[1][c] = from->params[1][c];
    }
    return eg_ok();
}

eg_status eg_growth_realise(const eg_growth *growth, const eg_view *view, const eg_net *from,
                            const eg_net *candidates, bool joins, eg_net *to)
{
    making m = {.growth = growth,
                .view = view,
                .from = from,
                .candidates = candidates,
                .to = to,
                .joins = joins};
    eg_status status = keep_all(&m.in, from->in.channels);
    EG_TRY_DONE(status, status);
    for (size_t l = 0; l < growth->convolutions; l++) {
        const size_t inputs = l == 0 ? from->in.channels : growth->widths[l - 1];
        EG_TRY_DONE(status, make_convolution(&m, l, inputs));
    }
    EG_TRY_DONE(status, make_head(&m));
    to->step = from->step;
    eg_net_touch(to);
done:
    clear_weights(&m);
    eg_free(m.in.channel);
    eg_free(m.out.channel);
    return status;
}
