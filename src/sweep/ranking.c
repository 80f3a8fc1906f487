/** Ranking points; see engram/ranking.h, which has the rule. */
#include "engram/ranking.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdlib.h>

static bool has_chance(const char *variable)
{
    const eg_variable *declared = eg_trial_variable(variable);
    return declared != NULL && declared->chance_if_diverged;
}

eg_ranking_basis eg_ranking_by_objective(const char *variable, bool maximise)
{
    bool chance = has_chance(variable);
    return (eg_ranking_basis){.selected = variable,
                              .reported = variable,
                              .maximise = maximise,
                              .by_objective = true,
                              .chance_selected = chance,
                              .chance_reported = chance};
}

eg_ranking_basis eg_ranking_by_variable(const char *variable)
{
    const eg_variable *declared = eg_trial_variable(variable);
    bool maximise = declared == NULL || !declared->less_is_better;
    eg_ranking_basis basis = eg_ranking_by_objective(variable, maximise);
    basis.by_objective = false;
    return basis;
}

eg_status eg_ranking_create(eg_ranked_point **out, size_t count)
{
    EG_TRY(eg_alloc(out, count, sizeof **out));
    for (size_t i = 0; i < count; i++) {
        (*out)[i].point = i;
    }
    return eg_ok();
}

double eg_ranking_value(uint8_t status, double recorded, bool chance)
{
    bool counts = status == EG_TRIAL_DONE || (status == EG_TRIAL_DIVERGED && chance);
    return counts ? recorded : (double)NAN;
}

void eg_ranking_add(eg_ranked_point *points, const eg_ranking_basis *basis,
                    const eg_scored_trial *trial)
{
    eg_stage_sum *sum = &points[trial->point].stage[trial->stage];
    double selected = eg_ranking_value(trial->status, trial->selected, basis->chance_selected);
    double reported = eg_ranking_value(trial->status, trial->reported, basis->chance_reported);
    sum->planned++;
    sum->by_status[trial->status]++;
    sum->lost += trial->status == EG_TRIAL_STOPPED ||
                 (trial->status == EG_TRIAL_DIVERGED && !isfinite(selected));
    eg_sample_add(&sum->selected, selected);
    eg_sample_add(&sum->reported, reported);
}

bool eg_point_is_stale(const eg_ranked_point *point)
{
    return point->stage[EG_STAGE_FIRST].planned == 0 && point->stage[EG_STAGE_SECOND].planned == 0;
}

bool eg_point_is_fresh(const eg_ranked_point *point)
{
    return point->stage[EG_STAGE_SECOND].planned > 0;
}

const eg_stage_sum *eg_point_selecting(const eg_ranked_point *point)
{
    return &point->stage[eg_point_is_stale(point) ? EG_STAGE_EARLIER : EG_STAGE_FIRST];
}

const eg_stage_sum *eg_point_reporting(const eg_ranked_point *point)
{
    return eg_point_is_fresh(point) ? &point->stage[EG_STAGE_SECOND] : eg_point_selecting(point);
}

size_t eg_point_count(const eg_ranked_point *point, eg_trial_status status)
{
    size_t fresh = eg_point_is_fresh(point) ? point->stage[EG_STAGE_SECOND].by_status[status] : 0;
    return eg_point_selecting(point)->by_status[status] + fresh;
}

size_t eg_point_planned(const eg_ranked_point *point)
{
    return eg_point_selecting(point)->planned + point->stage[EG_STAGE_SECOND].planned;
}

bool eg_point_has_ended(const eg_ranked_point *point)
{
    size_t open = eg_point_count(point, EG_TRIAL_PENDING) +
                  eg_point_count(point, EG_TRIAL_RUNNING) + eg_point_count(point, EG_TRIAL_PAUSED);
    return eg_point_planned(point) > open;
}

/** Negative if a ranks before b, by rule 2; `sign` is -1 when large means are good. */
static int compare(const eg_ranked_point *a, const eg_ranked_point *b, double sign)
{
    const eg_stage_sum *x = eg_point_selecting(a);
    const eg_stage_sum *y = eg_point_selecting(b);
    bool ended = eg_point_has_ended(a);
    if (ended != eg_point_has_ended(b)) {
        return ended ? -1 : 1;
    }
    bool stale = eg_point_is_stale(a);
    if (stale != eg_point_is_stale(b)) {
        return stale ? 1 : -1;
    }
    if ((x->selected.n == 0) != (y->selected.n == 0)) {
        return x->selected.n == 0 ? 1 : -1;
    }
    if (x->lost != y->lost) {
        return x->lost < y->lost ? -1 : 1;
    }
    double first = sign * x->selected.mean;
    double second = sign * y->selected.mean;
    if (first != second) {
        return first < second ? -1 : 1;
    }
    return a->point < b->point ? -1 : a->point > b->point;
}

static int smallest_first(const void *a, const void *b)
{
    return compare(a, b, 1.0);
}

static int largest_first(const void *a, const void *b)
{
    return compare(a, b, -1.0);
}

void eg_ranking_sort(eg_ranked_point *points, size_t count, const eg_ranking_basis *basis)
{
    qsort(points, count, sizeof *points, basis->maximise ? largest_first : smallest_first);
}

const eg_ranked_point *eg_ranking_best(const eg_ranked_point *points, size_t count,
                                       const eg_ranking_basis *basis)
{
    const eg_ranked_point *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const eg_ranked_point *point = &points[i];
        bool candidate = !eg_point_is_stale(point) && eg_point_selecting(point)->selected.n > 0;
        double sign = basis->maximise ? -1.0 : 1.0;
        if (candidate && (best == NULL || compare(point, best, sign) < 0)) {
            best = point;
        }
    }
    return best;
}
