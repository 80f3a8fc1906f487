/** How what several learners predict becomes one prediction.
 *
 *      rule            score of output j, over members m = 1 … M
 *      probabilities   1/M sum_m softmax(z_m)_j                      over the active outputs
 *      scores          1/M sum_m z_mj
 *      votes           v_j + c_j/2: v_j members say j, and the surest of them with probability c_j
 *
 *  So among classes with equally many votes the surest single member decides. */
#ifndef ENGRAM_LEARNER_COMBINATION_H
#define ENGRAM_LEARNER_COMBINATION_H

#include "engram/stream.h"

/** The order is that of the names. */
typedef enum eg_combination {
    EG_COMBINATION_PROBABILITIES,
    EG_COMBINATION_SCORES,
    EG_COMBINATION_VOTES,
} eg_combination;

extern const char *const eg_combination_names[]; /**< "probabilities", "scores", "votes", NULL */

/** Adds the part of one of `members` members to scores [rows, outputs], which begin as 0 (rows:
 *  eg_batch_rows); own [rows, outputs]: its scores, overwritten. */
void eg_combination_add(eg_combination rule, size_t members, const eg_batch *batch, size_t outputs,
                        eg_real *own, eg_real *scores);

/** Row of a parameter table. */
#define EG_COMBINATION_PARAM                                                                       \
    {                                                                                              \
        .name = "average", .type = EG_TYPE_NAME, .default_text = "probabilities",                  \
        .names = eg_combination_names,                                                             \
        .doc = "how the members predict together: by the mean of the softmax of their scores, by " \
               "the mean of the scores, or by the class that most of them say (votes; among "      \
               "equals the one that a single member is surest of)"                                 \
    }

#endif
