/** What several learners predict together, by hand. */
#include "testing.h"

#include "learner/combination.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 3 };

/* Members whose softmax is p[m]: their scores are log p + m. */
static void combine(eg_combination rule, size_t members, const double p[][CLASSES],
                    const eg_active *active, eg_real *scores)
{
    const eg_batch batch = {.size = 1, .active = active};
    memset(scores, 0, CLASSES * sizeof *scores);
    for (size_t m = 0; m < members; m++) {
        eg_real own[CLASSES];
        for (size_t j = 0; j < CLASSES; j++) {
            own[j] = (eg_real)(log(p[m][j]) + (double)m);
        }
        eg_combination_add(rule, members, &batch, CLASSES, own, scores);
    }
}

static void assert_scores(const eg_real *scores, double a, double b, double c)
{
    assert_close(scores[0], a, 1e-6);
    assert_close(scores[1], b, 1e-6);
    assert_close(scores[2], c, 1e-6);
}

/* Neither rule needs the other to agree: the mean of scores is the geometric mean of what the softmax
 * makes of them. */
static void means(void **state)
{
    (void)state;
    const double p[2][CLASSES] = {{0.25, 0.5, 0.25}, {0.75, 0.125, 0.125}};
    eg_real scores[CLASSES];
    combine(EG_COMBINATION_PROBABILITIES, 2, p, NULL, scores);
    assert_scores(scores, 0.5, 0.3125, 0.1875);
    combine(EG_COMBINATION_SCORES, 2, p, NULL, scores);
    assert_scores(scores, 0.5 + 0.5 * log(0.25 * 0.75), 0.5 + 0.5 * log(0.5 * 0.125),
                  0.5 + 0.5 * log(0.25 * 0.125));
}

/* The first member alone says 1; with the second there is a tie, and that one is surer; the third
 * decides for 1, whoever is surest. */
static void votes(void **state)
{
    (void)state;
    const double p[][CLASSES] = {{0.25, 0.5, 0.25}, {0.75, 0.125, 0.125}, {0.3, 0.4, 0.3}};
    eg_real scores[CLASSES];
    combine(EG_COMBINATION_VOTES, 1, p, NULL, scores);
    assert_scores(scores, 0, 1 + 0.25, 0);
    combine(EG_COMBINATION_VOTES, 2, p, NULL, scores);
    assert_scores(scores, 1 + 0.375, 1 + 0.25, 0);
    combine(EG_COMBINATION_VOTES, 3, p, NULL, scores);
    assert_scores(scores, 1 + 0.375, 2 + 0.25, 0);
}

/* Two for 0, two for 1, one for 2: the last is surest of all, but only 0 and 1 are tied. */
static void ties_are_between_the_first(void **state)
{
    (void)state;
    const double p[][CLASSES] = {
        {0.6, 0.3, 0.1}, {0.3, 0.4, 0.3}, {0.5, 0.3, 0.2}, {0.1, 0.8, 0.1}, {0.02, 0.03, 0.95}};
    eg_real scores[CLASSES];
    combine(EG_COMBINATION_VOTES, 5, p, NULL, scores);
    assert_scores(scores, 2 + 0.3, 2 + 0.4, 1 + 0.475);
}

/* Of outputs 0 and 2: probabilities are between them, and nobody votes for 1. */
static void active_outputs(void **state)
{
    (void)state;
    const double p[2][CLASSES] = {{0.2, 0.5, 0.3}, {0.3, 0.6, 0.1}};
    const uint32_t places[] = {0, 2};
    const eg_active active = {.count = 2, .output = places};
    eg_real scores[CLASSES];
    combine(EG_COMBINATION_PROBABILITIES, 2, p, &active, scores);
    assert_scores(scores, (0.4 + 0.75) / 2, 0, (0.6 + 0.25) / 2);
    combine(EG_COMBINATION_VOTES, 2, p, &active, scores);
    assert_scores(scores, 1 + 0.375, 0, 1 + 0.3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means),
        cmocka_unit_test(votes),
        cmocka_unit_test(ties_are_between_the_first),
        cmocka_unit_test(active_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
