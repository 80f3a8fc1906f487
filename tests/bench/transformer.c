/** A training step of the transformer over tokens: forward, cross-entropy of all positions, backward, bound on the
 *  norm, Adam; and a Switch layer beside the dense feed-forward block it stands for. Tokens are drawn: the time of a
 *  step does not depend on what they say.
 *
 *      bench_text step STEPS SEED SETTING=VALUE …    median processor seconds of a step, resident megabytes
 *      bench_text nodes STEPS SEED SETTING=VALUE …   the least seconds of every node, forward and backward
 *      bench_text switch ROUNDS                      the least seconds of a forward and a backward: of a Switch layer
 *                                                    of 8 experts, of the dense block, of equal tokens and widths
 *
 *  Settings are those of a trial for the model and the optimizer, and positions=T, tokens=V, batch=B. */
#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/model.h"
#include "engram/optimizer.h"
#include "engram/random.h"
#include "engram/trial.h"
#include "nn/layers.h"
#include "nn/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { WORDS_MAX = 64, STEPS_MAX = 10000 };

static void stop(const char *what)
{
    (void)fprintf(stderr, "bench_text: %s\n", what);
    exit(EXIT_FAILURE);
}

static void must(eg_status status)
{
    if (!eg_is_ok(&status)) {
        stop(status.message);
    }
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static eg_real *numbers(size_t count)
{
    eg_real *out = NULL;
    must(eg_alloc(&out, count, sizeof *out));
    return out;
}

/* A network, its optimizer and a minibatch. */
typedef struct trainer {
    size_t positions, tokens, batch;
    eg_net *net;
    eg_workspace *workspace;
    eg_optimizer *optimizer;
    const eg_loss *loss;
    eg_real *x, *dy;
    uint32_t *label;
    eg_rng rng;
} trainer;

/* Settings of the bench itself; others are the trial's. */
static bool own(trainer *self, const char *name, const char *value)
{
    const char *const names[] = {"positions", "tokens", "batch"};
    size_t *const places[] = {&self->positions, &self->tokens, &self->batch};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(name, names[i]) == 0) {
            *places[i] = strtoul(value, NULL, 10);
            return true;
        }
    }
    return false;
}

static void open_trainer(trainer *self, uint64_t seed, char **words, size_t count)
{
    eg_assignment list[WORDS_MAX];
    size_t assigned = 0;
    eg_settings *settings = NULL;
    *self = (trainer){.positions = 64, .tokens = 65, .batch = 16};
    list[assigned++] = (eg_assignment){.name = "model", .value = "switch_transformer"};
    list[assigned++] = (eg_assignment){.name = "optimizer", .value = "adam"};
    list[assigned++] = (eg_assignment){.name = "optimizer.beta2", .value = "0.98"};
    list[assigned++] = (eg_assignment){.name = "optimizer.clip_norm", .value = "1"};
    for (size_t i = 0; i < count && assigned < WORDS_MAX; i++) {
        char *value = strchr(words[i], '=');
        if (value == NULL) {
            stop("settings are NAME=VALUE");
        }
        *value++ = '\0';
        if (!own(self, words[i], value)) {
            list[assigned++] = (eg_assignment){.name = words[i], .value = value};
        }
    }
    must(eg_settings_resolve(&settings, eg_trial_schema(), list, assigned));
    const eg_view root = eg_settings_root(settings);
    must(eg_model_build(&self->net, &root, (eg_shape){self->positions, 1, 1}, self->tokens,
                        self->batch, seed));
    must(eg_workspace_create(&self->workspace, self->net, self->batch, true));
    must(eg_optimizer_create(&self->optimizer, &root, &self->net->table, false, seed));
    eg_settings_free(settings);
    self->loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
    const size_t rows = self->batch * self->positions;
    self->x = numbers(rows);
    self->dy = numbers(rows * self->tokens);
    must(eg_alloc(&self->label, rows, sizeof *self->label));
    self->rng = eg_rng_make(seed, EG_PURPOSE_TEST, 0);
}

static void close_trainer(trainer *self)
{
    eg_optimizer_free(self->optimizer);
    eg_workspace_free(self->workspace);
    eg_net_free(self->net);
    eg_free(self->x);
    eg_free(self->dy);
    eg_free(self->label);
}

static void draw(trainer *self)
{
    for (size_t i = 0; i < self->batch * self->positions; i++) {
        self->x[i] = (eg_real)eg_rng_below(&self->rng, (uint32_t)self->tokens);
        self->label[i] = eg_rng_below(&self->rng, (uint32_t)self->tokens);
    }
}

static void train(trainer *self)
{
    const eg_real *y =
        eg_net_forward(self->net, self->workspace, EG_MODE_TRAIN, self->batch, self->x, NULL);
    (void)self->loss->evaluate(self->batch * self->positions, self->tokens, y, self->label, NULL,
                               self->dy);
    const eg_gradient_consumer *consumer =
        eg_optimizer_begin(self->optimizer, self->net->params, self->net->grads, NULL);
    eg_net_backward(self->net, self->workspace, self->dy, consumer);
    eg_optimizer_end(self->optimizer);
    eg_net_updated(self->net, self->workspace);
}

/* The first steps touch memory for the first time. */
static void time_steps(trainer *self, size_t steps)
{
    enum { WARM = 3 };
    static double seconds[STEPS_MAX];
    struct rusage usage;
    for (size_t s = 0; s < steps + WARM; s++) {
        draw(self);
        const double start = now();
        train(self);
        if (s >= WARM) {
            seconds[s - WARM] = now() - start;
        }
    }
    qsort(seconds, steps, sizeof *seconds, ascending);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("%.6g %.1f\n", seconds[steps / 2], (double)usage.ru_maxrss / 1024);
}

static double least(double a, double b)
{
    return a == 0.0 || b < a ? b : a;
}

/* Every node again by itself, on what the last step left. */
static void time_nodes(trainer *self, size_t rounds)
{
    double total = 0;
    draw(self);
    train(self);
    for (size_t i = 0; i < self->net->node_count; i++) {
        const eg_layer *layer = &self->net->nodes[i].layer;
        eg_layer_context *context = &self->workspace->context[i];
        double forward = 0;
        double backward = 0;
        for (size_t r = 0; r < rounds; r++) {
            double start = now();
            layer->ops->forward(layer, context);
            forward = least(forward, now() - start);
            start = now();
            layer->ops->backward(layer, context);
            backward = least(backward, now() - start);
        }
        total += forward + backward;
        (void)printf("%-24s %8.1f %8.1f us\n", self->net->nodes[i].name, 1e6 * forward,
                     1e6 * backward);
    }
    (void)printf("%-24s %8.1f us\n", "all", 1e6 * total);
}

/* Switch layer and dense block ------------------------------------------------------------------- */

/* A network of one block over `positions` tokens of a sequence. */
static eg_net *one_block(eg_shape shape, size_t hidden, size_t experts)
{
    const eg_activation *relu =
        (const eg_activation *)eg_family_find(&eg_activation_family, "relu");
    const eg_initial normal = {EG_INITIAL_NORMAL, 0.1, 1};
    const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    eg_layer layers[3] = {{0}};
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    must(eg_graph_create(&graph, shape));
    if (experts > 1) {
        const eg_switch spec = {.experts = experts,
                                .hidden = hidden,
                                .activation = relu,
                                .p = none,
                                .capacity = 1,
                                .balance = 0.01,
                                .initial = normal,
                                .down_initial = normal};
        must(eg_layer_switch(&layers[0], shape, &spec));
        must(eg_graph_chain(graph, "switch", &layers[0], NULL));
    } else {
        eg_conv linear = {.filters = hidden,
                          .kernel_height = 1,
                          .kernel_width = 1,
                          .stride = 1,
                          .bias = true,
                          .initial = normal};
        const eg_shape wide = {shape.height, 1, hidden};
        must(eg_layer_conv(&layers[0], shape, &linear));
        must(eg_layer_activation(&layers[1], relu, none, wide));
        linear.filters = shape.channels;
        must(eg_layer_conv(&layers[2], wide, &linear));
        const char *const names[] = {"up", "activation", "down"};
        for (size_t i = 0; i < 3; i++) {
            must(eg_graph_chain(graph, names[i], &layers[i], NULL));
        }
    }
    must(eg_net_build(&net, graph, 1));
    return net;
}

/* The gradient of the input is made, too: as a block in a network does. */
static double time_block(eg_net *net, eg_workspace *workspace, size_t batch, const eg_real *x,
                         const eg_real *dy, eg_real *dx)
{
    eg_real *const gives[] = {dx};
    const double start = now();
    (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, batch, x, NULL);
    workspace->context[0].dx = gives;
    eg_net_backward(net, workspace, dy, NULL);
    return now() - start;
}

static void compare(size_t width, size_t batch, size_t positions, size_t rounds)
{
    enum { KINDS = 2, EXPERTS = 8 };
    const eg_shape shape = {positions, 1, width};
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, width);
    const size_t size = batch * positions * width;
    eg_real *x = numbers(size);
    eg_real *dy = numbers(size);
    eg_real *dx = numbers(size);
    eg_net *net[KINDS];
    eg_workspace *workspace[KINDS];
    double best[KINDS] = {0};
    for (size_t i = 0; i < size; i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
        dy[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (size_t k = 0; k < KINDS; k++) {
        net[k] = one_block(shape, 4 * width, k == 0 ? EXPERTS : 1);
        must(eg_workspace_create(&workspace[k], net[k], batch, true));
    }
    for (size_t r = 0; r < rounds; r++) {
        for (size_t k = 0; k < KINDS; k++) {
            best[k] = least(best[k], time_block(net[k], workspace[k], batch, x, dy, dx));
        }
    }
    (void)printf("%zu %zu %.6g %.6g\n", width, batch * positions, best[0], best[1]);
    for (size_t k = 0; k < KINDS; k++) {
        eg_workspace_free(workspace[k]);
        eg_net_free(net[k]);
    }
    eg_free(x);
    eg_free(dy);
    eg_free(dx);
}

int main(int argc, char **argv)
{
    const size_t times = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (times < 1 || times > STEPS_MAX) {
        stop("usage: bench_text step|nodes STEPS SEED SETTING=VALUE …, bench_text switch ROUNDS");
    }
    if (strcmp(argv[1], "switch") == 0) {
        compare(64, 16, 64, times);
        compare(128, 16, 128, times);
        return 0;
    }
    trainer self;
    open_trainer(&self, argc > 3 ? strtoul(argv[3], NULL, 10) : 0, argv + 4,
                 argc > 4 ? (size_t)argc - 4 : 0);
    (strcmp(argv[1], "nodes") == 0 ? time_nodes : time_steps)(&self, times);
    close_trainer(&self);
    return 0;
}
