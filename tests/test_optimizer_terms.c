/** What an update also carries: penalties, whole, in runs and in pieces, and path integrals. */
#include "optimizer_scene.h"
#include "testing.h"

#include "engram/random.h"

#include <math.h>
#include <string.h>

enum { LONG = 300, GROUPS = LONG / EG_PENALTY_GROUP + 1 };

typedef struct scene {
    eg_real w[LONG], g[LONG], anchor[LONG];
    eg_ufloat16 importance[LONG];
    bool zero[GROUPS];
} scene;

static void draw_scene(scene *p)
{
    eg_rng rng = eg_rng_make(9, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < LONG; i++) {
        size_t group = i / EG_PENALTY_GROUP;
        p->zero[group] = group == 1 || group == 3;
        p->w[i] = (eg_real)eg_rng_normal(&rng);
        p->g[i] = (eg_real)eg_rng_normal(&rng);
        p->anchor[i] = (eg_real)eg_rng_normal(&rng);
        p->importance[i] = eg_ufloat16_from((eg_real)eg_rng_uniform(&rng));
        p->importance[i] = p->zero[group] ? eg_ufloat16_from(0) : p->importance[i];
    }
}

/* Two updates by the optimizer with a penalty, a path or both, in uneven pieces, against the penalty's own
 * addition before an update without, and the path worked out from the weights: the same bits. */
static void check_terms(const char *name, const eg_penalty *penalty, const scene *start,
                        bool path_integral)
{
    eg_optimizer *here = decaying(name, LONG);
    eg_optimizer *there = decaying(name, LONG);
    eg_real w[LONG];
    eg_real other[LONG];
    eg_real before[LONG];
    eg_real whole[LONG];
    eg_real collected[LONG] = {0};
    eg_real expected[LONG] = {0};
    const eg_update_terms update_terms = {.penalty = penalty,
                                          .path_integral = path_integral ? collected : NULL};
    memcpy(w, start->w, sizeof w);
    memcpy(other, start->w, sizeof other);
    for (int t = 0; t < 2; t++) {
        memcpy(before, other, sizeof before);
        memcpy(whole, start->g, sizeof whole);
        if (penalty != NULL) {
            (void)eg_penalty_add(penalty, 0, LONG, other, whole);
        }
        eg_optimizer_step(there, other, whole);
        eg_real g[LONG];
        memcpy(g, start->g, sizeof g);
        const eg_gradient_consumer *consumer = eg_optimizer_begin(here, w, g, &update_terms);
        for (size_t first = 0; first < LONG; first += 70) {
            size_t n = LONG - first < 70 ? LONG - first : 70;
            consumer->consume(consumer->user, first, n, g + first);
        }
        eg_optimizer_end(here);
        assert_memory_equal(w, other, sizeof w);
        for (size_t i = 0; path_integral && i < LONG; i++) {
            expected[i] -= start->g[i] * (other[i] - before[i]);
        }
        assert_memory_equal(collected, expected, sizeof expected);
    }
    assert_memory_not_equal(w, start->w, sizeof w);
    eg_optimizer_free(here);
    eg_optimizer_free(there);
}

static void penalties_and_path_integrals(void **state)
{
    (void)state;
    scene p;
    draw_scene(&p);
    const eg_penalty penalties[] = {
        {.strength = (eg_real)0.7, .importance = p.importance, .anchor = p.anchor, .zero = p.zero},
        {.strength = (eg_real)0.7, .importance = p.importance, .anchor = p.anchor},
        {.strength = (eg_real)0.7, .anchor = p.anchor},
    };
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        const char *name = eg_optimizer_family.members[m]->name;
        for (size_t s = 0; s <= EG_COUNT(penalties); s++) {
            const eg_penalty *penalty = s < EG_COUNT(penalties) ? &penalties[s] : NULL;
            check_terms(name, penalty, &p, false);
            check_terms(name, penalty, &p, true);
        }
    }
}

static void add_one(void *user, size_t first, size_t count, const eg_real *w, eg_real *g)
{
    (void)user, (void)first, (void)w;
    for (size_t i = 0; i < count; i++) {
        g[i] += 1;
    }
}

/* Where something is added to the gradient: sgd, lr 1, g = (1, 3) of the loss, (2, 4) with what is added:
 * the path is -(1 * -2, 3 * -4); with the norm of (2, 4) bounded to half of it, half of that. */
static void paths_take_the_gradient_of_the_loss(void **state)
{
    (void)state;
    const char *const free[] = {"optimizer", "sgd", "optimizer.lr", "1", NULL};
    const char *const bounded[] = {
        "optimizer", "sgd", "optimizer.lr", "1", "optimizer.clip_norm", "2.23606797749979", NULL};
    for (int form = 0; form < 2; form++) {
        eg_real g[] = {1, 3};
        eg_real w[2] = {0};
        eg_real path[2] = {0};
        const eg_update_terms terms = {.add = add_one, .path_integral = path};
        eg_optimizer *optimizer = optimizer_of(form == 0 ? free : bounded, 2);
        const eg_gradient_consumer *consumer = eg_optimizer_begin(optimizer, w, g, &terms);
        consumer->consume(consumer->user, 1, 1, g + 1);
        consumer->consume(consumer->user, 0, 1, g);
        eg_optimizer_end(optimizer);
        assert_close((double)path[0], form == 0 ? 2 : 1, 1e-6);
        assert_close((double)path[1], form == 0 ? 12 : 6, 1e-6);
        eg_optimizer_free(optimizer);
    }
}

/* alpha 0.1, lambda 0.01, w (0.5, -0.3), w0 (0.2, -0.1), g (0.1, 0), then 0: as a penalty within the pass and as
 * something that is added; and with lambda twice as large. */
static void attached_terms_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgd", "optimizer.lr", "0.1", NULL};
    const eg_real anchor[] = {(eg_real)0.2, (eg_real)-0.1};
    for (int twice = 0; twice < 2; twice++) {
        const eg_penalty penalty = {.strength = (eg_real)(twice == 1 ? 0.02 : 0.01),
                                    .anchor = anchor};
        eg_gradient_term term = {.penalty = &penalty};
        eg_optimizer *optimizer = optimizer_of(words, 2);
        eg_real w[] = {(eg_real)0.5, (eg_real)-0.3};
        eg_real g[] = {(eg_real)0.1, 0};
        assert_ok(eg_optimizer_attach(optimizer, &term));
        eg_optimizer_step(optimizer, w, g);
        assert_close((double)w[0], twice == 1 ? 0.4894 : 0.4897, 1e-6);
        assert_close((double)w[1], twice == 1 ? -0.2996 : -0.2998, 1e-6);
        g[0] = g[1] = 0;
        eg_optimizer_step(optimizer, w, g);
        assert_true(twice == 1 || fabs((double)w[0] - 0.4894103) < 1e-6);
        assert_true(twice == 1 || fabs((double)w[1] + 0.2996002) < 1e-6);
        eg_optimizer_free(optimizer);
    }
}

/* Two attached penalties and something that is added, with a penalty of the update itself or not, the norm
 * bounded or not: the same as from a gradient in which all of it is already. */
static void attached_terms_join_the_gradient(void **state)
{
    (void)state;
    scene p;
    draw_scene(&p);
    const eg_penalty own = {
        .strength = (eg_real)0.7, .importance = p.importance, .anchor = p.anchor};
    const eg_penalty first = {.strength = (eg_real)0.3, .anchor = p.anchor};
    const eg_penalty second = {.strength = (eg_real)0.2, .anchor = p.g};
    const eg_update_terms terms = {.penalty = &own};
    for (int form = 0; form < 4; form++) {
        const char *const words[] = {"optimizer", "adam",
                                     form / 2 == 1 ? "optimizer.clip_norm" : NULL, "3", NULL};
        eg_gradient_term attached[] = {{.penalty = &first}, {.add = add_one}, {.penalty = &second}};
        eg_optimizer *here = optimizer_of(words, LONG);
        eg_optimizer *there = optimizer_of(words, LONG);
        eg_real w[LONG];
        eg_real other[LONG];
        eg_real g[LONG];
        eg_real whole[LONG];
        memcpy(w, p.w, sizeof w);
        memcpy(other, p.w, sizeof other);
        memcpy(g, p.g, sizeof g);
        memcpy(whole, p.g, sizeof whole);
        for (size_t t = 0; t < EG_COUNT(attached); t++) {
            assert_ok(eg_optimizer_attach(here, &attached[t]));
        }
        const eg_gradient_consumer *consumer =
            eg_optimizer_begin(here, w, g, form % 2 == 1 ? &terms : NULL);
        assert_null(consumer->consume_outer);
        consumer->consume(consumer->user, 100, LONG - 100, g + 100);
        consumer->consume(consumer->user, 0, 100, g);
        eg_optimizer_end(here);
        add_one(NULL, 0, LONG, other, whole);
        (void)eg_penalty_add(&first, 0, LONG, other, whole);
        (void)eg_penalty_add(&second, 0, LONG, other, whole);
        if (form % 2 == 1) {
            (void)eg_penalty_add(&own, 0, LONG, other, whole);
        }
        eg_optimizer_step(there, other, whole);
        for (size_t i = 0; i < LONG; i++) {
            assert_close((double)w[i], (double)other[i], 1e-6);
        }
        eg_optimizer_free(here);
        eg_optimizer_free(there);
    }
}

/* Parts of weights: m s + c + w = 0.5 * 2 + 0.25 + 1 is 0.25 above its anchor; k = 2, l = 0.1, lr 1. */
static void composed_weights_by_hand(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgd", "optimizer.lr", "1", NULL};
    eg_optimizer *optimizer = optimizer_of(words, 1);
    const eg_real mask = (eg_real)0.5;
    const eg_real base = 2;
    const eg_real group = (eg_real)0.25;
    const eg_real anchor = 2;
    eg_real base_gradient = 3;
    eg_real mask_gradient = 7;
    eg_real w = 1;
    const eg_composed_term term = {.strength = 2,
                                   .l1 = (eg_real)0.1,
                                   .mask = &mask,
                                   .base = &base,
                                   .group = &group,
                                   .anchor = &anchor,
                                   .base_gradient = &base_gradient,
                                   .mask_gradient = &mask_gradient};
    const eg_gradient_consumer *consumer = eg_optimizer_begin(optimizer, &w, NULL, NULL);
    consumer->consume_composed(consumer->user, 0, 1, &term);
    eg_optimizer_end(optimizer);
    assert_close((double)w, 1 - 0.6, 1e-6);
    assert_close((double)base_gradient, 3.25, 1e-6);
    assert_close((double)mask_gradient, 1, 1e-6);
    eg_optimizer_free(optimizer);
}

/* One pass, in uneven pieces, has the bits of gradients that are made first and taken then. */
static void check_composed(const char *name, const scene *p)
{
    const char *const words[] = {"optimizer", name, NULL};
    eg_optimizer *here = optimizer_of(words, LONG);
    eg_optimizer *there = optimizer_of(words, LONG);
    eg_real w[LONG];
    eg_real other[LONG];
    eg_real sums[2][LONG] = {{0}};
    eg_real products[2][LONG];
    const eg_composed_term term = {
        .strength = 3, .l1 = (eg_real)0.2, .mask = p->g, .base = p->anchor, .group = p->w};
    memcpy(w, p->w, sizeof w);
    memcpy(other, p->w, sizeof other);
    for (int t = 0; t < 3; t++) {
        eg_real g[LONG];
        eg_composed_term of = term;
        of.anchor = p->g;
        of.base_gradient = sums[1];
        of.mask_gradient = products[1];
        for (size_t i = 0; i < LONG; i++) {
            g[i] = eg_composed_gradient(&of, i, other[i]);
        }
        eg_optimizer_step(there, other, g);
        const eg_gradient_consumer *consumer = eg_optimizer_begin(here, w, g, NULL);
        assert_true((consumer->consume_composed != NULL) == consumer->updates);
        for (size_t first = 0; consumer->updates && first < LONG; first += 200) {
            of = (eg_composed_term){.strength = term.strength,
                                    .l1 = term.l1,
                                    .mask = p->g + first,
                                    .base = p->anchor + first,
                                    .group = p->w + first,
                                    .anchor = p->g + first,
                                    .base_gradient = sums[0] + first,
                                    .mask_gradient = products[0] + first};
            size_t n = LONG - first < 200 ? LONG - first : 200;
            consumer->consume_composed(consumer->user, first, n, &of);
        }
        bool one_pass = consumer->updates;
        if (!one_pass) {
            consumer->consume(consumer->user, 0, LONG, g);
        }
        eg_optimizer_end(here);
        assert_memory_equal(w, other, sizeof w);
        if (one_pass) {
            assert_memory_equal(sums[0], sums[1], sizeof sums[0]);
            assert_memory_equal(products[0], products[1], sizeof products[0]);
        }
    }
    eg_optimizer_free(here);
    eg_optimizer_free(there);
}

static void composed_weights_in_one_pass(void **state)
{
    (void)state;
    scene p;
    draw_scene(&p);
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        check_composed(eg_optimizer_family.members[m]->name, &p);
    }
    /* With something else to add there is no such pass. */
    const char *const words[] = {"optimizer", "adam", NULL};
    const eg_penalty penalty = {.strength = 1, .anchor = p.anchor};
    const eg_update_terms terms = {.penalty = &penalty};
    eg_optimizer *optimizer = optimizer_of(words, LONG);
    assert_null(eg_optimizer_begin(optimizer, p.w, NULL, &terms)->consume_composed);
    eg_optimizer_free(optimizer);
}

static void note_renewed(void *user, size_t first, size_t count, size_t stride)
{
    size_t *seen = user;
    seen[0] = first;
    seen[1] = count;
    seen[2] = stride;
}

/* Who renews parameters tells those who keep what they began with, who resets them does not. */
static void renewed_parameters_are_told(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgdm", NULL};
    size_t seen[3] = {0};
    eg_gradient_term term = {.renewed = note_renewed, .user = seen};
    eg_optimizer *optimizer = optimizer_of(words, LONG);
    assert_ok(eg_optimizer_attach(optimizer, &term));
    eg_optimizer_reset(optimizer, 3, 4, 5);
    assert_int_equal(seen[1], 0);
    eg_optimizer_renew(optimizer, 3, 4, 5);
    assert_true(seen[0] == 3 && seen[1] == 4 && seen[2] == 5);
    eg_optimizer_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(penalties_and_path_integrals),
        cmocka_unit_test(paths_take_the_gradient_of_the_loss),
        cmocka_unit_test(attached_terms_by_hand),
        cmocka_unit_test(attached_terms_join_the_gradient),
        cmocka_unit_test(composed_weights_by_hand),
        cmocka_unit_test(composed_weights_in_one_pass),
        cmocka_unit_test(renewed_parameters_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
