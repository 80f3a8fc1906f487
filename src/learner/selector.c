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

/* Room for copies of the networks as they are now. Weights get theirs as they are copied. */
static eg_status fit(eg_selector *selector, eg_learner *learner)
{
    if (selector->weights != NULL) {
        return eg_ok();
    }
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

eg_status eg_selector_check(const eg_view *view)
{
    if (eg_view_size(view, "last") > 0 && eg_view_name(view, "keep") != EG_SELECT_BEST) {
        return eg_fail_setting(view->prefix, "last keep",
                               "%slast = %zu chooses the best of the last epochs, so it needs "
                               "%skeep = best",
                               view->prefix, eg_view_size(view, "last"), view->prefix);
    }
    return eg_ok();
}

eg_status eg_selector_init(eg_selector *selector, const eg_view *view, eg_learner *learner,
                           bool own_weights)
{
    *selector = (eg_selector){.rule = (eg_selection_rule)eg_view_name(view, "keep"),
                              .window = eg_view_size(view, "window"),
                              .last = eg_view_size(view, "last"),
                              .patience = eg_view_size(view, "patience"),
                              .delta = eg_view_real(view, "delta")};
    const size_t slots[] = {[EG_SELECT_BEST] = 1,
                            [EG_SELECT_LAST] = 0,
                            [EG_SELECT_BEST_OF_LAST] = selector->window,
                            [EG_SELECT_IMPROVED] = 1};
    selector->slots = slots[selector->rule];
    EG_TRY(eg_alloc(&selector->score, selector->slots, sizeof *selector->score));
    if (own_weights) {
        EG_TRY(eg_alloc(&selector->weights, selector->slots, sizeof *selector->weights));
    }
    return eg_selector_begin(selector, learner);
}

static void drop_weights(const eg_selector *selector)
{
    for (size_t s = 0; selector->weights != NULL && s < selector->slots; s++) {
        eg_weights_clear(&selector->weights[s]);
    }
}

void eg_selector_clear(eg_selector *selector)
{
    drop_weights(selector);
    eg_free(selector->weights);
    eg_free(selector->score);
    eg_free(selector->param);
    eg_free(selector->buffer);
}

eg_status eg_selector_begin(eg_selector *selector, eg_learner *learner)
{
    EG_TRY(fit(selector, learner));
    drop_weights(selector); /* the arrays of a phase are not those of another one */
    selector->restored = false;
    selector->epochs = 0;
    selector->waited = 0;
    selector->best = -(double)INFINITY;
    for (size_t s = 0; s < selector->slots; s++) {
        selector->score[s] = -(double)INFINITY;
    }
    return eg_ok();
}

/* The weights of a copy, out of the learner or back into it. */
static eg_status pass_weights(const eg_selector *selector, size_t slot, eg_learner *learner,
                              bool into_learner)
{
    eg_weights_pass pass = {
        .weights = &selector->weights[slot], .into_learner = into_learner, .again = true};
    return eg_learner_weights(learner, &pass);
}

static void copy_nets_out(eg_selector *selector, size_t slot, eg_learner *learner)
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

static void copy_nets_in(const eg_selector *selector, size_t slot, eg_learner *learner)
{
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

static bool is_kept(const eg_selector *selector, double score, size_t left, bool improved)
{
    switch (selector->rule) {
    case EG_SELECT_BEST:
        return score > selector->score[0] && (selector->last == 0 || left < selector->last);
    case EG_SELECT_BEST_OF_LAST:
        return true;
    case EG_SELECT_IMPROVED:
        return improved;
    default:
        return false;
    }
}

eg_status eg_selector_offer(eg_selector *selector, double score, size_t left, eg_learner *learner,
                            bool *enough)
{
    bool improved = score > selector->best + selector->delta;
    size_t slot = selector->rule == EG_SELECT_BEST_OF_LAST ? selector->epochs % selector->slots : 0;
    if (is_kept(selector, score, left, improved)) {
        if (selector->weights != NULL) {
            EG_TRY(pass_weights(selector, slot, learner, false));
        } else {
            copy_nets_out(selector, slot, learner);
        }
        selector->score[slot] = isnan(score) ? -(double)INFINITY : score;
    }
    selector->best = improved ? score : selector->best;
    selector->waited = improved ? 0 : selector->waited + 1;
    selector->epochs++;
    *enough = selector->patience > 0 && selector->waited >= selector->patience;
    return eg_ok();
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

eg_status eg_selector_restore(eg_selector *selector, eg_learner *learner)
{
    size_t slot = selector->slots > 0 && !selector->restored ? chosen(selector) : selector->slots;
    if (slot < selector->slots && selector->weights != NULL) {
        EG_TRY(pass_weights(selector, slot, learner, true));
    } else if (slot < selector->slots) {
        copy_nets_in(selector, slot, learner);
    }
    selector->restored = true;
    return eg_ok();
}

static bool has_copy(const eg_selector *selector, size_t slot)
{
    return !selector->restored && isfinite(selector->score[slot]);
}

static void write_copy(const eg_selector *selector, size_t slot, eg_writer *writer)
{
    const eg_weights *weights = selector->weights != NULL ? &selector->weights[slot] : NULL;
    for (size_t i = 0; weights != NULL && i < weights->count; i++) {
        const eg_weights_array *array = &weights->arrays[i];
        eg_write_u64(writer, array->count);
        eg_write_bytes(writer, array->values, array->count * sizeof *array->values);
    }
    if (weights == NULL) {
        eg_write_reals(writer, selector->params, selector->param + slot * selector->params);
        for (size_t k = 0; k < selector->buffers; k++) {
            eg_write_f64(writer, selector->buffer[slot * selector->buffers + k]);
        }
    }
}

/* The arrays are those of the learner, which goes on in the same phase. */
static eg_status read_weights(eg_selector *selector, size_t slot, eg_learner *learner,
                              eg_reader *reader)
{
    const eg_weights *weights = &selector->weights[slot];
    EG_TRY(pass_weights(selector, slot, learner, false));
    for (size_t i = 0; i < weights->count; i++) {
        const eg_weights_array *array = &weights->arrays[i];
        uint64_t count = eg_read_u64(reader);
        const void *values = count == array->count
                                 ? eg_read_bytes(reader, array->count * sizeof *array->values)
                                 : NULL;
        if (values == NULL) {
            return eg_fail(EG_INVALID, "saved selection: %s has %llu numbers, expected %zu",
                           array->name, (unsigned long long)count, array->count);
        }
        memcpy(array->values, values, array->count * sizeof *array->values);
    }
    return eg_ok();
}

static eg_status read_copy(eg_selector *selector, size_t slot, eg_learner *learner,
                           eg_reader *reader)
{
    if (selector->weights != NULL) {
        return read_weights(selector, slot, learner, reader);
    }
    EG_TRY(eg_read_reals(reader, selector->params, selector->param + slot * selector->params,
                         "selected parameters"));
    for (size_t k = 0; k < selector->buffers; k++) {
        selector->buffer[slot * selector->buffers + k] = eg_read_f64(reader);
    }
    return eg_ok();
}

/* epochs, waited, best, restored, then score and contents of each copy that there is */
void eg_selector_write(const eg_selector *selector, eg_writer *writer)
{
    eg_write_u64(writer, selector->epochs);
    eg_write_u64(writer, selector->waited);
    eg_write_f64(writer, selector->best);
    eg_write_u8(writer, selector->restored ? 1 : 0);
    for (size_t s = 0; s < selector->slots; s++) {
        eg_write_f64(writer, selector->score[s]);
        if (has_copy(selector, s)) {
            write_copy(selector, s, writer);
        }
    }
}

eg_status eg_selector_read(eg_selector *selector, eg_learner *learner, eg_reader *reader)
{
    EG_TRY(fit(selector, learner));
    uint64_t epochs = eg_read_u64(reader);
    uint64_t waited = eg_read_u64(reader);
    selector->best = eg_read_f64(reader);
    selector->restored = eg_read_u8(reader) != 0;
    for (size_t s = 0; s < selector->slots; s++) {
        selector->score[s] = eg_read_f64(reader);
        if (has_copy(selector, s)) {
            EG_TRY(read_copy(selector, s, learner, reader));
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
