/** What goes along with an update: springs, whole, in runs and in pieces, and paths. */
#include "optimizer_scene.h"
#include "testing.h"

#include "engram/random.h"

#include <string.h>

enum { LONG = 300, GROUPS = LONG / EG_SPRING_GROUP + 1 };

typedef struct pulled {
    eg_real w[LONG], g[LONG], centre[LONG];
    eg_weight importance[LONG];
    bool idle[GROUPS];
} pulled;

static void draw_pulled(pulled *p)
{
    eg_rng rng = eg_rng_make(9, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < LONG; i++) {
        size_t group = i / EG_SPRING_GROUP;
        p->idle[group] = group == 1 || group == 3;
        p->w[i] = (eg_real)eg_rng_normal(&rng);
        p->g[i] = (eg_real)eg_rng_normal(&rng);
        p->centre[i] = (eg_real)eg_rng_normal(&rng);
        p->importance[i] = eg_weight_of((eg_real)eg_rng_uniform(&rng));
        p->importance[i] = p->idle[group] ? eg_weight_of(0) : p->importance[i];
    }
}

/* Two updates by the optimizer with a spring, a path or both, in uneven pieces, against the spring's own
 * addition before an update without, and the path worked out from the weights: the same bits. */
static void check_along(const char *name, const eg_spring *spring, const pulled *start, bool path)
{
    eg_optimizer *here = decaying(name, LONG);
    eg_optimizer *there = decaying(name, LONG);
    eg_real w[LONG];
    eg_real other[LONG];
    eg_real before[LONG];
    eg_real whole[LONG];
    eg_real collected[LONG] = {0};
    eg_real expected[LONG] = {0};
    const eg_along along = {.spring = spring, .path = path ? collected : NULL};
    memcpy(w, start->w, sizeof w);
    memcpy(other, start->w, sizeof other);
    for (int t = 0; t < 2; t++) {
        memcpy(before, other, sizeof before);
        memcpy(whole, start->g, sizeof whole);
        if (spring != NULL) {
            (void)eg_spring_add(spring, 0, LONG, other, whole);
        }
        eg_optimizer_step(there, other, whole);
        eg_optimizer_begin(here);
        for (size_t first = 0; first < LONG; first += 70) {
            size_t n = LONG - first < 70 ? LONG - first : 70;
            eg_optimizer_apply(here, w, first, n, start->g + first, NULL, &along);
        }
        assert_memory_equal(w, other, sizeof w);
        for (size_t i = 0; path && i < LONG; i++) {
            expected[i] -= start->g[i] * (other[i] - before[i]);
        }
        assert_memory_equal(collected, expected, sizeof expected);
    }
    assert_memory_not_equal(w, start->w, sizeof w);
    eg_optimizer_free(here);
    eg_optimizer_free(there);
}

static void pulls_and_paths_go_along(void **state)
{
    (void)state;
    pulled p;
    draw_pulled(&p);
    const eg_spring springs[] = {
        {.strength = (eg_real)0.7, .importance = p.importance, .centre = p.centre, .idle = p.idle},
        {.strength = (eg_real)0.7, .importance = p.importance, .centre = p.centre},
        {.strength = (eg_real)0.7, .centre = p.centre},
    };
    for (size_t m = 0; m < eg_optimizer_family.member_count; m++) {
        const char *name = eg_optimizer_family.members[m]->name;
        for (size_t s = 0; s <= EG_COUNT(springs); s++) {
            const eg_spring *spring = s < EG_COUNT(springs) ? &springs[s] : NULL;
            check_along(name, spring, &p, false);
            check_along(name, spring, &p, true);
        }
    }
}

/* Where the gradient given is not that of the loss: sgd, lr 1, g = (2, 4), of the loss (1, 3): the path is
 * -(1 * -2, 3 * -4). */
static void paths_take_the_gradient_of_the_loss(void **state)
{
    (void)state;
    const char *const words[] = {"optimizer", "sgd", "optimizer.lr", "1", NULL};
    const eg_real g[] = {2, 4};
    const eg_real of_loss[] = {1, 3};
    eg_real w[2] = {0};
    eg_real path[2] = {0};
    eg_optimizer *optimizer = optimizer_of(words, 2);
    eg_optimizer_begin(optimizer);
    eg_optimizer_apply(optimizer, w, 0, 2, g, of_loss, &(eg_along){.path = path});
    assert_true(path[0] == 2 && path[1] == 12);
    eg_optimizer_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pulls_and_paths_go_along),
        cmocka_unit_test(paths_take_the_gradient_of_the_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
