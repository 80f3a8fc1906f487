/** Writing fresh values over hidden units; see learner/unit_reset.h. */
#include "learner/unit_reset.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"

#include <assert.h>
#include <string.h>

const char *const eg_fresh_names[] = {
    [EG_FRESH_DRAW] = "draw",
    [EG_FRESH_INITIAL] = "initial",
    [EG_FRESH_KAIMING] = "kaiming",
    [EG_FRESH_XAVIER] = "xavier",
    [EG_FRESH_LECUN] = "lecun",
    [EG_FRESH_DEFAULT] = "default",
    NULL,
};

const char *const eg_fresh_bias_names[] = {"zero", "draw", NULL};

const char *const eg_reset_state_names[] = {
    [EG_RESET_STATE_PUBLISHED] = "published",
    [EG_RESET_STATE_NONE] = "none",
    [EG_RESET_STATE_WEIGHTS] = "weights",
    [EG_RESET_STATE_UNIT] = "unit",
    [EG_RESET_STATE_UNIT_AND_COUNT] = "unit_and_count",
    NULL,
};

const char *const eg_shared_cell_names[] = {"fresh", "zero", NULL};

eg_status eg_unit_reset_check(const eg_view *view)
{
    eg_view root = eg_settings_root(view->settings);
    eg_optimizer_traits optimizer = eg_optimizer_traits_of(&root);
    eg_reset_state state = (eg_reset_state)eg_view_name(view, "reset_state");
    eg_status status = eg_ok();
    if (state >= EG_RESET_STATE_WEIGHTS && optimizer.slots == 0) {
        status = eg_fail_setting(view->prefix, "reset_state",
                                 "%sreset_state = %s: optimizer %s remembers nothing of single "
                                 "weights (try none)",
                                 view->prefix, eg_reset_state_names[state], optimizer.name);
    } else if (state == EG_RESET_STATE_UNIT_AND_COUNT && !optimizer.counts_each) {
        status = eg_fail_setting(view->prefix, "reset_state",
                                 "%sreset_state = %s: optimizer %s does not count the updates of "
                                 "single weights (try unit, or adam with adam_form = intended)",
                                 view->prefix, eg_reset_state_names[state], optimizer.name);
    }
    return eg_status_about(status, "", "optimizer");
}

static eg_reset_state state_of(const eg_view *view, eg_reset_published published)
{
    eg_view root = eg_settings_root(view->settings);
    eg_optimizer_traits optimizer = eg_optimizer_traits_of(&root);
    eg_reset_state state = (eg_reset_state)eg_view_name(view, "reset_state");
    if (state == EG_RESET_STATE_PUBLISHED) {
        state = optimizer.is_momentum ? published.momentum : published.means;
    }
    return optimizer.slots == 0 ? EG_RESET_STATE_NONE : state;
}

static size_t longest_run(const eg_unit_reset *reset)
{
    size_t longest = 0;
    for (size_t h = 0; h < reset->at.net->hidden_count; h++) {
        eg_plane_run run;
        for (size_t k = 0; eg_net_unit_run(reset->at.net, h, EG_UNIT_INCOMING, 0, k, &run); k++) {
            longest = run.count > longest ? run.count : longest;
        }
    }
    return longest;
}

eg_status eg_unit_reset_init(eg_unit_reset *reset, const eg_view *view,
                             const eg_learner_network *at, eg_reset_published published)
{
    const eg_net *net = at->net;
    *reset = (eg_unit_reset){
        .at = *at,
        .fresh = (eg_fresh)eg_view_name(view, "fresh"),
        .draws_bias = eg_view_name(view, "fresh_bias") == 1,
        .zeroes_shared = eg_view_name(view, "shared_cell") == 1,
        .state = state_of(view, published),
    };
    EG_TRY(eg_alloc(&reset->first, net->hidden_count + 1, sizeof *reset->first));
    for (size_t h = 0; h < net->hidden_count; h++) {
        reset->first[h + 1] = reset->first[h] + net->hidden[h].units;
    }
    reset->units = reset->first[net->hidden_count];
    EG_TRY(eg_alloc(&reset->chosen, reset->units, sizeof *reset->chosen));
    EG_TRY(eg_alloc(&reset->count, net->hidden_count, sizeof *reset->count));
    EG_TRY(eg_alloc(&reset->replaced, net->hidden_count, sizeof *reset->replaced));
    EG_TRY(eg_alloc(&reset->takes, net->hidden_count, sizeof *reset->takes));
    for (size_t h = 0; h < net->hidden_count; h++) {
        eg_plane_run run;
        reset->takes[h] = eg_net_unit_run(net, h, EG_UNIT_INCOMING, 0, 0, &run) &&
                          eg_net_unit_run(net, h, EG_UNIT_OUTGOING, 0, 0, &run);
    }
    EG_TRY(eg_alloc(&reset->drawn, longest_run(reset), sizeof *reset->drawn));
    if (reset->fresh == EG_FRESH_INITIAL) {
        EG_TRY(eg_alloc(&reset->initial, net->param_count, sizeof *reset->initial));
        eg_unit_reset_keep_initial(reset);
    }
    return eg_ok();
}

void eg_unit_reset_clear(eg_unit_reset *reset)
{
    eg_free(reset->first);
    eg_free(reset->chosen);
    eg_free(reset->count);
    eg_free(reset->replaced);
    eg_free(reset->initial);
    eg_free(reset->drawn);
    eg_free(reset->takes);
}

void eg_unit_reset_keep_initial(eg_unit_reset *reset)
{
    const eg_net *net = reset->at.net;
    if (reset->initial != NULL) {
        memcpy(reset->initial, net->params, net->param_count * sizeof *reset->initial);
    }
}

bool eg_unit_reset_takes(const eg_unit_reset *reset, size_t hidden)
{
    return reset->takes[hidden];
}

void eg_unit_reset_choose(eg_unit_reset *reset, size_t hidden, size_t unit)
{
    assert(reset->count[hidden] < reset->at.net->hidden[hidden].units);
    reset->chosen[reset->first[hidden] + reset->count[hidden]++] = (uint32_t)unit;
}

/* Fresh weights of a run, from one of the distributions that are the same for all networks. */
static void draw_named(const eg_unit_reset *reset, size_t hidden, const eg_plane_run *run,
                       eg_rng *rng)
{
    static const eg_initializer named[] = {
        [EG_FRESH_KAIMING] = EG_INITIALIZER_KAIMING,
        [EG_FRESH_XAVIER] = EG_INITIALIZER_XAVIER,
        [EG_FRESH_LECUN] = EG_INITIALIZER_LECUN,
        [EG_FRESH_DEFAULT] = EG_INITIALIZER_DEFAULT,
    };
    const eg_hidden_layer *layer = &reset->at.net->hidden[hidden];
    eg_initial initial =
        eg_initializer_weight(named[reset->fresh], layer->gain, run->fan_in, layer->units);
    for (size_t i = 0; i < run->count; i++) {
        reset->drawn[i] = (eg_real)eg_initial_draw(&initial, rng);
    }
}

/* Fills `drawn` with what a run becomes. */
static void draw(const eg_unit_reset *reset, size_t hidden, const eg_plane_run *run, eg_rng *rng)
{
    bool weights = run->role == EG_ROLE_WEIGHT;
    if (run->role == EG_ROLE_BIAS && !reset->draws_bias) {
        memset(reset->drawn, 0, run->count * sizeof *reset->drawn);
    } else if (reset->initial != NULL) {
        for (size_t i = 0; i < run->count; i++) {
            reset->drawn[i] = reset->initial[run->first + i * run->stride];
        }
    } else if (weights && reset->fresh != EG_FRESH_DRAW) {
        draw_named(reset, hidden, run, rng);
    } else {
        eg_net_fresh(reset->at.net, run, rng, reset->drawn);
    }
}

static void forget(const eg_unit_reset *reset, const eg_plane_run *run)
{
    bool applies = run->role == EG_ROLE_WEIGHT ? reset->state >= EG_RESET_STATE_WEIGHTS
                                               : reset->state >= EG_RESET_STATE_UNIT;
    if (applies) {
        eg_optimizer_reset(reset->at.optimizer, run->first, run->count, run->stride);
    }
    if (reset->state == EG_RESET_STATE_UNIT_AND_COUNT) {
        eg_optimizer_recount(reset->at.optimizer, run->first, run->count, run->stride);
    }
}

static void renew_incoming(const eg_unit_reset *reset, size_t hidden, size_t unit, uint64_t update)
{
    eg_net *net = reset->at.net;
    uint64_t index = update * reset->units + reset->first[hidden] + unit;
    eg_rng rng = eg_rng_make(net->seed, EG_PURPOSE_UNIT_FRESH, index);
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_INCOMING, unit, k, &run); k++) {
        draw(reset, hidden, &run, &rng);
        for (size_t i = 0; i < run.count; i++) {
            net->params[run.first + i * run.stride] = reset->drawn[i];
        }
        forget(reset, &run);
    }
    eg_net_unit_restart(net, hidden, unit);
}

static void silence_outgoing(const eg_unit_reset *reset, size_t hidden, size_t unit)
{
    eg_net *net = reset->at.net;
    eg_plane_run run;
    for (size_t k = 0; eg_net_unit_run(net, hidden, EG_UNIT_OUTGOING, unit, k, &run); k++) {
        for (size_t i = 0; i < run.count; i++) {
            net->params[run.first + i * run.stride] = 0;
        }
        forget(reset, &run);
    }
}

typedef enum sides { INCOMING = 1, OUTGOING = 2, BOTH = INCOMING | OUTGOING } sides;

static void write_layers(const eg_unit_reset *reset, sides which, uint64_t update)
{
    for (size_t h = 0; h < reset->at.net->hidden_count; h++) {
        const uint32_t *unit = reset->chosen + reset->first[h];
        for (size_t i = 0; i < reset->count[h]; i++) {
            if ((which & INCOMING) != 0) {
                renew_incoming(reset, h, unit[i], update);
            }
            if ((which & OUTGOING) != 0) {
                silence_outgoing(reset, h, unit[i]);
            }
        }
    }
}

size_t eg_unit_reset_apply(eg_unit_reset *reset, uint64_t update)
{
    eg_net *net = reset->at.net;
    size_t all = 0;
    for (size_t h = 0; h < net->hidden_count; h++) {
        all += reset->count[h];
    }
    if (all == 0) {
        return 0;
    }
    if (reset->zeroes_shared) {
        write_layers(reset, INCOMING, update);
        write_layers(reset, OUTGOING, update);
    } else {
        write_layers(reset, BOTH, update);
    }
    for (size_t h = 0; h < net->hidden_count; h++) {
        reset->replaced[h] += reset->count[h];
        reset->count[h] = 0;
    }
    eg_net_touch(net);
    return all;
}

void eg_unit_reset_counts(const eg_unit_reset *reset, double *counts)
{
    for (size_t h = 0; h < reset->at.net->hidden_count; h++) {
        counts[h] += (double)reset->replaced[h];
    }
}

void eg_unit_reset_write(const eg_unit_reset *reset, eg_writer *writer)
{
    const eg_net *net = reset->at.net;
    for (size_t h = 0; h < net->hidden_count; h++) {
        eg_write_u64(writer, reset->replaced[h]);
    }
    if (reset->initial != NULL) {
        eg_write_reals(writer, net->param_count, reset->initial);
    }
}

eg_status eg_unit_reset_read(eg_unit_reset *reset, eg_reader *reader)
{
    const eg_net *net = reset->at.net;
    for (size_t h = 0; h < net->hidden_count; h++) {
        reset->replaced[h] = eg_read_u64(reader);
    }
    EG_TRY(eg_reader_status(reader, false));
    return reset->initial != NULL
               ? eg_read_reals(reader, net->param_count, reset->initial, "initial weights")
               : eg_ok();
}
