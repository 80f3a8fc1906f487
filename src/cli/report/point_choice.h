/** A point of a results file as somebody names it on the command line. */
#ifndef CLI_POINT_CHOICE_H
#define CLI_POINT_CHOICE_H

#include "engram/ranking.h"
#include "engram/store.h"

#include <stddef.h>

typedef struct eg_point_choice {
    const eg_ranked_point *point; /**< one of the ranking's; borrowed */
    size_t matched;               /**< points with a value that it is the best of; 0: named by its
                                       number, which chooses nothing */
} eg_point_choice;

/** `text`: the number of a point as `engram top` shows it, `best`, or conditions
 *  "learner=ewc,learner.lambda=10" that must all hold; of several such points the best one.
 *  `points` [results->point_count] are ranked, best first. Errors: EG_INVALID with what there is
 *  instead. */
eg_status eg_point_choose(eg_point_choice *out, const char *text, const eg_results *results,
                          const eg_ranked_point *points) EG_WARN_UNUSED;

#endif
