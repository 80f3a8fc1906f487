/** Lists in flow form, [a, b] and [[a, b], [c]]: reading them and writing them back. */
#include "base/reading.h"
#include "engram/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

typedef struct growing {
    eg_value *value;
    size_t item_count, item_capacity;
    size_t end_capacity;
} growing;

static bool is_named(const eg_reading *r)
{
    return r->param->type == EG_TYPE_NAMES || r->param->type == EG_TYPE_COMPONENTS;
}

static eg_status append_item(const eg_reading *r, growing *list, const char *token)
{
    int64_t item = 0;
    if (is_named(r)) {
        EG_TRY(eg_reading_name(r, token, &item));
    } else {
        EG_TRY(eg_reading_integer(r, token, &item));
    }
    EG_TRY(eg_grow(&list->value->items, &list->item_capacity, list->item_count + 1,
                   sizeof *list->value->items));
    list->value->items[list->item_count++] = item;
    return eg_ok();
}

static const char *list_expected(const eg_reading *r)
{
    switch (r->param->type) {
    case EG_TYPE_NAMES:
    case EG_TYPE_COMPONENTS:
        return "a list of words like [a, b]";
    case EG_TYPE_TEXTS:
        return "a list of texts like [a, b c]";
    case EG_TYPE_GROUPS:
        return "a list of lists of integers like [[0, 1], [2, 3]]";
    default:
        return "a list of integers like [1000, 500]";
    }
}

/** Reads "[a, b]" at *at and moves *at past it. */
static eg_status read_flat_list(const eg_reading *r, growing *list, const char **at)
{
    const char *p = eg_reading_skip(*at);
    if (*p != '[') {
        return eg_reading_refuse(r, list_expected(r));
    }
    p = eg_reading_skip(p + 1);
    while (*p != ']') {
        char token[EG_TOKEN_SIZE];
        if (!eg_reading_token(&p, token)) {
            return eg_reading_refuse(r, list_expected(r));
        }
        EG_TRY(append_item(r, list, token));
        if (*p != ',' && *p != ']') {
            return eg_reading_refuse(r, list_expected(r));
        }
        if (*p == ',') {
            p = eg_reading_skip(p + 1);
        }
    }
    *at = eg_reading_skip(p + 1);
    return eg_ok();
}

static eg_status read_groups(const eg_reading *r, growing *list, const char **at)
{
    const char *p = eg_reading_skip(*at);
    if (*p != '[') {
        return eg_reading_refuse(r, list_expected(r));
    }
    p = eg_reading_skip(p + 1);
    while (*p != ']') {
        EG_TRY(read_flat_list(r, list, &p));
        EG_TRY(eg_grow(&list->value->ends, &list->end_capacity, list->value->count + 1,
                       sizeof *list->value->ends));
        list->value->ends[list->value->count++] = list->item_count;
        if (*p != ',' && *p != ']') {
            return eg_reading_refuse(r, list_expected(r));
        }
        if (*p == ',') {
            p = eg_reading_skip(p + 1);
        }
    }
    *at = eg_reading_skip(p + 1);
    return eg_ok();
}

/** Text of items first … last-1, "[a, b]", appended at `at`; returns the new end. */
static char *print_items(const eg_reading *r, char *at, const int64_t *items, size_t count)
{
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        const char *comma = i == 0 ? "" : ", ";
        if (is_named(r)) {
            at += sprintf(at, "%s%s", comma, eg_reading_candidate(r, (size_t)items[i]));
        } else {
            at += sprintf(at, "%s%lld", comma, (long long)items[i]);
        }
    }
    *at++ = ']';
    *at = '\0';
    return at;
}

static eg_status print_list(const eg_reading *r, eg_value *value, size_t item_count)
{
    bool groups = r->param->type == EG_TYPE_GROUPS;
    size_t lists = groups ? value->count : 1;
    EG_TRY(eg_alloc(&value->text, 8 + item_count * (EG_TOKEN_SIZE + 2) + lists * 4, 1));
    if (!groups) {
        (void)print_items(r, value->text, value->items, value->count);
        return eg_ok();
    }
    char *at = value->text;
    *at++ = '[';
    for (size_t i = 0; i < value->count; i++) {
        size_t first = i == 0 ? 0 : value->ends[i - 1];
        at += sprintf(at, "%s", i == 0 ? "" : ", ");
        at = print_items(r, at, value->items + first, value->ends[i] - first);
    }
    *at++ = ']';
    *at = '\0';
    return eg_ok();
}

/** Takes down where an item of TEXTS begins and ends in the value's text. */
static eg_status append_text(growing *list, size_t begin, size_t end)
{
    eg_value *value = list->value;
    EG_TRY(eg_grow(&value->items, &list->item_capacity, value->count + 1, sizeof *value->items));
    EG_TRY(eg_grow(&value->ends, &list->end_capacity, value->count + 1, sizeof *value->ends));
    value->items[value->count] = (int64_t)begin;
    value->ends[value->count++] = end;
    return eg_ok();
}

/** Copies one text, its words parted by single spaces, from *at to `to`; returns its end there.
 *  *at is then at what does not belong to it. */
static char *copy_words(const char **at, char *to)
{
    const char *from = eg_reading_skip(*at);
    for (size_t length = 0; (length = strcspn(from, "[], \t\r\n")) > 0;) {
        memcpy(to, from, length);
        to += length;
        from = eg_reading_skip(from + length);
        *to = ' ';
        to += strcspn(from, "[],") > 0 ? 1 : 0;
    }
    *at = from;
    return to;
}

/** [a, b c], or one text without brackets. */
static eg_status read_texts(const eg_reading *r, growing *list)
{
    for (const char *p = r->text; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p) && !isspace((unsigned char)*p)) {
            return eg_reading_refuse(r, "texts without control characters");
        }
    }
    const char *at = eg_reading_skip(r->text);
    bool bracket = *at == '[';
    /* A space is added after every comma, and brackets around a single text. */
    EG_TRY(eg_alloc(&list->value->text, 2 * strlen(r->text) + 4, 1));
    char *text = list->value->text;
    char *to = text;
    *to++ = '[';
    at = eg_reading_skip(bracket ? at + 1 : at);
    while (!bracket || *at != ']') {
        char *begin = to;
        to = copy_words(&at, to);
        bool ends = bracket ? *at == ',' || *at == ']' : *at == '\0';
        if (to == begin || !ends) {
            return eg_reading_refuse(r, list_expected(r));
        }
        EG_TRY(append_text(list, (size_t)(begin - text), (size_t)(to - text)));
        if (!bracket || *at == ']') {
            break;
        }
        *to++ = ',';
        *to++ = ' ';
        at = eg_reading_skip(at + 1);
    }
    at = eg_reading_skip(bracket ? at + 1 : at);
    to -= to > text + 1 && to[-2] == ',' ? 2 : 0; /* [a, ] is [a] */
    *to++ = ']';
    *to = '\0';
    return *at == '\0' ? eg_ok() : eg_reading_refuse(r, list_expected(r));
}

eg_status eg_reading_list(const eg_reading *r, eg_value *value)
{
    growing list = {.value = value};
    if (r->param->type == EG_TYPE_TEXTS) {
        return read_texts(r, &list);
    }
    const char *at = eg_reading_skip(r->text);
    if (r->param->type == EG_TYPE_GROUPS) {
        EG_TRY(read_groups(r, &list, &at));
    } else if (*at != '[') {
        char token[EG_TOKEN_SIZE];
        if (!eg_reading_token(&at, token)) {
            return eg_reading_refuse(r, list_expected(r));
        }
        EG_TRY(append_item(r, &list, token)); /* a single item is a list of one */
    } else {
        EG_TRY(read_flat_list(r, &list, &at));
    }
    if (*at != '\0') {
        return eg_reading_refuse(r, list_expected(r));
    }
    if (r->param->type != EG_TYPE_GROUPS) {
        value->count = list.item_count;
    }
    return print_list(r, value, list.item_count);
}
