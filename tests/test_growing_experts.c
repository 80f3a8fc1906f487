/** Switch layers that get more experts: which are copied, what is recorded of it, that a saved learner goes on
 *  with the same bits, and what is refused. */
#include "testing.h"
#include "words.h"

#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "engram/trial.h"
#include "learner/growth_losses.h"
#include "nn/shared/switch_layers.h"

#include <math.h>
#include <string.h>

enum { B = 4, T = 6, V = 7, ROWS = B * T, HELD_OUT = 10, PHASES = 3, STEPS = 5, SEED = 3 };

/* A stream of made-up tokens: held-out sets are the phases' own, of 10 examples. */

typedef struct token_cursor {
    eg_cursor base;
    eg_real x[HELD_OUT * T];
    uint32_t label[HELD_OUT * T];
} token_cursor;

static void fill(token_cursor *cursor, uint64_t key, size_t size, eg_batch *out)
{
    eg_rng rng = eg_rng_make(SEED, EG_PURPOSE_TEST, key);
    for (size_t n = 0; n < size * T; n++) {
        cursor->x[n] = (eg_real)eg_rng_below(&rng, V);
        cursor->label[n] = ((uint32_t)cursor->x[n] + 2) % V;
    }
    *out = (eg_batch){
        .size = size, .positions = T, .x = cursor->x, .label = cursor->label, .task = EG_NO_TASK};
}

static void get(eg_cursor *cursor, size_t phase, size_t step, eg_batch *out)
{
    fill((token_cursor *)cursor, 100 * phase + step, B, out);
}

/* From `first` on, of the 10 of a phase. */
static void examples(eg_cursor *cursor, eg_subset subset, size_t task, size_t first, size_t size,
                     eg_batch *out)
{
    token_cursor *self = (token_cursor *)cursor;
    assert_int_equal(subset, EG_SUBSET_VALIDATION);
    assert_true(size <= B);
    fill(self, 1000 + task, HELD_OUT, out);
    out->x += first * T;
    out->label += first * T;
    out->size = size;
}

static void close_cursor(eg_cursor *cursor)
{
    eg_free(cursor);
}

static const eg_cursor_ops cursor_ops = {.free = close_cursor, .get = get, .examples = examples};

static eg_status open_cursor(eg_cursor **out, const eg_stream *of, const eg_cursor_setup *setup)
{
    token_cursor *cursor = NULL;
    EG_TRY(eg_alloc(&cursor, 1, sizeof *cursor));
    cursor->base = (eg_cursor){.ops = &cursor_ops, .stream = of, .setup = *setup};
    *out = &cursor->base;
    return eg_ok();
}

static void describe_phase(const eg_stream *stream, size_t phase, eg_phase *out)
{
    (void)stream, (void)phase;
    *out = (eg_phase){.steps = STEPS, .epochs = 1, .examples = B * STEPS, .task = EG_NO_TASK};
}

static size_t held_out;

static size_t count(const eg_stream *stream, eg_subset subset, size_t task)
{
    (void)stream, (void)task;
    return subset == EG_SUBSET_VALIDATION ? held_out : 0;
}

static const eg_stream_ops stream_ops = {
    .phase = describe_phase, .count = count, .open = open_cursor};

static const eg_stream stream = {.ops = &stream_ops,
                                 .shape = {.input = {T, 1, 1},
                                           .features = T,
                                           .outputs = V,
                                           .positions = T,
                                           .phases = PHASES,
                                           .tasks = 1,
                                           .batch = B,
                                           .epochs = 1,
                                           .phases_hold_out = true}};

typedef struct scene {
    eg_settings *settings;
    eg_view root;
    eg_learner_setup setup;
    eg_learner *learner;
    eg_cursor *cursor;
} scene;

#define SMALL                                                                                      \
    "model", "switch_transformer", "model.width", "8", "model.depth", "2", "model.heads", "2",     \
        "model.hidden", "16", "model.mixtures", "[1, 2]", "model.experts", "3", "optimizer",       \
        "adam", "optimizer.lr", "0.01"
#define WORDS(...) ((const char *const[]){SMALL, "learner", "growing_experts", __VA_ARGS__})

static eg_status open_scene(scene *s, const char *const *words)
{
    *s = (scene){.settings = settings_from(eg_trial_schema(), words)};
    s->root = eg_settings_root(s->settings);
    s->setup = (eg_learner_setup){
        .root = &s->root, .shape = stream.shape, .seed = SEED, .block = B, .stream = &stream};
    held_out = HELD_OUT;
    assert_ok(open_cursor(&s->cursor, &stream, &(eg_cursor_setup){.trains = true, .block = B}));
    return eg_learner_create(&s->learner, &s->setup);
}

static void close_scene(scene *s)
{
    eg_learner_free(s->learner);
    eg_cursor_close(s->cursor);
    eg_settings_free(s->settings);
}

static void learn(scene *s, size_t phase)
{
    for (size_t step = 0; step < STEPS; step++) {
        eg_batch batch;
        eg_step_outcome outcome = {.loss = 0};
        eg_cursor_get(s->cursor, phase, step, &batch);
        assert_ok(s->learner->ops->step(s->learner, &batch, &outcome));
        assert_true(isfinite(outcome.loss));
    }
}

static eg_net *net_of(const scene *s)
{
    return ((eg_gradient_learner *)s->learner)->net;
}

/* Choosing --------------------------------------------------------------------------------------- */

static void the_largest_sums_are_chosen(void **state)
{
    (void)state;
    size_t source[3];
    eg_growth_losses_choose((const double[]){1, 5, 5, 7}, 4, 3, source);
    assert_true(source[0] == 3 && source[1] == 1 && source[2] == 2);
    eg_growth_losses_choose((const double[]){1, (double)NAN, 9}, 3, 2, source);
    assert_true(source[0] == 1 && source[1] == 2);
}

/* Sums again, from scores of all held-out examples of a phase, one token after the other. */
static void sums_are_of_tokens_that_chose(void **state)
{
    (void)state;
    scene s;
    eg_growth_losses losses = {.sum = NULL};
    double sum[2][3] = {{0}};
    double all = 0;
    eg_batch block;
    assert_ok(open_scene(&s, WORDS(NULL)));
    eg_gradient_learner *learner = (eg_gradient_learner *)s.learner;
    learn(&s, 0);
    assert_ok(eg_growth_losses_init(&losses, learner, &stream.shape));
    eg_growth_losses_add(&losses, s.cursor, 1);
    for (size_t first = 0; first < HELD_OUT; first += 2) {
        uint32_t chosen[2][2 * T];
        examples(s.cursor, EG_SUBSET_VALIDATION, 1, first, 2, &block);
        const eg_real *y =
            eg_net_forward(learner->net, learner->training, EG_MODE_PROBE, 2, block.x, NULL);
        for (size_t l = 0; l < 2; l++) {
            eg_switch_layer_chosen(learner->net, learner->training, l, chosen[l]);
        }
        for (size_t r = 0; r < 2 * T; r++) {
            double total = 0;
            for (size_t v = 0; v < V; v++) {
                total += exp((double)y[r * V + v]);
            }
            const double loss = log(total) - (double)y[r * V + block.label[r]];
            all += loss;
            for (size_t l = 0; l < 2; l++) {
                sum[l][chosen[l][r]] += loss;
            }
        }
    }
    assert_close(losses.loss, all, 1e-4);
    assert_true(losses.rows == HELD_OUT * T && losses.examples == HELD_OUT);
    for (size_t k = 0; k < 6; k++) {
        assert_close(losses.sum[k], sum[k / 3][k % 3], 1e-4);
    }
    eg_growth_losses_clear(&losses);
    close_scene(&s);
}

/* Growth ----------------------------------------------------------------------------------------- */

/* 3 experts, then 5, 7; those that were there stay, and the optimizer is new. */
static void experts_come_with_phases(void **state)
{
    (void)state;
    scene s;
    assert_ok(open_scene(&s, WORDS("learner.grow_every", "1", NULL)));
    for (size_t phase = 0; phase < PHASES; phase++) {
        eg_real before[8];
        memcpy(before, net_of(&s)->params, sizeof before);
        assert_ok(eg_learner_begin_phase(s.learner, phase));
        assert_memory_equal(before, net_of(&s)->params, sizeof before);
        for (size_t l = 0; l < 2; l++) {
            assert_int_equal(eg_switch_layer_at(net_of(&s), l).experts, 3 + 2 * phase);
        }
        learn(&s, phase);
        assert_int_equal(net_of(&s)->step, STEPS * (phase + 1));
    }
    close_scene(&s);
}

static double value(scene *s, const char *name)
{
    eg_record *record = NULL;
    assert_ok(eg_record_create(&record));
    assert_ok(s->learner->ops->declare(s->learner, record, 1));
    assert_ok(s->learner->ops->measure(s->learner, record, 0));
    const double out = eg_record_find(record, name)->data[0];
    eg_record_free(record);
    return out;
}

/* The loss of held-out tokens before growth is that of the network as it was; after it another. */
static void the_jump_is_recorded(void **state)
{
    (void)state;
    scene s;
    eg_growth_losses losses = {.sum = NULL};
    assert_ok(open_scene(&s, WORDS(NULL)));
    assert_ok(eg_learner_begin_phase(s.learner, 0));
    learn(&s, 0);
    assert_true(isnan(value(&s, "growth_loss_before")) && value(&s, "experts") == 3);
    assert_ok(eg_growth_losses_init(&losses, (eg_gradient_learner *)s.learner, &stream.shape));
    eg_growth_losses_add(&losses, s.cursor, 1);
    const double before = losses.loss / losses.rows;
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    assert_true(value(&s, "experts") == 5);
    assert_true(value(&s, "growth_loss_before") == before);
    eg_growth_losses_clear(&losses);
    assert_ok(eg_growth_losses_init(&losses, (eg_gradient_learner *)s.learner, &stream.shape));
    eg_growth_losses_add(&losses, s.cursor, 1);
    assert_true(value(&s, "growth_loss_after") == losses.loss / losses.rows);
    assert_true(value(&s, "growth_loss_after") != before);
    eg_growth_losses_clear(&losses);
    close_scene(&s);
}

/* A learner that reads what another one wrote goes on with the same bits, through growth. */
static void what_is_saved_goes_on(void **state)
{
    (void)state;
    scene straight;
    scene saved;
    assert_ok(open_scene(&straight, WORDS(NULL)));
    assert_ok(open_scene(&saved, WORDS(NULL)));
    for (size_t phase = 0; phase < PHASES; phase++) {
        assert_ok(eg_learner_begin_phase(straight.learner, phase));
        assert_ok(eg_learner_begin_phase(saved.learner, phase));
        learn(&straight, phase);
        learn(&saved, phase);
        eg_writer writer = {0};
        saved.learner->ops->write(saved.learner, &writer);
        assert_ok(eg_writer_status(&writer));
        eg_learner_free(saved.learner);
        assert_ok(eg_learner_create(&saved.learner, &saved.setup));
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_ok(saved.learner->ops->read(saved.learner, &reader));
        assert_ok(eg_reader_status(&reader, true));
        eg_writer_clear(&writer);
    }
    assert_memory_equal(net_of(&saved)->params, net_of(&straight)->params,
                        net_of(&saved)->param_count * sizeof(eg_real));
    assert_true(value(&saved, "growth_loss_after") == value(&straight, "growth_loss_after"));
    close_scene(&straight);
    close_scene(&saved);
}

/* Every allocation of creating, learning and growing fails once, and nothing is left behind. */
static void memory_may_run_out(void **state)
{
    (void)state;
    scene s;
    size_t refusals = 0;
    assert_ok(open_scene(&s, WORDS(NULL)));
    for (size_t n = 1;; n++) {
        const size_t live = eg_memory_live_blocks();
        eg_learner *learner = NULL;
        eg_memory_fail_after(n);
        eg_status status = eg_learner_create(&learner, &s.setup);
        if (eg_is_ok(&status)) {
            status = eg_learner_begin_phase(learner, 1);
        }
        eg_memory_fail_after(0);
        eg_learner_free(learner);
        assert_int_equal(eg_memory_live_blocks(), live);
        if (eg_is_ok(&status)) {
            break;
        }
        assert_int_equal(status.code, EG_MEMORY);
        refusals++;
    }
    assert_true(refusals > 50);
    close_scene(&s);
}

/* Numbers of experts that growth never makes. */
static void damage_is_refused(void **state)
{
    (void)state;
    const uint64_t wrong[] = {0, 4, 259};
    scene s;
    assert_ok(open_scene(&s, WORDS(NULL)));
    for (size_t i = 0; i < EG_COUNT(wrong); i++) {
        eg_writer writer = {0};
        eg_write_u64(&writer, wrong[i]);
        eg_reader reader = eg_reader_make(writer.data, writer.size);
        assert_fails(s.learner->ops->read(s.learner, &reader), EG_INVALID, "experts, 3 and 2 more");
        eg_writer_clear(&writer);
    }
    close_scene(&s);
}

/* A token goes through one expert: only the router's products become more, and what growth looks at is
 * training. */
static void costs_by_hand(void **state)
{
    (void)state;
    scene s;
    eg_learner_costs before = {.parameters = 0};
    eg_learner_costs after = {.parameters = 0};
    assert_ok(open_scene(&s, WORDS(NULL)));
    assert_ok(eg_learner_begin_phase(s.learner, 0));
    learn(&s, 0);
    const double old = eg_net_macs(net_of(&s)).forward;
    assert_true(s.learner->ops->costs(s.learner, &before));
    assert_ok(eg_learner_begin_phase(s.learner, 1));
    const double grown = eg_net_macs(net_of(&s)).forward;
    assert_close(grown - old, 2 * 2 * T * 8, 1e-9); /* layers, experts, tokens, width */
    assert_true(s.learner->ops->costs(s.learner, &after));
    assert_close(after.train_macs, before.train_macs, 1e-6);
    assert_close(after.train_flops - before.train_flops, 2 * HELD_OUT * (old + grown), 1e-6);
    close_scene(&s);
}

static void what_cannot_grow_is_refused(void **state)
{
    (void)state;
    scene s;
    assert_fails(open_scene(&s, WORDS("learner.add", "4", NULL)), EG_INVALID, "learner.add = 4");
    close_scene(&s);
    assert_fails(open_scene(&s, WORDS("model.experts", "1", NULL)), EG_INVALID,
                 "model.experts = 1");
    close_scene(&s);
    assert_fails(open_scene(&s, WORDS("model.mixtures", "[]", "model.depth", "1", NULL)),
                 EG_INVALID, "no layer that is a mixture");
    close_scene(&s);
    const char *const mlp[] = {"model", "mlp", "learner", "growing_experts", NULL};
    assert_fails(open_scene(&s, mlp), EG_INVALID, "model = mlp");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_sums_are_chosen),
        cmocka_unit_test(sums_are_of_tokens_that_chose),
        cmocka_unit_test(experts_come_with_phases),
        cmocka_unit_test(the_jump_is_recorded),
        cmocka_unit_test(what_is_saved_goes_on),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(costs_by_hand),
        cmocka_unit_test(what_cannot_grow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
