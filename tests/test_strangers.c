/** What somebody who adds to engram writes, each in a few dozen lines and from outside: a learner around
 *  another one, a rule that replaces units around any learner and network, a model of two branches. They
 *  are members of families of the test's own and run in whole trials. */
#include "learner_around.h"
#include "testing.h"

#include "engram/graph.h"
#include "engram/memory.h"
#include "engram/model.h"
#include "engram/random.h"
#include "engram/trial.h"
#include "engram/units.h"
#include "nn/layers.h"

#include <math.h>
#include <string.h>

/* A learner around another one: it learns every other minibatch ------------------------------------ */

static eg_status every_other_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    *out = (eg_step_outcome){.loss = 0};
    return batch->step % 2 == 0 ? around_step(learner, batch, out) : eg_ok();
}

static const eg_learner_ops every_other_ops = {PASSES_ON, .begin_phase = around_begin_phase,
                                               .step = every_other_step};

static eg_status every_other_create(eg_learner **out, const eg_view *view,
                                    const eg_learner_setup *setup)
{
    return create_around(out, &every_other_ops, view, setup);
}

static const eg_param around_params[] = {EG_LEARNER_OF};

static const eg_learner_kind every_other = {
    .component = {.name = "every_other",
                  .doc = "any learner, on every other minibatch",
                  .params = around_params,
                  .param_count = EG_COUNT(around_params)},
    .create = every_other_create,
};

/* A rule that replaces units: of every hidden layer the one that is used least, when a phase begins.
 * Fresh incoming weights, outgoing ones of 0, and the optimizer knows nothing of either. ------------ */

/* Sum of the absolute weights by which a unit is used. */
static double use_of(const eg_net *net, size_t hidden, size_t unit)
{
    double sum = 0;
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_OUTGOING, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            sum += fabs((double)net->params[run.first + i * run.stride]);
        }
    }
    return sum;
}

static size_t least_used(const eg_net *net, size_t hidden)
{
    size_t least = 0;
    for (size_t u = 1; u < net->hidden[hidden].units; u++) {
        least = use_of(net, hidden, u) < use_of(net, hidden, least) ? u : least;
    }
    return least;
}

static void replace(const eg_learner_network *network, size_t hidden, size_t unit,
                    eg_unit_side side, eg_rng *rng)
{
    eg_net *net = network->net;
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, side, unit, k, &run); k++) {
        double bound =
            side == EG_UNIT_OUTGOING || run.role == EG_ROLE_BIAS ? 0 : 1 / sqrt((double)run.fan_in);
        for (size_t i = 0; i < run.count; i++) {
            net->params[run.first + i * run.stride] =
                (eg_real)(bound * (2 * eg_rng_uniform(rng) - 1));
        }
        eg_optimizer_reset(network->optimizer, run.first, run.count, run.stride);
    }
    eg_net_touch(net);
}

static double recycled[2]; /* units of both hidden layers so far */

static bool recycle_replaced(const eg_learner *learner, double *counts)
{
    (void)learner;
    counts[0] += recycled[0];
    counts[1] += recycled[1];
    return true;
}

static eg_status recycle_begin_phase(eg_learner *learner, size_t phase)
{
    eg_learner_network network;
    for (size_t i = 0; phase > 0 && learner->ops->network(learner, i, &network); i++) {
        for (size_t h = 0; h < network.net->hidden_count; h++) {
            eg_rng rng = eg_rng_make(network.net->seed, EG_PURPOSE_LEARNER, 100 * phase + h);
            size_t unit = least_used(network.net, h);
            recycled[h]++;
            replace(&network, h, unit, EG_UNIT_INCOMING, &rng);
            replace(&network, h, unit, EG_UNIT_OUTGOING, &rng);
        }
    }
    return around_begin_phase(learner, phase);
}

static const eg_learner_ops recycle_ops = {PASSES_ON, .begin_phase = recycle_begin_phase,
                                           .replaced = recycle_replaced, .step = around_step};

static eg_status recycle_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    return create_around(out, &recycle_ops, view, setup);
}

static const eg_learner_kind recycle = {
    .component = {.name = "recycle",
                  .doc =
                      "any learner; the least used unit of every hidden layer is replaced when a "
                      "phase begins",
                  .params = around_params,
                  .param_count = EG_COUNT(around_params)},
    .check = eg_learner_check_network_inside,
    .create = recycle_create,
};

/* A model of two branches: x ─► linear ─► relu ──┐
 *                           └─► linear ─► swish ─┴► sum ─► linear ---------------------------------- */

static eg_status add_branch(eg_graph *graph, const char *activation, const char *const *names,
                            eg_shape input, size_t width, size_t *end)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_component *kind = eg_family_find(&eg_activation_family, activation);
    size_t from = EG_INPUT;
    eg_layer layer;
    EG_TRY(
        eg_layer_linear_panels(&layer, input, width, EG_NORM_NONE, true, EG_INITIALIZER_UNIFORM));
    EG_TRY(eg_graph_add(graph, names[0], &layer, 1, &from, &from));
    EG_TRY(eg_layer_activation(&layer, (const eg_activation *)(const void *)kind, none,
                               eg_shape_vector(width)));
    return eg_graph_add(graph, names[1], &layer, 1, &from, end);
}

static eg_status add_all(eg_graph *graph, eg_shape input, size_t width, size_t outputs)
{
    const char *const left[] = {"left", "left_units"};
    const char *const right[] = {"right", "right_units"};
    size_t ends[2] = {0};
    eg_layer layer;
    EG_TRY(add_branch(graph, "relu", left, input, width, &ends[0]));
    EG_TRY(add_branch(graph, "swish", right, input, width, &ends[1]));
    EG_TRY(eg_layer_sum(&layer, 2, 1, eg_shape_vector(width)));
    EG_TRY(eg_graph_add(graph, "sum", &layer, 2, ends, NULL));
    EG_TRY(eg_layer_linear(&layer, eg_shape_vector(width), outputs, EG_NORM_NONE, true,
                           EG_INITIALIZER_UNIFORM));
    return eg_graph_chain(graph, "head", &layer, NULL);
}

static eg_status branches_graph(eg_graph **out, const eg_view *view, eg_shape input, size_t outputs,
                                size_t batch)
{
    (void)batch;
    EG_TRY(eg_graph_create(out, input));
    eg_status status = add_all(*out, input, eg_view_size(view, "width"), outputs);
    if (!eg_is_ok(&status)) {
        eg_graph_free(*out);
        *out = NULL;
    }
    return status;
}

static eg_status branches_check(const eg_view *view, eg_shape input, size_t outputs)
{
    (void)view, (void)input, (void)outputs;
    return eg_ok();
}

static double branches_flops(const eg_view *view, eg_shape input, size_t outputs)
{
    double width = (double)eg_view_size(view, "width");
    return 2 * width * (2 * (double)eg_shape_size(input) + (double)outputs);
}

static const eg_param branches_params[] = {
    {.name = "width", .type = EG_TYPE_INT, .default_text = "20", .min = 1, .max = 1000},
};

static const eg_model_kind branches = {
    .component = {.name = "two_branches",
                  .doc = "two branches of hidden units, summed",
                  .params = branches_params,
                  .param_count = EG_COUNT(branches_params)},
    .graph = branches_graph,
    .check = branches_check,
    .flops = branches_flops,
};

/* Families with them, and trials ------------------------------------------------------------------- */

enum { MEMBERS_MAX = 64, FAMILIES_MAX = 16, SETTINGS_MAX = 16 };

typedef struct extended {
    eg_family family;
    const eg_component *members[MEMBERS_MAX];
} extended;

static void extend(extended *out, const eg_family *from, const eg_component *const *more,
                   size_t count)
{
    out->family = *from;
    for (size_t i = 0; i < from->member_count; i++) {
        out->members[i] = from->members[i];
    }
    for (size_t i = 0; i < count; i++) {
        out->members[from->member_count + i] = more[i];
    }
    assert_true(from->member_count + count <= MEMBERS_MAX);
    out->family.members = out->members;
    out->family.member_count = from->member_count + count;
}

static const eg_schema *own_schema(void)
{
    static extended learners, models;
    static const eg_family *families[FAMILIES_MAX];
    static eg_schema schema;
    const eg_component *const more_learners[] = {&every_other.component, &recycle.component};
    const eg_component *const more_models[] = {&branches.component};
    extend(&learners, &eg_learner_family, more_learners, EG_COUNT(more_learners));
    extend(&models, &eg_model_family, more_models, EG_COUNT(more_models));
    schema = *eg_trial_schema();
    assert_true(schema.family_count <= FAMILIES_MAX);
    for (size_t f = 0; f < schema.family_count; f++) {
        const eg_family *family = schema.families[f];
        families[f] = family == &eg_learner_family ? &learners.family
                      : family == &eg_model_family ? &models.family
                                                   : family;
    }
    schema.families = families;
    return &schema;
}

/** `more`: "name", "value", …, NULL. */
static eg_settings *settings_of(const char *const *more)
{
    eg_assignment all[SETTINGS_MAX] = {
        {.name = "dataset", .value = "synthetic"}, {.name = "dataset.noise", .value = "0.4"},
        {.name = "stream.batch", .value = "16"},   {.name = "protocol", .value = "test"},
        {.name = "optimizer.lr", .value = "0.05"}, {.name = "optimizer.initial", .value = "1e-12"},
    };
    size_t count = 6;
    for (size_t i = 0; more[i] != NULL; i += 2) {
        assert_true(count < SETTINGS_MAX);
        all[count++] = (eg_assignment){.name = more[i], .value = more[i + 1]};
    }
    eg_settings *settings = NULL;
    assert_ok(eg_settings_resolve(&settings, own_schema(), all, count));
    assert_ok(eg_trial_check(settings));
    return settings;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    (void)progress;
    return true;
}

static eg_record *record_of(const char *const *more)
{
    eg_settings *settings = settings_of(more);
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    assert_ok(eg_dataset_cache_create(&cache));
    const eg_trial_options options = {.objective = "final_accuracy", .poll = go_on};
    assert_ok(eg_trial_run(&record, settings, 1, cache, &options));
    eg_dataset_cache_free(cache);
    eg_settings_free(settings);
    return record;
}

static double accuracy_of(const char *const *more)
{
    eg_record *record = record_of(more);
    double accuracy = eg_record_value(record, "final_accuracy");
    eg_record_free(record);
    return accuracy;
}

/** A unit of both layers before each of the phases but the first, of 3 networks of an ensemble. */
static void replaced_units_are_recorded(void **state)
{
    (void)state;
    recycled[0] = recycled[1] = 0;
    eg_record *record =
        record_of(WORDS("measures", "[default, replacements]", "learner", "recycle", "learner.of",
                        "ensemble", "learner.of.members", "3", "model.hidden", "[9, 8]"));
    const eg_array *units = eg_record_find(record, "replaced_units");
    assert_int_equal(units->count, 5 * 2);
    for (size_t phase = 0; phase < 5; phase++) {
        assert_close(units->data[2 * phase], 3.0 * (double)phase, 0);
        assert_close(units->data[2 * phase + 1], 3.0 * (double)phase, 0);
    }
    eg_record_free(record);
    record = record_of(WORDS("measures", "[default, replacements]"));
    assert_true(isnan(eg_record_find(record, "replaced_units")->data[0]));
    eg_record_free(record);
}

static void they_run_in_trials(void **state)
{
    (void)state;
    double chance = 0.1;
    assert_true(accuracy_of(WORDS("model", "two_branches", "stream", "iid")) > 5 * chance);
    assert_true(accuracy_of(WORDS("model", "two_branches", "learner", "every_other", "stream",
                                  "iid")) > 3 * chance);
    assert_true(
        accuracy_of(WORDS("model", "two_branches", "learner", "recycle", "learner.of", "ensemble",
                          "learner.of.of", "every_other", "stream.active", "task")) > 5 * chance);
    assert_true(accuracy_of(WORDS("learner", "every_other", "learner.of", "replay", "stream",
                                  "iid")) > 3 * chance);
}

/* A learner on a stream, without a trial. */
typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_dataset *dataset;
    eg_stream *stream;
    eg_cursor *cursor;
    eg_learner *learner;
} scene;

static void open_scene(scene *s, const char *const *more)
{
    *s = (scene){.settings = settings_of(more)};
    s->root = eg_settings_root(s->settings);
    assert_ok(eg_dataset_open(&s->dataset, &s->root));
    assert_ok(eg_stream_create(&s->stream, &s->root, s->dataset, 1, 0));
    assert_ok(eg_cursor_open(&s->cursor, s->stream, &(eg_cursor_setup){.trains = true}));
    const eg_learner_setup setup = {
        .root = &s->root, .shape = s->stream->shape, .seed = 1, .block = 50, .stream = s->stream};
    assert_ok(eg_learner_create(&s->learner, &setup));
}

static void close_scene(scene *s)
{
    eg_learner_free(s->learner);
    eg_cursor_close(s->cursor);
    eg_stream_free(s->stream);
    eg_dataset_free(s->dataset);
    eg_settings_free(s->settings);
}

static void step(scene *s, size_t phase, size_t at)
{
    eg_batch batch;
    eg_step_outcome outcome = {.loss = 0};
    eg_cursor_get(s->cursor, phase, at, &batch);
    assert_ok(s->learner->ops->step(s->learner, &batch, &outcome));
}

static eg_net *net_of(scene *s)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, 0, &network));
    return network.net;
}

static void every_other_minibatch_is_learned(void **state)
{
    (void)state;
    scene half, plain;
    open_scene(&half,
               WORDS("learner", "every_other", "model.hidden", "[9]", "model.activation", "relu"));
    open_scene(&plain, WORDS("model.hidden", "[9]", "model.activation", "relu"));
    for (size_t at = 0; at < 6; at++) {
        step(&half, 0, at);
        if (at % 2 == 0) {
            step(&plain, 0, at);
        }
    }
    const eg_net *net = net_of(&half);
    assert_memory_equal(net->params, net_of(&plain)->params,
                        net->param_count * sizeof *net->params);
    close_scene(&half);
    close_scene(&plain);
}

/* Marks the parameters of a unit. */
static void mark(const eg_net *net, size_t hidden, size_t unit, eg_unit_side side, int as,
                 int *marks)
{
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, side, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            marks[run.first + i * run.stride] = as;
        }
    }
}

enum { KEPT, FRESH, SILENT };

/* The replaced units, and nothing else, are new; nobody hears them yet; the first update of what they
 * are heard by is as long as Adagrad's first. */
static void check_recycling(const char *const *more)
{
    scene s;
    open_scene(&s, more);
    assert_ok(s.learner->ops->begin_phase(s.learner, 0));
    for (size_t at = 0; at < 8; at++) {
        step(&s, 0, at);
    }
    eg_net *net = net_of(&s);
    size_t n = net->param_count;
    eg_real *before = NULL;
    int *marks = NULL;
    assert_ok(eg_alloc(&before, n, sizeof *before));
    assert_ok(eg_alloc(&marks, n, sizeof *marks));
    memcpy(before, net->params, n * sizeof *before);
    assert_true(net->hidden_count == 2);
    for (size_t h = 0; h < net->hidden_count; h++) {
        size_t unit = least_used(net, h);
        mark(net, h, unit, EG_UNIT_INCOMING, FRESH, marks);
        mark(net, h, unit, EG_UNIT_OUTGOING, SILENT, marks);
    }
    assert_ok(s.learner->ops->begin_phase(s.learner, 1));
    for (size_t i = 0; i < n; i++) {
        assert_true((net->params[i] == before[i]) == (marks[i] == KEPT));
        assert_true(marks[i] != SILENT || net->params[i] == 0);
    }
    step(&s, 1, 0);
    size_t long_steps = 0;
    for (size_t i = 0; i < n; i++) {
        double size = fabs((double)net->params[i]);
        long_steps += marks[i] == SILENT && fabs(size - 0.05) < 0.001 ? 1 : 0;
    }
    assert_true(long_steps >= 10); /* the weights of the ten classes, at least */
    eg_free(before);
    eg_free(marks);
    close_scene(&s);
}

static void units_are_replaced(void **state)
{
    (void)state;
    check_recycling(WORDS("learner", "recycle", "model.hidden", "[12, 7]", "model.activation",
                          "swish", "model.weight_norm", "[]", "model.bias", "true"));
    check_recycling(WORDS("learner", "recycle", "model.hidden", "[70, 7]", "model.activation",
                          "swish", "model.weight_norm", "[]", "learner.of", "online_ewc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_run_in_trials),
        cmocka_unit_test(every_other_minibatch_is_learned),
        cmocka_unit_test(replaced_units_are_recorded),
        cmocka_unit_test(units_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
