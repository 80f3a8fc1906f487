/** Looks at hidden units; see metric/hidden_looks.h. */
#include "metric/hidden_looks.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "metric/measure_scopes.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 256 }; /* rows of a forward, give or take a minibatch */

/* Not the trial's: which of a task's examples are looked at is the same whatever the seed. */
static const uint64_t look_seed = 0;

enum { DATA_COMING, DATA_NEW, DATA_NEW_AND_PREVIOUS };
enum { NORM_RUNNING, NORM_BATCH, NORM_BOTH };

const char *const eg_look_data_names[] = {[DATA_COMING] = "coming",
                                          [DATA_NEW] = "new",
                                          [DATA_NEW_AND_PREVIOUS] = "new_and_previous",
                                          [DATA_NEW_AND_PREVIOUS + 1] = NULL};
const char *const eg_look_norm_names[] = {[NORM_RUNNING] = "running",
                                          [NORM_BATCH] = "batch",
                                          [NORM_BOTH] = "both",
                                          [NORM_BOTH + 1] = NULL};

static unsigned views_of(const eg_view *view)
{
    unsigned views = 1;
    views |= eg_view_name(view, "norm") == NORM_BOTH ? 1U << EG_LOOK_RUNNING : 0;
    views |= eg_view_name(view, "data") == DATA_NEW_AND_PREVIOUS ? views << EG_LOOK_PREVIOUS : 0;
    return views;
}

bool eg_hidden_looks_records(const eg_measure_scope *scope, const char *measure,
                             const eg_variable *variables, size_t count,
                             const eg_variable *variable)
{
    eg_view settings = eg_view_member(scope->root, "measures", measure);
    unsigned views = views_of(&settings);
    for (size_t i = 0; i < EG_LOOK_VIEWS * count; i++) {
        if (variable == &variables[i]) {
            return (views >> (i / count) & 1) != 0;
        }
    }
    return true;
}

bool eg_hidden_looks_has(const eg_hidden_looks *looks, unsigned view)
{
    return (looks->views >> view & 1) != 0;
}

static eg_learner_network network_of(const eg_hidden_looks *looks, size_t index)
{
    eg_learner *learner = looks->setup->learner;
    eg_learner_network network;
    bool there = learner->ops->network(learner, index, &network);
    assert(there);
    (void)there;
    return network;
}

static size_t count_networks(eg_learner *learner)
{
    eg_learner_network network;
    size_t count = 0;
    while (learner->ops->network != NULL && learner->ops->network(learner, count, &network)) {
        count++;
    }
    return count;
}

/** Whether units have a number per place: such networks are shown as little together as they are
 *  trained with, for their outputs are large. */
static bool sees_places(const eg_net *net)
{
    bool places = false;
    for (size_t h = 0; h < net->hidden_count; h++) {
        places = places || net->hidden[h].positions > 1;
    }
    return places;
}

/** Rows of a forward in running mode: exactly, or by whole minibatches up to the first sum that is
 *  no less. */
static size_t running_rows(const eg_hidden_looks *looks, const eg_net *net, bool *exactly)
{
    *exactly = sees_places(net);
    return *exactly ? looks->setup->stream->shape.batch : BLOCK;
}

static eg_status check_tasks(const eg_view *view, const eg_stream_shape *shape)
{
    size_t data = eg_view_name(view, "data");
    bool there = shape->tasks > 0 && shape->tasks_are_phases;
    return data == DATA_COMING || there
               ? eg_ok()
               : eg_fail_setting(view->prefix, "data",
                                 "%sdata = %s needs a stream whose phases are tasks", view->prefix,
                                 eg_look_data_names[data]);
}

static bool reshapes(const eg_learner_kind *kind)
{
    return kind->reshapes;
}

const char *eg_hidden_looks_lack(const eg_measure_scope *scope)
{
    return eg_learner_find(scope->root, "learner", reshapes) != NULL
               ? "hidden layers that stay: the network of this learner changes its shape"
               : NULL;
}

/** What drawing examples needs. */
static eg_status prepare_draws(eg_hidden_looks *looks)
{
    const eg_stream *stream = looks->setup->stream;
    size_t most = 0;
    for (size_t t = 0; t < stream->shape.tasks; t++) {
        size_t count = eg_stream_count(stream, EG_SUBSET_TRAINING, t);
        most = count > most ? count : most;
    }
    EG_TRY(eg_alloc(&looks->order, most, sizeof *looks->order));
    return eg_alloc(&looks->known, stream->shape.outputs, sizeof *looks->known);
}

eg_status eg_hidden_looks_init(eg_hidden_looks *out, const eg_measure *measure, const eg_view *view)
{
    const eg_measure_setup *setup = measure->setup;
    const eg_stream_shape *shape = &setup->stream->shape;
    size_t every = eg_view_size(view, "every");
    size_t together = eg_view_size(view, "together");
    *out = (eg_hidden_looks){.setup = setup,
                             .examples = eg_view_size(view, "examples"),
                             .every = every,
                             .draws = eg_view_name(view, "data") != DATA_COMING,
                             .by_batch = eg_view_name(view, "norm") != NORM_RUNNING,
                             .views = views_of(view),
                             .together = together > 0 ? together : shape->batch,
                             .count = eg_measure_count_bins(setup->stream, every)};
    size_t networks = count_networks(setup->learner);
    eg_status status = eg_ok();
    EG_TRY_DONE(status, check_tasks(view, shape));
    const eg_cursor_setup reading = {.trains = !out->draws, .block = out->draws ? 1 : 0};
    EG_TRY_DONE(status, eg_cursor_open(&out->cursor, setup->stream, &reading));
    EG_TRY_DONE(status, out->draws ? prepare_draws(out) : eg_ok());
    for (size_t i = 0; i < networks; i++) {
        bool exactly = false;
        size_t rows = running_rows(out, network_of(out, i).net, &exactly);
        rows += exactly ? 0 : shape->batch;
        out->capacity = rows > out->capacity ? rows : out->capacity;
    }
    out->capacity = out->by_batch && out->together > out->capacity ? out->together : out->capacity;
    EG_TRY_DONE(status, eg_alloc(&out->x, out->capacity * shape->features, sizeof *out->x));
    EG_TRY_DONE(status, eg_alloc(&out->workspace, networks, sizeof(eg_workspace *)));
    for (; out->workspaces < networks; out->workspaces++) {
        EG_TRY_DONE(status, eg_workspace_create(&out->workspace[out->workspaces],
                                                network_of(out, out->workspaces).net, out->capacity,
                                                false));
    }
    out->networks = networks;
    return status;
done:
    eg_hidden_looks_clear(out);
    return status;
}

void eg_hidden_looks_clear(eg_hidden_looks *looks)
{
    for (size_t i = 0; i < looks->workspaces; i++) {
        eg_workspace_free(looks->workspace[i]);
    }
    eg_free(looks->workspace);
    eg_free(looks->x);
    eg_free(looks->order);
    eg_free(looks->known);
    eg_cursor_close(looks->cursor);
    *looks = (eg_hidden_looks){.setup = NULL};
}

double eg_hidden_looks_flops(const eg_view *view, const eg_measure_work *work)
{
    double every = (double)eg_view_size(view, "every");
    double looks = every == 0 ? work->phases : ceil(work->examples / every);
    double each = fmin((double)eg_view_size(view, "examples"), work->examples / work->phases);
    return looks * each * work->forward * __builtin_popcount(views_of(view));
}

bool eg_hidden_looks_due(eg_hidden_looks *looks, const eg_moment *now, bool begins_phase,
                         size_t *look, size_t *first)
{
    looks->phase_start = begins_phase ? now->step : looks->phase_start;
    *look = looks->every == 0 ? now->phase : now->examples_seen / looks->every;
    *first = now->step - looks->phase_start;
    looks->networks = count_networks(looks->setup->learner);
    /* After the last step of a phase the next examples are those of the next one. */
    bool due = looks->networks > 0 && *look >= looks->next && *look < looks->count &&
               *first < eg_stream_steps(looks->setup->stream, now->phase);
    looks->next = due ? *look + 1 : looks->next;
    return due;
}

const eg_net *eg_hidden_looks_net(const eg_hidden_looks *looks, size_t index)
{
    return network_of(looks, index).net;
}

/** The examples of a look on their way through a network. */
typedef struct showing {
    eg_hidden_looks *looks;
    eg_net *net;
    eg_workspace *workspace;
    eg_mode mode;
    size_t limit; /* rows of a forward: */
    bool exactly; /* no more than these */
    size_t rows;  /* gathered */
    size_t shown;
} showing;

static void flush(showing *self)
{
    if (self->rows > 0) {
        (void)eg_net_forward(self->net, self->workspace, self->mode, self->rows, self->looks->x,
                             NULL);
    }
    self->shown += self->rows;
    self->rows = 0;
}

/** x [count, features] come next. */
static void add(showing *self, const eg_real *x, size_t count)
{
    size_t features = self->looks->setup->stream->shape.features;
    while (count > 0) {
        size_t room = self->limit - self->rows;
        size_t take = self->exactly && count > room ? room : count;
        memcpy(self->looks->x + self->rows * features, x, take * features * sizeof *x);
        self->rows += take;
        x += take * features;
        count -= take;
        if (self->rows >= self->limit) {
            flush(self);
        }
    }
}

static void show_coming(showing *self, size_t phase, size_t first)
{
    eg_hidden_looks *looks = self->looks;
    size_t steps = eg_stream_steps(looks->setup->stream, phase);
    for (size_t step = first; step < steps && self->shown + self->rows < looks->examples; step++) {
        eg_batch batch;
        eg_cursor_get(looks->cursor, phase, step, &batch);
        size_t wanted = looks->examples - self->shown - self->rows;
        add(self, batch.x, batch.size < wanted ? batch.size : wanted);
    }
}

/** Marks the outputs that are active in a phase, if not all of them are. */
static void mark_active(eg_hidden_looks *looks, size_t phase)
{
    const eg_active *active = eg_stream_phase(looks->setup->stream, phase).active;
    for (size_t k = 0; active != NULL && k < active->count; k++) {
        looks->known[active->output[k]] = true;
    }
}

/** Examples of a task in random order, but for those with labels that are `known`. */
static void show_drawn(showing *self, size_t task)
{
    eg_hidden_looks *looks = self->looks;
    size_t count = eg_stream_count(looks->setup->stream, EG_SUBSET_TRAINING, task);
    for (size_t i = 0; i < count; i++) {
        looks->order[i] = (uint32_t)i;
    }
    eg_rng rng = eg_rng_make(look_seed, EG_PURPOSE_LOOK, task);
    eg_rng_shuffle(&rng, count, looks->order);
    for (size_t i = 0; i < count && self->shown + self->rows < looks->examples; i++) {
        eg_batch batch;
        eg_cursor_examples(looks->cursor, EG_SUBSET_TRAINING, task, looks->order[i], 1, &batch);
        if (!looks->known[batch.label[0]]) {
            add(self, batch.x, 1);
        }
    }
}

static void show_of_task(showing *self, size_t phase, bool previous)
{
    eg_hidden_looks *looks = self->looks;
    memset(looks->known, 0, looks->setup->stream->shape.outputs * sizeof *looks->known);
    if (!previous && phase > 0) {
        mark_active(looks, phase - 1);
    }
    if (!previous || phase > 0) {
        show_drawn(self, previous ? phase - 1 : phase);
    }
}

size_t eg_hidden_looks_show(eg_hidden_looks *looks, size_t index, unsigned view, size_t phase,
                            size_t first, const eg_unit_observer *observer)
{
    /* Networks that came later are like the last one. */
    const size_t like = index < looks->workspaces ? index : looks->workspaces - 1;
    showing self = {.looks = looks,
                    .net = network_of(looks, index).net,
                    .workspace = looks->workspace[like],
                    .mode = EG_MODE_PREDICT};
    self.limit = running_rows(looks, self.net, &self.exactly);
    if (looks->by_batch && (view & EG_LOOK_RUNNING) == 0) {
        size_t parts = (looks->examples + looks->together - 1) / looks->together;
        self.mode = EG_MODE_PREDICT_BATCH;
        self.limit = (looks->examples + parts - 1) / parts;
        self.exactly = true;
    }
    eg_workspace_observe(self.workspace, observer);
    if (looks->draws) {
        show_of_task(&self, phase, (view & EG_LOOK_PREVIOUS) != 0);
    } else {
        show_coming(&self, phase, first);
    }
    flush(&self);
    return self.shown;
}

void eg_hidden_looks_write(const eg_hidden_looks *looks, eg_writer *writer)
{
    eg_write_u64(writer, looks->next);
    eg_write_u64(writer, looks->phase_start);
}

eg_status eg_hidden_looks_read(eg_hidden_looks *looks, eg_reader *reader)
{
    looks->next = (size_t)eg_read_u64(reader);
    looks->phase_start = (size_t)eg_read_u64(reader);
    return eg_reader_status(reader, false);
}
