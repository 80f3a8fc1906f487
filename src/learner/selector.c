/** Copies of parameters and buffers, and their scores; see learner/selector.h. */
#include "learner/selector.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

const char *const eg_selection_rule_names[] = {
    [EG_SELECT_BEST] = "best",
    [EG_SELECT_LAST] = "last",
    [EG_SELECT_BEST_OF_LAST] = "best_of_last",
    [EG_SELECT_IMPROVED] = "improved",
    NULL,
};

/* Room for copies of the networks as they are now. */
static eg_status fit(eg_selector *selector, eg_learner *learner)
{
    eg_learner_network network;
    size_t params = 0;
    size_t buffers = 0;
    for (size_t i = 0; learner->ops->network(learner, i, &network); i++) {
        params += network.net->param_count;
        buffers += network.net->buffer_count;
    }
    if (selector->param != NULL && params == selector->params && buffers == selector->buffers) {
        return eg_ok();
    }
    eg_free(selector->param);
    eg_free(selector->buffer);
    selector->param = NULL;
    selector->buffer = NULL;
    selector->params = params;
    selector->buffers = buffers;
    EG_TRY(eg_alloc(&selector->param, selector->slots, params * sizeof(eg_real)));
    return eg_alloc(&selector->buffer, selector->slots, buffers * sizeof(double));
}

eg_status eg_selector_init(eg_selector *selector, const eg_view *view, eg_learner *learner)
{
    *selector = (eg_selector){.rule = (eg_selection_rule)eg_view_name(view, "keep"),
                              .window = eg_view_size(view, "window"),
                              .patience = eg_view_size(view, "patience"),
                              .delta = eg_view_real(view, "delta")};
    const size_t slots[] = {[EG_SELECT_BEST] = 1,
                            [EG_SELECT_LAST] = 0,
                            [EG_SELECT_BEST_OF_LAST] = selector->window,
                            [EG_SELECT_IMPROVED] = 1};
    selector->slots = slots[selector->rule];
    EG_TRY(eg_alloc(&selector->score, selector->slots, sizeof *selector->score));
    return eg_selector_begin(selector, learner);
}

void eg_selector_clear(eg_selector *selector)
{
    eg_free(selector->score);
    eg_free(selector->param);
    eg_free(selector->buffer);
}

eg_status eg_selector_begin(eg_selector *selector, eg_learner *learner)
{
    EG_TRY(fit(selector, learner));
    selector->epochs = 0;
    selector->waited = 0;
    selector->best = -(double)INFINITY;
    for (size_t s = 0; s < selector->slots; s++) {
        selector->score[s] = -(double)INFINITY;
    }
    return eg_ok();
}

static void copy_out(eg_selector *selector, size_t slot, eg_learner *learner)
{
    eg_real *param = selector->param + slot * selector->params;
    double *buffer = selector->buffer + slot * selector->buffers;
    eg_learner_network network;
    for (size_t i = 0; learner->ops->network(learner, i, &network); i++) {
        const eg_net *net = network.net;
        memcpy(param, net->params, net->param_count * sizeof *param);
        param += net->param_count;
        for (size_t k = 0; k < net->buffer_count; k++) {
            *buffer++ = net->buffers[k];
        }
    }
}

bool eg_selector_offer(eg_selector *selector, double score, eg_learner *learner)
{
    bool improved = score > selector->best + selector->delta;
    selector->best = improved ? score : selector->best;
    selector->waited = improved ? 0 : selector->waited + 1;
    size_t slot = selector->rule == EG_SELECT_BEST_OF_LAST ? selector->epochs % selector->slots : 0;
    if (selector->rule == EG_SELECT_BEST_OF_LAST ||
        (selector->rule == EG_SELECT_BEST && score > selector->score[0]) ||
        (selector->rule == EG_SELECT_IMPROVED && improved)) {
        selector->score[slot] = isnan(score) ? -(double)INFINITY : score;
        copy_out(selector, slot, learner);
    }
    selector->epochs++;
    return selector->patience > 0 && selector->waited >= selector->patience;
}

/* The copy that stays; `slots` if there is none. */
static size_t chosen(const eg_selector *selector)
{
    size_t best = selector->slots;
    double score = -(double)INFINITY;
    size_t made = selector->epochs < selector->slots ? selector->epochs : selector->slots;
    for (size_t age = made; age-- > 0;) { /* from the oldest to the newest */
        size_t slot = (selector->epochs - 1 - age) % selector->slots;
        if (selector->score[slot] > score || (selector->score[slot] == score && isfinite(score))) {
            best = slot;
            score = selector->score[slot];
        }
    }
    return best;
}

void eg_selector_restore(const eg_selector *selector, eg_learner *learner)
{
    size_t slot = selector->slots > 0 ? chosen(selector) : 0;
    if (slot == selector->slots) {
        return;
    }
    const eg_real *param = selector->param + slot * selector->params;
    const double *buffer = selector->buffer + slot * selector->buffers;
    eg_learner_network network;
    for (size_t i = 0; learner->ops->network(learner, i, &network); i++) {
        eg_net *net = network.net;
        memcpy(net->params, param, net->param_count * sizeof *param);
        param += net->param_count;
        for (size_t k = 0; k < net->buffer_count; k++) {
            net->buffers[k] = *buffer++;
        }
        eg_net_touch(net);
    }
}

/* epochs, waited, best, then score, parameters and buffers of each copy */
void eg_selector_write(const eg_selector *selector, eg_writer *writer)
{
    eg_write_u64(writer, selector->epochs);
    eg_write_u64(writer, selector->waited);
    eg_write_f64(writer, selector->best);
    for (size_t s = 0; s < selector->slots; s++) {
        eg_write_f64(writer, selector->score[s]);
        eg_write_reals(writer, selector->params, selector->param + s * selector->params);
        for (size_t k = 0; k < selector->buffers; k++) {
            eg_write_f64(writer, selector->buffer[s * selector->buffers + k]);
        }
    }
}

eg_status eg_selector_read(eg_selector *selector, eg_learner *learner, eg_reader *reader)
{
    EG_TRY(fit(selector, learner));
    uint64_t epochs = eg_read_u64(reader);
    uint64_t waited = eg_read_u64(reader);
    selector->best = eg_read_f64(reader);
    for (size_t s = 0; s < selector->slots; s++) {
        selector->score[s] = eg_read_f64(reader);
        EG_TRY(eg_read_reals(reader, selector->params, selector->param + s * selector->params,
                             "selected parameters"));
        for (size_t k = 0; k < selector->buffers; k++) {
            selector->buffer[s * selector->buffers + k] = eg_read_f64(reader);
        }
    }
    EG_TRY(eg_reader_status(reader, false));
    if (waited > epochs || epochs > SIZE_MAX / 2) {
        return eg_fail(EG_INVALID, "saved selection: %llu of %llu epochs without improvement",
                       (unsigned long long)waited, (unsigned long long)epochs);
    }
    selector->epochs = (size_t)epochs;
    selector->waited = (size_t)waited;
    return eg_ok();
}
