/** Optimizers and schedules held against their descriptors, for one real type; included by
 *  conform_float.c and conform_double.c. */
#ifndef PLUGIN_CONFORM_OPTIMIZER_H
#define PLUGIN_CONFORM_OPTIMIZER_H

#include "engram/optimizer_rule.h"
#include "plugin/conform_tools.h"

enum {
    CONFORM_W,
    CONFORM_G,
    CONFORM_SLOT, /* and the following EG_OPTIMIZER_SLOTS_MAX - 1 */
    CONFORM_ANCHOR = CONFORM_SLOT + EG_OPTIMIZER_SLOTS_MAX,
    CONFORM_LOSS_G,
    CONFORM_PATH,
    CONFORM_MASK,
    CONFORM_BASE,
    CONFORM_GROUP,
    CONFORM_BASE_G,
    CONFORM_MASK_G,
    CONFORM_OUT, /* of reach */
    CONFORM_ARRAYS
};

/* One optimizer for one number of parameters. */
typedef struct conform_rule {
    const eg_optimizer_kind *o;
    double p[EG_OPTIMIZER_PARAMS_MAX];
    size_t n, slots;
    eg_guarded arrays[CONFORM_ARRAYS];        /* [n] each */
    eg_guarded importance;                    /* [n] */
    eg_real at[CONFORM_ARRAYS][CONFORM_MOST]; /* what they hold before an update */
    eg_conform_place *place;
} conform_rule;

static eg_real *conform_array(const conform_rule *r, int which)
{
    return r->arrays[which].data;
}

static void conform_rule_clear(conform_rule *r)
{
    for (size_t i = 0; i < CONFORM_ARRAYS; i++) {
        eg_guarded_free(&r->arrays[i]);
    }
    eg_guarded_free(&r->importance);
}

/* Everything as before the first update. */
static void conform_restore(const conform_rule *r)
{
    for (int i = 0; i < CONFORM_ARRAYS; i++) {
        memcpy(conform_array(r, i), r->at[i], r->n * sizeof(eg_real));
    }
}

static void conform_keep(conform_rule *r)
{
    for (int i = 0; i < CONFORM_ARRAYS; i++) {
        memcpy(r->at[i], conform_array(r, i), r->n * sizeof(eg_real));
    }
}

static eg_update conform_plain(const conform_rule *r)
{
    eg_update u = {.p = r->p,
                   .lr = 1.0 / 128,
                   .clip = (double)INFINITY,
                   .n = r->n,
                   .w = conform_array(r, CONFORM_W),
                   .g = conform_array(r, CONFORM_G),
                   .scale = 1};
    for (size_t s = 0; s < r->slots; s++) {
        u.slot[s] = conform_array(r, CONFORM_SLOT + (int)s);
    }
    if (r->o->factors != NULL) {
        r->o->factors(r->p, 2, u.factor);
    }
    return u;
}

static void conform_update(const conform_rule *r, const char *what, const eg_update *u)
{
    conform_say(r->place, what, u->n);
    r->o->update(u);
}

static eg_status conform_rule_init(conform_rule *r)
{
    for (int i = 0; i < CONFORM_ARRAYS; i++) {
        EG_TRY(eg_guarded_create(&r->arrays[i], r->n * sizeof(eg_real)));
        conform_draw(conform_array(r, i), r->n, (uint64_t)i);
    }
    EG_TRY(eg_guarded_create(&r->importance, r->n * sizeof(eg_ufloat16)));
    for (size_t i = 0; i < r->n; i++) {
        ((eg_ufloat16 *)r->importance.data)[i] = eg_ufloat16_from((eg_real)(1 + i % 3) / 4);
    }
    for (size_t s = 0; s < r->slots; s++) {
        double initial = r->o->initial != NULL ? r->o->initial(r->p, s) : 0;
        conform_fill(conform_array(r, CONFORM_SLOT + (int)s), r->n, (eg_real)initial);
    }
    eg_update first = conform_plain(r); /* so that the state is that of a training under way */
    conform_update(r, "first update", &first);
    conform_keep(r);
    return eg_ok();
}

static eg_status conform_untouched(const conform_rule *r)
{
    static const int read_only[] = {CONFORM_G,    CONFORM_ANCHOR, CONFORM_LOSS_G,
                                    CONFORM_MASK, CONFORM_BASE,   CONFORM_GROUP};
    for (size_t i = 0; i < CONFORM_ARRAYS; i++) {
        if (!eg_guarded_is_intact(&r->arrays[i])) {
            return eg_fail(EG_INVALID, "it writes before one of its arrays");
        }
    }
    for (size_t i = 0; i < EG_COUNT(read_only); i++) {
        if (memcmp(conform_array(r, read_only[i]), r->at[read_only[i]], r->n * sizeof(eg_real)) !=
            0) {
            return eg_fail(EG_INVALID, "update writes to arrays that it may only read");
        }
    }
    return eg_ok();
}

static bool conform_arrays_differ(const conform_rule *r, eg_real expected[][CONFORM_MOST])
{
    bool differ = false;
    for (size_t k = 0; k <= r->slots; k++) {
        int which = k == 0 ? CONFORM_W : CONFORM_SLOT + (int)k - 1;
        differ =
            differ || memcmp(conform_array(r, which), expected[which], r->n * sizeof(eg_real)) != 0;
    }
    return differ;
}

static void conform_take(const conform_rule *r, eg_real out[][CONFORM_MOST])
{
    for (int i = 0; i < CONFORM_ARRAYS; i++) {
        memcpy(out[i], conform_array(r, i), r->n * sizeof(eg_real));
    }
}

/* The same twice, in one piece and in two; finite; w -lr g where the descriptor says so. */
static eg_status conform_repeated(const conform_rule *r)
{
    eg_real once[CONFORM_ARRAYS][CONFORM_MOST];
    eg_update u = conform_plain(r);
    conform_restore(r);
    conform_update(r, "update", &u);
    conform_take(r, once);
    conform_restore(r);
    conform_update(r, "update", &u);
    if (conform_arrays_differ(r, once)) {
        return eg_fail(EG_INVALID, "the same update is not the same twice");
    }
    conform_restore(r);
    for (size_t part = 0; part < 2; part++) {
        eg_update half = u;
        size_t first = part == 0 ? 0 : r->n / 2;
        half.n = part == 0 ? r->n / 2 : r->n - r->n / 2;
        half.w += first;
        half.g += first;
        for (size_t s = 0; s < r->slots; s++) {
            half.slot[s] += first;
        }
        conform_update(r, "update of a part", &half);
    }
    if (conform_arrays_differ(r, once)) {
        return eg_fail(EG_INVALID, "an update in two parts is not that in one: parameters must not "
                                   "depend on each other");
    }
    if (!conform_finite(once[CONFORM_W], r->n)) {
        return eg_fail(EG_INVALID, "a weight is not finite after an update");
    }
    for (size_t i = 0; i < r->n && r->o->descends; i++) {
        double expected = (double)r->at[CONFORM_W][i] - u.lr * (double)r->at[CONFORM_G][i];
        if (!conform_close((double)once[CONFORM_W][i], expected, conform_same)) {
            return eg_fail(EG_INVALID, "descends, but the update is not -lr g");
        }
    }
    return conform_untouched(r);
}

static eg_status conform_bounded(const conform_rule *r)
{
    eg_update u = conform_plain(r);
    u.clip = 1.0 / 4096;
    conform_restore(r);
    conform_update(r, "update with a bound", &u);
    for (size_t i = 0; i < r->n; i++) {
        double change = (double)u.w[i] - (double)r->at[CONFORM_W][i];
        double slack = conform_same * (1 + fabs((double)u.w[i]));
        if (!(fabs(change) <= u.clip + slack)) {
            return eg_fail(EG_INVALID, "a weight changes by %g, beyond the bound clip = %g", change,
                           u.clip);
        }
    }
    return conform_untouched(r);
}

/* w after the update `u` must be that after a plain one with the gradient g [n]. */
static eg_status conform_as_gradient(const conform_rule *r, const char *what, const eg_update *u,
                                     const eg_real *g)
{
    eg_real expected[CONFORM_MOST];
    eg_update plain = conform_plain(r);
    conform_restore(r);
    memcpy(conform_array(r, CONFORM_G), g, r->n * sizeof *g);
    conform_update(r, "update", &plain);
    memcpy(expected, plain.w, r->n * sizeof *expected);
    conform_restore(r);
    conform_update(r, what, u);
    for (size_t i = 0; i < r->n; i++) {
        if (!conform_close((double)u->w[i], (double)expected[i], conform_same)) {
            return eg_fail(EG_INVALID,
                           "%s: w = %.6g, where the whole gradient gives %.6g; "
                           "eg_update_gradient of engram/optimizer_rule.h has all terms",
                           what, (double)u->w[i], (double)expected[i]);
        }
    }
    return conform_untouched(r);
}

static eg_status conform_terms(const conform_rule *r)
{
    eg_real g[CONFORM_MOST];
    eg_update u = conform_plain(r);
    u.scale = (eg_real)0.5;
    for (int form = 0; form < 3; form++) {
        static const char *const what[] = {"update with scale", "update with a penalty",
                                           "update with a penalty of importances"};
        u.penalty = (eg_penalty){.strength = (eg_real)0.75};
        u.penalty.anchor = form > 0 ? conform_array(r, CONFORM_ANCHOR) : NULL;
        u.penalty.importance = form > 1 ? r->importance.data : NULL;
        conform_restore(r);
        for (size_t i = 0; i < r->n; i++) {
            g[i] = eg_update_gradient(&u, eg_update_case_of(&u), i, u.w[i]);
        }
        EG_TRY(conform_as_gradient(r, what[form], &u, g));
    }
    return eg_ok();
}

static eg_status conform_path(const conform_rule *r)
{
    eg_update u = conform_plain(r);
    u.path_integral = conform_array(r, CONFORM_PATH);
    u.loss_g = conform_array(r, CONFORM_LOSS_G);
    conform_restore(r);
    conform_update(r, "update with path_integral", &u);
    for (size_t i = 0; i < r->n; i++) {
        double change = (double)u.w[i] - (double)r->at[CONFORM_W][i];
        double expected = (double)r->at[CONFORM_PATH][i] - (double)u.loss_g[i] * change;
        if (!conform_close((double)u.path_integral[i], expected, conform_same)) {
            return eg_fail(EG_INVALID,
                           "path_integral is %.6g instead of %.6g: it gets -= loss_g times the "
                           "change of w",
                           (double)u.path_integral[i], expected);
        }
    }
    return conform_untouched(r);
}

static eg_status conform_composed(const conform_rule *r)
{
    eg_real g[CONFORM_MOST];
    eg_real parts[2][CONFORM_MOST];
    eg_update u = conform_plain(r);
    u.g = NULL;
    u.composed = (eg_composed_term){.strength = (eg_real)0.5,
                                    .l1 = (eg_real)0.125,
                                    .mask = conform_array(r, CONFORM_MASK),
                                    .base = conform_array(r, CONFORM_BASE),
                                    .group = conform_array(r, CONFORM_GROUP),
                                    .anchor = conform_array(r, CONFORM_ANCHOR),
                                    .base_gradient = conform_array(r, CONFORM_BASE_G),
                                    .mask_gradient = conform_array(r, CONFORM_MASK_G)};
    conform_restore(r);
    for (size_t i = 0; i < r->n; i++) {
        g[i] = eg_composed_gradient(&u.composed, i, u.w[i]);
    }
    memcpy(parts[0], u.composed.base_gradient, r->n * sizeof *g);
    memcpy(parts[1], u.composed.mask_gradient, r->n * sizeof *g);
    EG_TRY(conform_as_gradient(r, "update of composed weights", &u, g));
    for (size_t i = 0; i < r->n; i++) {
        if (!conform_close((double)u.composed.base_gradient[i], (double)parts[0][i],
                           conform_same) ||
            !conform_close((double)u.composed.mask_gradient[i], (double)parts[1][i],
                           conform_same)) {
            return eg_fail(EG_INVALID, "update of composed weights leaves their other gradients "
                                       "out, or adds them more than once");
        }
    }
    return eg_ok();
}

static eg_status conform_reach(const conform_rule *r)
{
    eg_update u = conform_plain(r);
    if (r->o->reach == NULL) {
        return eg_ok();
    }
    conform_restore(r);
    conform_say(r->place, "reach", r->n);
    r->o->reach(&u, conform_array(r, CONFORM_OUT));
    return conform_finite(conform_array(r, CONFORM_OUT), r->n)
               ? conform_untouched(r)
               : eg_fail(EG_INVALID, "reach is not finite");
}

static eg_status conform_rule_at(conform_rule *r)
{
    EG_TRY(conform_rule_init(r));
    EG_TRY(conform_repeated(r));
    EG_TRY(conform_bounded(r));
    EG_TRY(conform_terms(r));
    EG_TRY(conform_path(r));
    EG_TRY(conform_composed(r));
    return conform_reach(r);
}

static eg_status conform_optimizer(const eg_optimizer_kind *o, eg_conform_place *place)
{
    for (size_t s = 0; s < EG_COUNT(conform_sizes); s++) {
        conform_rule r = {.o = o, .n = conform_sizes[s], .slots = o->slots, .place = place};
        EG_TRY(eg_plugin_defaults(r.p, &o->component));
        conform_say(place, "slots_with", r.n);
        r.slots = o->slots_with != NULL ? o->slots_with(r.p) : o->slots;
        if (r.slots > EG_OPTIMIZER_SLOTS_MAX) {
            return eg_fail(EG_INVALID, "slots_with gives %zu, more than %d", r.slots,
                           EG_OPTIMIZER_SLOTS_MAX);
        }
        eg_status status = conform_rule_at(&r);
        conform_rule_clear(&r);
        EG_TRY(status);
    }
    return eg_ok();
}

static eg_status conform_schedule(const eg_schedule *s, eg_conform_place *place)
{
    double p[EG_OPTIMIZER_PARAMS_MAX];
    EG_TRY(eg_plugin_defaults(p, &s->component));
    for (uint64_t step = 0; step < 100000; step = step * 3 / 2 + 1) {
        const eg_schedule_time now = {.step = step,
                                      .phase = step / 5000,
                                      .epoch = step % 5000 / 500,
                                      .phase_step = step % 5000};
        const double lr = 0.01;
        conform_say(place, "rate", (size_t)step);
        double rate = s->rate(p, lr, &now);
        if (!isfinite(rate) || rate < 0) {
            return eg_fail(EG_INVALID, "rate = %g after %zu updates", rate, (size_t)step);
        }
        double again = s->rate(p, lr, &now);
        if (rate < again || rate > again) {
            return eg_fail(EG_INVALID, "rate after %zu updates is not the same twice",
                           (size_t)step);
        }
    }
    return eg_ok();
}

#endif
