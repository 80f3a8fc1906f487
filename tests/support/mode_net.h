/** The loss of a small network in each of the four modes, and its gradient against differences. */
#ifndef ENGRAM_MODE_NET_H
#define ENGRAM_MODE_NET_H

#include "testing.h"

#include "engram/net.h"
#include "engram/random.h"

enum { IN = 4, UNITS = 5, OUT = 3, B = 6 };

/** x [B, IN] */
static inline void make_input(eg_real *x, uint64_t index)
{
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < (size_t)B * IN; i++) {
        x[i] = 2 * eg_rng_normal(&rng) + 1;
    }
}

/** Sum of squares of the outputs / 2, and its gradient. */
static inline double loss_of(eg_net *net, eg_workspace *workspace, eg_mode mode, eg_real *dy)
{
    static eg_real x[B * IN]; /* backward reads it */
    double loss = 0;
    make_input(x, 0);
    const eg_real *y = eg_net_forward(net, workspace, mode, B, x, NULL);
    for (size_t i = 0; i < (size_t)B * OUT; i++) {
        loss += y[i] * y[i] / 2;
        dy[i] = y[i];
    }
    return loss;
}

static inline double moved_loss(eg_net *net, eg_workspace *workspace, eg_mode mode, size_t i,
                                double by)
{
    eg_real dy[B * OUT];
    eg_real kept = net->params[i];
    net->params[i] = kept + by;
    eg_net_touch(net);
    double value = loss_of(net, workspace, mode, dy);
    net->params[i] = kept;
    eg_net_touch(net);
    return value;
}

/** In a mode in which nothing moves, or where what moves is of no matter to the loss. */
static inline void assert_gradients(eg_net *net, eg_workspace *workspace, eg_mode mode)
{
    const double h = 1e-5;
    eg_real dy[B * OUT];
    (void)loss_of(net, workspace, mode, dy);
    eg_net_backward(net, workspace, dy, NULL);
    for (size_t i = 0; i < net->table.count; i++) {
        eg_real gradient = net->grads[i];
        double slope =
            moved_loss(net, workspace, mode, i, h) - moved_loss(net, workspace, mode, i, -h);
        assert_close(gradient, slope / (2 * h), 1e-7);
    }
}

#endif
