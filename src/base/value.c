/** One value: from text to a typed value, checked against its declaration; see
 *  engram/settings.h. */
#include "base/shared/value.h"
#include "base/reading.h"

#include "engram/memory.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPECTED_SIZE = 200 };

/* A bound this large is a way of writing "none". */
static const double no_bound = 1e18;

eg_status eg_reading_refuse(const eg_reading *r, const char *expected)
{
    return eg_fail(EG_INVALID, "%s = %.80s: must be %s", r->name,
                   r->text[0] == '\0' ? "(empty)" : r->text, expected);
}

const char *eg_reading_candidate(const eg_reading *r, size_t i)
{
    if (r->param->type != EG_TYPE_COMPONENTS) {
        return r->param->names[i];
    }
    const eg_family *family = eg_schema_family(r->schema, r->param->family);
    return i < family->member_count ? family->members[i]->name : NULL;
}

static void join_candidates(char *out, const eg_reading *r)
{
    out[0] = '\0';
    const char *name = NULL;
    for (size_t i = 0; (name = eg_reading_candidate(r, i)) != NULL; i++) {
        size_t used = strlen(out);
        (void)snprintf(out + used, EXPECTED_SIZE - used, "%s%s", i == 0 ? "" : ", ", name);
    }
}

static eg_status check_range(const eg_reading *r, double value)
{
    const eg_param *p = r->param;
    if (p->min == p->max) {
        return eg_ok();
    }
    bool low = p->above_min ? value <= p->min : value < p->min;
    if (!low && value <= p->max) {
        return eg_ok();
    }
    char expected[EXPECTED_SIZE] = "";
    char least[EG_NUMBER_TEXT];
    char most[EG_NUMBER_TEXT];
    eg_real_text(least, p->min);
    eg_real_text(most, p->max);
    bool bounded_below = fabs(p->min) < no_bound;
    bool bounded_above = fabs(p->max) < no_bound;
    if (bounded_below) {
        (void)snprintf(expected, sizeof expected, "%s %s", p->above_min ? "above" : "at least",
                       least);
    }
    if (bounded_above) {
        size_t used = strlen(expected);
        (void)snprintf(expected + used, sizeof expected - used, "%sat most %s",
                       bounded_below ? " and " : "", most);
    }
    return eg_reading_refuse(r, expected);
}

static const char many_digits[] = "an integer of at most 18 digits";

eg_status eg_reading_integer(const eg_reading *r, const char *token, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(token, &end, 10);
    if (end != token && *end == '\0' && errno == 0) {
        *out = value;
        return check_range(r, (double)value);
    }
    double real = 0;
    const char *why = NULL;
    char expected[EXPECTED_SIZE];
    if (errno == ERANGE) {
        return eg_reading_refuse(r, many_digits);
    }
    if (eg_real_read(&real, token, &why) && real == floor(real) && fabs(real) < 1e15) {
        (void)snprintf(expected, sizeof expected, "an integer: write %.0f", real);
        return eg_reading_refuse(r, expected);
    }
    return eg_reading_refuse(r, "an integer");
}

eg_status eg_reading_name(const eg_reading *r, const char *token, int64_t *out)
{
    eg_nearest nearest = {0};
    const char *name = NULL;
    for (size_t i = 0; (name = eg_reading_candidate(r, i)) != NULL; i++) {
        if (strcmp(name, token) == 0) {
            *out = (int64_t)i;
            return eg_ok();
        }
        eg_nearest_offer(&nearest, token, name);
    }
    char names[EXPECTED_SIZE];
    char expected[EXPECTED_SIZE + EG_TOKEN_SIZE];
    join_candidates(names, r);
    if (nearest.best != NULL) {
        (void)snprintf(expected, sizeof expected, "one of %s; did you mean %s?", names,
                       nearest.best);
    } else {
        (void)snprintf(expected, sizeof expected, "one of %s", names);
    }
    return eg_reading_refuse(r, expected);
}

static eg_status read_component(const eg_reading *r, const char *token, const eg_component **out)
{
    const eg_family *family = eg_schema_family(r->schema, r->param->family);
    if (family == NULL) {
        return eg_fail(EG_INTERNAL, "%s: the schema has no family '%s'", r->name, r->param->family);
    }
    *out = eg_family_find(family, token);
    if (*out != NULL) {
        return eg_ok();
    }
    eg_nearest nearest = {0};
    char members[EXPECTED_SIZE] = "";
    for (size_t i = 0; i < family->member_count; i++) {
        eg_nearest_offer(&nearest, token, family->members[i]->name);
        if (family->members[i]->alias != NULL) {
            eg_nearest_offer(&nearest, token, family->members[i]->alias);
        }
        size_t used = strlen(members);
        (void)snprintf(members + used, sizeof members - used, "%s%s", i == 0 ? "" : ", ",
                       family->members[i]->name);
    }
    if (nearest.best != NULL) {
        return eg_fail(EG_INVALID, "%s = %.80s: no such %s; did you mean %s?", r->name, r->text,
                       family->name, nearest.best);
    }
    return eg_fail(EG_INVALID, "%s = %.80s: no such %s; known are %s", r->name, r->text,
                   family->name, members);
}

const char *eg_reading_skip(const char *at)
{
    while (isspace((unsigned char)*at)) {
        at++;
    }
    return at;
}

/** Copies the bare word at *at into `token`; false if there is none or it is too long. */
bool eg_reading_token(const char **at, char token[EG_TOKEN_SIZE])
{
    const char *start = eg_reading_skip(*at);
    size_t length = strcspn(start, "[], \t\r\n");
    if (length == 0 || length >= EG_TOKEN_SIZE) {
        return false;
    }
    memcpy(token, start, length);
    token[length] = '\0';
    *at = eg_reading_skip(start + length);
    return true;
}

static eg_status read_text(const eg_reading *r, eg_value *value)
{
    for (const char *p = r->text; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p)) {
            return eg_reading_refuse(r, "one line of text without control characters");
        }
    }
    return eg_strdup(&value->text, r->text);
}

static eg_status read_bool(const eg_reading *r, const char *token, eg_value *value)
{
    static const char *const yes[] = {"True", "TRUE", "yes", "on", "1"};
    static const char *const no[] = {"False", "FALSE", "no", "off", "0"};
    if (strcmp(token, "true") == 0 || strcmp(token, "false") == 0) {
        value->boolean = token[0] == 't';
        value->real = value->boolean ? 1 : 0;
        value->integer = value->boolean ? 1 : 0;
        return eg_strdup(&value->text, token);
    }
    for (size_t i = 0; i < EG_COUNT(yes); i++) {
        if (strcmp(token, yes[i]) == 0) {
            return eg_reading_refuse(r, "true or false: write true");
        }
        if (strcmp(token, no[i]) == 0) {
            return eg_reading_refuse(r, "true or false: write false");
        }
    }
    return eg_reading_refuse(r, "true or false");
}

static eg_status read_number(const eg_reading *r, const char *token, eg_value *value)
{
    char text[EG_NUMBER_TEXT];
    if (r->param->type == EG_TYPE_INT) {
        EG_TRY(eg_reading_integer(r, token, &value->integer));
        value->real = (double)value->integer;
        (void)snprintf(text, sizeof text, "%lld", (long long)value->integer);
        return eg_strdup(&value->text, text);
    }
    const char *why = NULL;
    if (!eg_real_read(&value->real, token, &why)) {
        return eg_reading_refuse(r, why);
    }
    EG_TRY(check_range(r, value->real));
    eg_real_text(text, value->real);
    return eg_strdup(&value->text, text);
}

static eg_status read_scalar(const eg_reading *r, eg_value *value)
{
    static const char *const expected[] = {
        [EG_TYPE_BOOL] = "true or false", [EG_TYPE_INT] = "an integer",
        [EG_TYPE_REAL] = "a number",      [EG_TYPE_NAME] = "one word",
        [EG_TYPE_COMPONENT] = "one word",
    };
    char token[EG_TOKEN_SIZE];
    const char *at = r->text;
    if (!eg_reading_token(&at, token) || *at != '\0') {
        bool digits = strspn(r->text, "+-0123456789") == strlen(r->text);
        bool too_many = r->param->type == EG_TYPE_INT && digits && r->text[0] != '\0';
        return eg_reading_refuse(r, too_many ? many_digits : expected[r->param->type]);
    }
    switch (r->param->type) {
    case EG_TYPE_BOOL:
        return read_bool(r, token, value);
    case EG_TYPE_NAME:
        EG_TRY(eg_reading_name(r, token, &value->integer));
        return eg_strdup(&value->text, token);
    case EG_TYPE_COMPONENT:
        EG_TRY(read_component(r, token, &value->component));
        return eg_strdup(&value->text, value->component->name);
    default:
        return read_number(r, token, value);
    }
}

eg_status eg_value_parse_as(eg_value *out, const char *name, const eg_param *param,
                            const eg_schema *schema, const char *text)
{
    *out = (eg_value){.type = param->type};
    eg_reading r = {.name = name, .param = param, .schema = schema, .text = text};
    eg_status status = eg_ok();
    switch (param->type) {
    case EG_TYPE_TEXT:
        status = read_text(&r, out);
        break;
    case EG_TYPE_INTS:
    case EG_TYPE_NAMES:
    case EG_TYPE_GROUPS:
    case EG_TYPE_COMPONENTS:
    case EG_TYPE_TEXTS:
        status = eg_reading_list(&r, out);
        break;
    default:
        status = read_scalar(&r, out);
        break;
    }
    if (status.code != EG_OK) {
        eg_value_clear(out);
    }
    return status;
}

eg_status eg_value_parse(eg_value *out, const eg_param *param, const eg_schema *schema,
                         const char *text)
{
    return eg_value_parse_as(out, param->name, param, schema, text);
}

void eg_value_clear(eg_value *value)
{
    eg_free(value->items);
    eg_free(value->ends);
    eg_free(value->text);
    *value = (eg_value){.type = value->type};
}
