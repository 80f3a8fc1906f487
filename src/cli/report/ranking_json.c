/** Rankings as JSON; see cli/report/ranking_report.h. */
#include "cli/report/ranking_report.h"

#include "cli/json.h"

#include <math.h>

static json_t *basis_object(const char *variable, const char *data)
{
    json_t *object = json_object();
    eg_json_text(object, "variable", variable);
    eg_json_text(object, "data", data[0] == '\0' ? NULL : data);
    return object;
}

void eg_ranking_json(json_t *object, const eg_ranking_report *report)
{
    const eg_ranking_basis *basis = &report->basis;
    (void)json_object_set_new(object, "selected_on",
                              basis_object(basis->selected, report->selecting));
    (void)json_object_set_new(object, "reported_on",
                              basis_object(basis->reported, report->reporting));
    eg_json_text(object, "goal", basis->maximise ? "maximise" : "minimise");
    eg_json_text(object, "interval", eg_interval_name(report->interval));
}

static json_t *sample_object(const eg_sample *sample, eg_interval interval)
{
    json_t *object = json_object();
    eg_json_real(object, "mean", sample->n == 0 ? (double)NAN : sample->mean);
    eg_json_real(object, "interval", eg_sample_interval(sample, interval));
    eg_json_count(object, "n", sample->n);
    return object;
}

static void add_comparison(json_t *point, const eg_comparison *comparison)
{
    json_t *object = sample_object(&comparison->difference, EG_INTERVAL_STUDENT);
    (void)json_object_set_new(object, "fresh", json_boolean(comparison->fresh));
    eg_json_real(object, "p", comparison->p);
    eg_json_real(object, "p_holm", comparison->p_holm);
    (void)json_object_set_new(point, "to_best", object);
}

json_t *eg_ranking_point_json(const eg_ranking_report *report, size_t i)
{
    static const eg_trial_status counted[] = {EG_TRIAL_DONE,    EG_TRIAL_DIVERGED,
                                              EG_TRIAL_STOPPED, EG_TRIAL_SKIPPED,
                                              EG_TRIAL_FAILED,  EG_TRIAL_TIMEOUT};
    const eg_ranked_point *point = &report->points[i];
    const eg_stage_sum *selecting = eg_point_selecting(point);
    const eg_stage_sum *reporting = eg_point_reporting(point);
    json_t *object = json_object();
    json_t *selected = sample_object(&selecting->selected, report->interval);
    json_t *reported = sample_object(&reporting->reported, report->interval);
    eg_json_count(selected, "planned", selecting->planned);
    eg_json_count(reported, "planned", reporting->planned);
    (void)json_object_set_new(reported, "fresh", json_boolean(eg_point_is_fresh(point)));
    eg_json_count(object, "rank", i + 1);
    eg_json_count(object, "point", point->point);
    (void)json_object_set_new(object, "in_sweep", json_boolean(!eg_point_is_stale(point)));
    (void)json_object_set_new(object, "selected", selected);
    (void)json_object_set_new(object, "reported", reported);
    eg_json_count(object, "planned", eg_point_planned(point));
    eg_json_count(object, "finished",
                  eg_point_count(point, EG_TRIAL_DONE) + eg_point_count(point, EG_TRIAL_DIVERGED));
    for (size_t s = 0; s < sizeof counted / sizeof counted[0]; s++) {
        eg_json_count(object, eg_trial_status_name(counted[s]), eg_point_count(point, counted[s]));
    }
    if (report->comparisons != NULL) {
        add_comparison(object, &report->comparisons[i]);
    }
    return object;
}
