/** Quadratic penalties; see learner/anchor.h. */
#include "learner/anchor.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

eg_status eg_anchor_open(eg_anchor *anchor, size_t n, double strength, bool weighted)
{
    *anchor = (eg_anchor){.n = n, .strength = strength};
    if (weighted) {
        EG_TRY(eg_alloc(&anchor->importance, n, sizeof *anchor->importance));
        EG_TRY(eg_alloc(&anchor->weight, n, sizeof *anchor->weight));
        EG_TRY(eg_alloc(&anchor->idle, n / EG_SPRING_GROUP + 1, sizeof *anchor->idle));
    }
    return eg_alloc(&anchor->centre, n, sizeof *anchor->centre);
}

void eg_anchor_close(eg_anchor *anchor)
{
    eg_free(anchor->importance);
    eg_free(anchor->weight);
    eg_free(anchor->idle);
    eg_free(anchor->centre);
}

eg_spring eg_anchor_spring(const eg_anchor *anchor)
{
    return (eg_spring){.strength = (eg_real)anchor->strength,
                       .importance = anchor->weight,
                       .centre = anchor->centre,
                       .idle = anchor->idle};
}

/* After every change of the importances. */
static void weigh(eg_anchor *anchor)
{
    for (size_t group = 0; group * EG_SPRING_GROUP < anchor->n; group++) {
        size_t first = group * EG_SPRING_GROUP;
        size_t left = anchor->n - first;
        size_t end = first + (left < EG_SPRING_GROUP ? left : EG_SPRING_GROUP);
        bool idle = true;
        for (size_t i = first; i < end; i++) {
            anchor->weight[i] = eg_weight_of(anchor->importance[i]);
            idle = idle && eg_weight_value(anchor->weight[i]) == 0;
        }
        anchor->idle[group] = idle;
    }
}

double eg_anchor_value(const eg_anchor *anchor, const eg_real *w)
{
    if (!anchor->active) {
        return 0.0;
    }
    double sum = anchor->rest;
    for (size_t i = 0; i < anchor->n; i++) {
        double away = (double)w[i] - (double)anchor->centre[i];
        double importance =
            anchor->weight != NULL ? (double)eg_weight_value(anchor->weight[i]) : 1.0;
        sum += importance * away * away;
    }
    return 0.5 * anchor->strength * sum;
}

void eg_anchor_merge(eg_anchor *anchor, const eg_real *f, const eg_real *w)
{
    for (size_t i = 0; i < anchor->n; i++) {
        double old = (double)anchor->importance[i];
        double added = (double)f[i];
        double away = (double)w[i] - (double)anchor->centre[i];
        double share = old + added > 0.0 ? added / (old + added) : 1.0;
        anchor->rest += old * share * away * away;
        anchor->centre[i] = (eg_real)((double)anchor->centre[i] + share * away);
        anchor->importance[i] = (eg_real)(old + added);
    }
    weigh(anchor);
    anchor->active = true;
}

void eg_anchor_follow(eg_anchor *anchor, double keep, double add, const eg_real *f,
                      const eg_real *w)
{
    for (size_t i = 0; i < anchor->n; i++) {
        anchor->importance[i] =
            (eg_real)(keep * (double)anchor->importance[i] + add * (double)f[i]);
    }
    weigh(anchor);
    eg_anchor_move(anchor, w);
}

void eg_anchor_move(eg_anchor *anchor, const eg_real *w)
{
    memcpy(anchor->centre, w, anchor->n * sizeof *w);
    anchor->active = true;
}

void eg_anchor_write(const eg_anchor *anchor, eg_writer *writer)
{
    eg_write_u8(writer, anchor->active ? 1 : 0);
    eg_write_f64(writer, anchor->rest);
    eg_write_reals(writer, anchor->n, anchor->centre);
    if (anchor->importance != NULL) {
        eg_write_reals(writer, anchor->n, anchor->importance);
    }
}

eg_status eg_anchor_read(eg_anchor *anchor, eg_reader *reader)
{
    uint8_t active = eg_read_u8(reader);
    double rest = eg_read_f64(reader);
    EG_TRY(eg_read_reals(reader, anchor->n, anchor->centre, "parameters to stay near"));
    if (anchor->importance != NULL) {
        EG_TRY(eg_read_reals(reader, anchor->n, anchor->importance, "importances"));
        weigh(anchor);
    }
    if (active > 1) {
        return eg_fail(EG_INVALID, "saved penalty: state %u, expected 0 or 1", (unsigned)active);
    }
    anchor->active = active == 1;
    anchor->rest = rest;
    return eg_ok();
}
