/** Baselines of the networks of a sweep; see sweep/baselines.h.
 *
 *      finetune   learner = plain: nothing is done against forgetting
 *      joint      learner = plain, stream.joint = true: all tasks at once
 *      iid        learner = plain, stream = iid: the same examples, shuffled over all tasks
 *
 *  All other settings are those of the point. */
#include "sweep/baselines.h"

#include "engram/memory.h"
#include "engram/stream.h"
#include "engram/trial.h"

#include <stdio.h>
#include <string.h>

enum { FINETUNE, JOINT, IID, KINDS };
static const char *const names[KINDS] = {"finetune", "joint", "iid"};

/** Why some points have no baseline of a kind. */
typedef struct left_out {
    size_t points;
    char first[EG_MESSAGE_SIZE / 2];
} left_out;

typedef struct addition {
    eg_sweep *sweep;
    eg_plan *plan;
    eg_point_set *points;
    eg_resolver *resolver;
    eg_assignment *items;
    bool *used;
    size_t capacity, used_capacity;
    left_out left[KINDS];
} addition;

static eg_status read_wanted(const eg_sweep *sweep, bool wanted[KINDS])
{
    const eg_node *node = eg_sweep_key(sweep, "baselines");
    if (node == NULL) {
        return eg_ok();
    }
    bool list = node->kind == EG_NODE_LIST;
    for (size_t i = 0; i < (list ? node->count : 1); i++) {
        const eg_node *item = list ? node->items[i] : node;
        EG_TRY(eg_node_expect(item, EG_NODE_SCALAR, "baselines"));
        bool every = !list && strcmp(item->text, "auto") == 0;
        bool known = every || (!list && strcmp(item->text, "off") == 0);
        for (size_t k = 0; k < KINDS; k++) {
            bool named = strcmp(item->text, names[k]) == 0;
            wanted[k] = wanted[k] || every || named;
            known = known || named;
        }
        if (!known) {
            return eg_fail_at(&item->at,
                              "baselines = %.60s: must be auto, off, or a list of finetune, joint "
                              "and iid",
                              item->text);
        }
    }
    return eg_ok();
}

static bool is_or_below(const char *name, const char *setting)
{
    size_t length = strlen(setting);
    return strncmp(name, setting, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

static void add(addition *a, size_t *count, const char *name, const char *value)
{
    a->items[(*count)++] = (eg_assignment){.name = name, .value = value};
}

/** What is given at the point, with the baseline's own settings behind it. */
static eg_status collect(addition *a, const eg_settings *point, size_t kind, size_t *count)
{
    enum { OWN = 5 };
    size_t most = eg_settings_count(point) + OWN;
    EG_TRY(eg_grow(&a->items, &a->capacity, most, sizeof *a->items));
    EG_TRY(eg_grow(&a->used, &a->used_capacity, most, sizeof *a->used));
    *count = 0;
    for (size_t i = 0; i < eg_settings_count(point); i++) {
        const eg_setting *setting = eg_settings_at(point, i);
        if (setting->given && !is_or_below(setting->name, "learner")) {
            add(a, count, setting->name, setting->value.text);
        }
    }
    add(a, count, "learner", "plain");
    add(a, count, "baseline", names[kind]);
    if (kind == JOINT) {
        add(a, count, "stream.joint", "true");
        const eg_setting *active = eg_settings_find(point, "stream.active");
        if (active != NULL && strcmp(active->value.text, "task") == 0) {
            add(a, count, "stream.joint_loss", "task");
        }
    } else if (kind == IID) {
        add(a, count, "stream", "iid");
    }
    return eg_ok();
}

static const eg_stream_kind *stream_of(const eg_settings *settings)
{
    const eg_setting *stream = eg_settings_find(settings, "stream");
    return (const eg_stream_kind *)(const void *)stream->value.component;
}

/** Some classes of the dataset are in no task. */
static bool leaves_out_classes(const eg_settings *settings, size_t classes)
{
    const eg_setting *partition = eg_settings_find(settings, "stream.partition");
    size_t groups = partition == NULL ? 0 : partition->value.count;
    return groups > 0 && partition->value.ends[groups - 1] < classes;
}

/** What the stream has of the dataset. */
static eg_stream_sizes sizes_of(const eg_settings *settings)
{
    eg_view root = eg_settings_root(settings);
    eg_view stream = eg_view_inside(&root, "stream");
    eg_view data = eg_view_inside(&root, "dataset");
    const eg_dataset_kind *dataset =
        (const eg_dataset_kind *)(const void *)eg_view_component(&root, "dataset");
    eg_stream_sizes sizes = {0};
    dataset->sizes(&data, &sizes.train, &sizes.test, &sizes.input, &sizes.outputs);
    stream_of(settings)->sizes(&stream, &sizes);
    return sizes;
}

/** Whether stream iid shows the same examples as the point's, as often. */
static bool is_shuffled(const eg_settings *point, const eg_settings *baseline)
{
    const eg_stream_sizes its = sizes_of(point);
    return stream_of(point)->shows_examples && !its.tells_task &&
           its.train == sizes_of(baseline).train && !leaves_out_classes(point, its.outputs);
}

/** EG_INVALID says why the point has no such baseline. */
static eg_status check(const addition *a, const eg_settings *point, const eg_settings *baseline,
                       size_t kind)
{
    const char *stream = stream_of(point)->component.name;
    if (kind == JOINT && eg_settings_find(baseline, "stream.joint") == NULL) {
        return eg_fail(EG_INVALID, "stream %s has no joint", stream);
    }
    if (kind == IID && !is_shuffled(point, baseline)) {
        return eg_fail(EG_INVALID, "stream %s as it is here is not that of iid in another order",
                       stream);
    }
    EG_TRY(eg_trial_check(baseline));
    const eg_variable *objective = eg_trial_variable(a->plan->objective);
    return objective == NULL || eg_trial_records(baseline, objective)
               ? eg_ok()
               : eg_fail(EG_INVALID, "it does not record %s", a->plan->objective);
}

static void leave_out(addition *a, size_t kind, const eg_status *why)
{
    if (a->left[kind].points++ == 0) {
        (void)snprintf(a->left[kind].first, sizeof a->left[kind].first, "%.*s",
                       (int)sizeof a->left[kind].first - 1, why->message);
    }
}

static eg_status add_one(addition *a, size_t point, size_t kind)
{
    const eg_settings *settings = a->plan->points[point].settings;
    const eg_settings *baseline = NULL;
    eg_status missing = eg_ok();
    size_t count = 0;
    EG_TRY(collect(a, settings, kind, &count));
    eg_status status =
        eg_resolver_resolve(a->resolver, a->items, count, a->used, &missing, &baseline);
    status = status.code == EG_OK ? missing : status;
    status = status.code == EG_OK ? check(a, settings, baseline, kind) : status;
    if (status.code == EG_INVALID) {
        leave_out(a, kind, &status);
        return eg_ok();
    }
    EG_TRY(status);
    size_t duplicates = a->plan->duplicates;
    size_t at = 0;
    EG_TRY(eg_point_set_add(a->points, a->plan, baseline, a->resolver, &at));
    a->plan->duplicates = duplicates; /* these are meant */
    size_t now = a->plan->point_count;
    return now <= EG_PLAN_POINTS_MAX && now <= EG_PLAN_TRIALS_MAX / a->plan->seed_count
               ? eg_ok()
               : eg_fail_at(&eg_sweep_key(a->sweep, "baselines")->at,
                            "with baselines there are more than %zu points; a plan holds at most "
                            "%d points and %d trials",
                            now - 1, (int)EG_PLAN_POINTS_MAX, (int)EG_PLAN_TRIALS_MAX);
}

static eg_status say_left_out(addition *a)
{
    for (size_t k = 0; k < KINDS; k++) {
        const left_out *left = &a->left[k];
        if (left->points > 0) {
            EG_TRY(eg_sweep_note(a->sweep, "baselines: %zu point%s without %s: %s", left->points,
                                 left->points == 1 ? "" : "s", names[k], left->first));
        }
    }
    return eg_ok();
}

eg_status eg_baselines_add(eg_sweep *sweep, eg_plan *plan, eg_point_set *points,
                           eg_resolver *resolver)
{
    addition a = {.sweep = sweep, .plan = plan, .points = points, .resolver = resolver};
    bool wanted[KINDS] = {false};
    plan->compared_count = plan->point_count;
    EG_TRY(read_wanted(sweep, wanted));
    eg_status status = eg_ok();
    for (size_t k = 0; k < KINDS; k++) {
        for (size_t p = 0; wanted[k] && p < plan->compared_count; p++) {
            EG_TRY_DONE(status, add_one(&a, p, k));
        }
    }
    status = status.code == EG_OK ? say_left_out(&a) : status;
done:
    eg_free(a.items);
    eg_free(a.used);
    return status;
}
