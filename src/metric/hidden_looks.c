/** Looks at hidden units; see metric/hidden_looks.h. */
#include "metric/hidden_looks.h"

#include "engram/memory.h"
#include "metric/measure_scopes.h"

#include <assert.h>
#include <string.h>

enum { BLOCK = 256 }; /* rows of a forward, give or take a minibatch */

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

eg_status eg_hidden_looks_init(eg_hidden_looks *out, const eg_measure *measure, const eg_view *view)
{
    const eg_measure_setup *setup = measure->setup;
    const eg_stream_shape *shape = &setup->stream->shape;
    size_t every = eg_view_size(view, "every");
    *out = (eg_hidden_looks){.setup = setup,
                             .examples = eg_view_size(view, "examples"),
                             .every = every,
                             .count = eg_measure_count_bins(setup->stream, every)};
    size_t networks = count_networks(setup->learner);
    size_t capacity = BLOCK + shape->batch;
    const eg_cursor_setup reading = {.trains = true};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_cursor_open(&out->cursor, setup->stream, &reading));
    EG_TRY_DONE(status, eg_alloc(&out->x, capacity * shape->features, sizeof *out->x));
    EG_TRY_DONE(status, eg_alloc(&out->workspace, networks, sizeof(eg_workspace *)));
    for (; out->networks < networks; out->networks++) {
        EG_TRY_DONE(status,
                    eg_workspace_create(&out->workspace[out->networks],
                                        network_of(out, out->networks).net, capacity, false));
    }
    return status;
done:
    eg_hidden_looks_clear(out);
    return status;
}

void eg_hidden_looks_clear(eg_hidden_looks *looks)
{
    for (size_t i = 0; i < looks->networks; i++) {
        eg_workspace_free(looks->workspace[i]);
    }
    eg_free(looks->workspace);
    eg_free(looks->x);
    eg_cursor_close(looks->cursor);
    *looks = (eg_hidden_looks){.setup = NULL};
}

bool eg_hidden_looks_due(eg_hidden_looks *looks, const eg_moment *now, bool begins_phase,
                         size_t *look, size_t *first)
{
    looks->phase_start = begins_phase ? now->step : looks->phase_start;
    *look = looks->every == 0 ? now->phase : now->examples_seen / looks->every;
    *first = now->step - looks->phase_start;
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

size_t eg_hidden_looks_show(eg_hidden_looks *looks, size_t index, size_t phase, size_t first,
                            const eg_unit_observer *observer)
{
    eg_net *net = network_of(looks, index).net;
    eg_workspace *workspace = looks->workspace[index];
    size_t features = looks->setup->stream->shape.features;
    size_t steps = eg_stream_steps(looks->setup->stream, phase);
    size_t shown = 0;
    size_t rows = 0;
    eg_workspace_observe(workspace, observer);
    for (size_t step = first; step < steps && shown + rows < looks->examples; step++) {
        eg_batch batch;
        eg_cursor_get(looks->cursor, phase, step, &batch);
        size_t wanted = looks->examples - shown - rows;
        size_t take = batch.size < wanted ? batch.size : wanted;
        memcpy(looks->x + rows * features, batch.x, take * features * sizeof *looks->x);
        rows += take;
        if (rows >= BLOCK || take == wanted || step + 1 == steps) {
            (void)eg_net_forward(net, workspace, EG_MODE_PREDICT, rows, looks->x, NULL);
            shown += rows;
            rows = 0;
        }
    }
    return shown;
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
