/** Reading entries of the list of layers; see nn/convnet_entry.h. */
#include "nn/convnet_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 10, WORD_SIZE = 32, NUMBER_MAX = 1000000 };

/* What may follow the name of a layer, in this order: a count or a share, which must be there, a
 * window, options. */
typedef struct form {
    const char *name;
    bool count, share, window, sizes, bias;
    const char *words; /* the whole, for messages */
} form;

static const form forms[EG_ENTRY_KINDS] = {
    [EG_ENTRY_ACTIVATION] = {.name = "activation", .words = "activation"},
    [EG_ENTRY_AVERAGE_POOL] = {.name = "average_pool",
                               .window = true,
                               .sizes = true,
                               .words = "average_pool [SIZE] [stride N] [pad N or same]"},
    [EG_ENTRY_BATCH_NORM] = {.name = "batch_norm", .words = "batch_norm"},
    [EG_ENTRY_CONV] = {.name = "conv",
                       .count = true,
                       .window = true,
                       .sizes = true,
                       .bias = true,
                       .words = "conv FILTERS [SIZE] [stride N] [pad N or same] [no_bias]"},
    [EG_ENTRY_DROPOUT] = {.name = "dropout", .share = true, .words = "dropout SHARE"},
    [EG_ENTRY_DROPOUT_MAPS] = {.name = "dropout_maps",
                               .share = true,
                               .words = "dropout_maps SHARE"},
    [EG_ENTRY_FLATTEN] = {.name = "flatten", .words = "flatten"},
    [EG_ENTRY_GLOBAL_POOL] = {.name = "global_pool", .words = "global_pool"},
    [EG_ENTRY_LAYER_NORM] = {.name = "layer_norm", .words = "layer_norm"},
    [EG_ENTRY_LINEAR] = {.name = "linear",
                         .count = true,
                         .bias = true,
                         .words = "linear UNITS [no_bias]"},
    [EG_ENTRY_LOCAL_RESPONSE] = {.name = "local_response", .words = "local_response"},
    [EG_ENTRY_MAX_POOL] = {.name = "max_pool",
                           .window = true,
                           .sizes = true,
                           .words = "max_pool [SIZE] [stride N] [pad N or same]"},
};

/* An entry as words. */
typedef struct line {
    const char *text; /* of the whole entry */
    int length;
    size_t index; /* from 0 */
    char word[WORDS_MAX][WORD_SIZE];
    size_t count, at;
    const form *form;
} line;

const char *eg_entry_name(eg_entry_kind kind)
{
    return forms[kind].name;
}

static eg_status refuse(const line *l, const char *why)
{
    return eg_fail(EG_INVALID, "entry %zu (%.*s): %s; expected %s", l->index + 1, l->length,
                   l->text, why, l->form->words);
}

/* false: it has too many words, or one that is longer than any that is known. */
static bool split(line *l)
{
    const char *end = l->text + l->length;
    for (const char *from = l->text; from < end;) {
        size_t length = strcspn(from, " ,]");
        if (l->count == WORDS_MAX || length >= WORD_SIZE) {
            return false;
        }
        memcpy(l->word[l->count], from, length);
        l->word[l->count++][length] = '\0';
        from += length + 1;
    }
    return true;
}

/* Digits only. */
static bool read_number(const char *word, size_t length, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] < '0' || word[i] > '9') {
            return false;
        }
        *out = *out * 10 + (size_t)(word[i] - '0');
        if (*out > NUMBER_MAX) {
            return false;
        }
    }
    return length > 0;
}

/* A number from `least` on. */
static eg_status take_number(line *l, const char *what, size_t least, size_t *out)
{
    char why[2 * WORD_SIZE + 80];
    const char *word = l->at < l->count ? l->word[l->at] : "";
    if (read_number(word, strlen(word), out) && *out >= least) {
        l->at++;
        return eg_ok();
    }
    (void)snprintf(why, sizeof why, "%s must be an integer from %zu to %d%s%s", what, least,
                   (int)NUMBER_MAX, word[0] == '\0' ? "" : ", not ", word);
    return refuse(l, why);
}

static eg_status take_share(line *l, double *out)
{
    char *end = NULL;
    const char *word = l->at < l->count ? l->word[l->at] : "";
    *out = strtod(word, &end);
    if (end == word || *end != '\0' || !(*out >= 0 && *out < 1)) {
        return refuse(l, "the share must be at least 0 and below 1");
    }
    l->at++;
    return eg_ok();
}

/* "5x3" or "5", if the next word is one. */
static eg_status take_window(line *l, eg_entry *out)
{
    const char *word = l->at < l->count ? l->word[l->at] : "";
    if (word[0] < '0' || word[0] > '9') {
        return eg_ok();
    }
    size_t height = strcspn(word, "x");
    bool square = word[height] == '\0';
    const char *width = square ? word : word + height + 1;
    if (!read_number(word, height, &out->height) ||
        !read_number(width, strlen(width), &out->width) || out->height == 0 || out->width == 0) {
        return refuse(l, "the size must be like 5x5 or 5");
    }
    l->at++;
    return eg_ok();
}

static eg_status take_padding(line *l, eg_entry *out)
{
    if (l->at < l->count && strcmp(l->word[l->at], "same") == 0) {
        out->same = true;
        l->at++;
        return eg_ok();
    }
    return take_number(l, "pad", 0, &out->padding);
}

static eg_status take_option(line *l, eg_entry *out)
{
    const char *word = l->word[l->at++];
    if (l->form->sizes && strcmp(word, "stride") == 0) {
        return take_number(l, "stride", 1, &out->stride);
    }
    if (l->form->sizes && strcmp(word, "pad") == 0) {
        return take_padding(l, out);
    }
    if (l->form->bias && strcmp(word, "no_bias") == 0) {
        out->no_bias = true;
        return eg_ok();
    }
    eg_nearest nearest = {0};
    char why[3 * WORD_SIZE + 40];
    if (l->form->sizes) {
        eg_nearest_offer(&nearest, word, "stride");
        eg_nearest_offer(&nearest, word, "pad");
    }
    if (l->form->bias) {
        eg_nearest_offer(&nearest, word, "no_bias");
    }
    (void)snprintf(why, sizeof why, "%s does not belong here%s%s%s", word,
                   nearest.best != NULL ? "; did you mean " : "",
                   nearest.best != NULL ? nearest.best : "", nearest.best != NULL ? "?" : "");
    return refuse(l, why);
}

/* The kind of layer, or an activation by its name. */
static eg_status take_kind(line *l, eg_entry *out)
{
    const char *word = l->word[l->at++];
    eg_nearest nearest = {0};
    for (size_t k = 0; k < EG_COUNT(forms); k++) {
        if (strcmp(word, forms[k].name) == 0) {
            out->kind = (eg_entry_kind)k;
            l->form = &forms[k];
            return eg_ok();
        }
        eg_nearest_offer(&nearest, word, forms[k].name);
    }
    out->kind = EG_ENTRY_ACTIVATION;
    out->activation = (const eg_activation *)eg_family_find(&eg_activation_family, word);
    l->form = &forms[EG_ENTRY_ACTIVATION];
    if (out->activation != NULL) {
        return eg_ok();
    }
    for (size_t i = 0; i < eg_activation_family.member_count; i++) {
        eg_nearest_offer(&nearest, word, eg_activation_family.members[i]->name);
    }
    if (nearest.best != NULL) {
        return eg_fail(EG_INVALID, "entry %zu (%.*s): there is no layer %s; did you mean %s?",
                       l->index + 1, l->length, l->text, word, nearest.best);
    }
    return eg_fail(EG_INVALID,
                   "entry %zu (%.*s): there is no layer %s; known are conv, linear, activation "
                   "or the name of one, max_pool, average_pool, global_pool, batch_norm, "
                   "layer_norm, local_response, dropout, dropout_maps, flatten",
                   l->index + 1, l->length, l->text, word);
}

eg_status eg_entry_read(eg_entry *out, const eg_value *layers, size_t index)
{
    const size_t begin = (size_t)layers->items[index];
    line l = {
        .text = layers->text + begin, .length = (int)(layers->ends[index] - begin), .index = index};
    *out = (eg_entry){.kind = EG_ENTRY_ACTIVATION};
    if (!split(&l)) {
        return eg_fail(EG_INVALID, "entry %zu (%.60s …): it is too long for a layer", index + 1,
                       l.text);
    }
    EG_TRY(take_kind(&l, out));
    if (l.form->count) {
        EG_TRY(take_number(&l, out->kind == EG_ENTRY_CONV ? "FILTERS" : "UNITS", 1, &out->count));
    }
    if (l.form->share) {
        EG_TRY(take_share(&l, &out->share));
    }
    if (l.form->window) {
        EG_TRY(take_window(&l, out));
    }
    while (l.at < l.count) {
        EG_TRY(take_option(&l, out));
    }
    return eg_ok();
}
