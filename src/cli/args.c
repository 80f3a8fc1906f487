/** Options and operands of a verb: getopt_long driven by the verb's own table, with our own
 *  errors. */
#include "cli/cli.h"

#include "engram/params.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_BASE = 256 /* long options count from here, above every letter */, CODE_HELP = 1000 };

typedef struct tables {
    struct option longs[EG_OPTIONS_MAX + 2];
    char shorts[3 * EG_OPTIONS_MAX + 4]; /* "+:h", letters with up to two colons, the end */
} tables;

static tables make_tables(const eg_verb *verb)
{
    assert(verb->option_count <= EG_OPTIONS_MAX);
    tables out;
    memset(&out, 0, sizeof out);
    size_t at = 0;
    if (verb->options_first) {
        out.shorts[at++] = '+';
    }
    out.shorts[at++] = ':'; /* a missing value is reported apart from an unknown option */
    out.shorts[at++] = 'h';
    for (size_t i = 0; i < verb->option_count; i++) {
        const eg_option *option = &verb->options[i];
        int kind = no_argument;
        if (option->value != NULL) {
            kind = option->optional ? optional_argument : required_argument;
        }
        out.longs[i] =
            (struct option){.name = option->name, .has_arg = kind, .val = CODE_BASE + (int)i};
        if (option->letter != '\0') {
            out.shorts[at++] = option->letter;
            for (int colons = 0; colons < kind; colons++) {
                out.shorts[at++] = ':'; /* one: needs a value; two: may have one */
            }
        }
    }
    out.longs[verb->option_count] = (struct option){.name = "help", .val = CODE_HELP};
    return out;
}

/** The option that getopt's code stands for; the table always has it. */
static size_t option_of(const eg_verb *verb, int code)
{
    if (code >= CODE_BASE) {
        return (size_t)(code - CODE_BASE);
    }
    size_t i = 0;
    while (verb->options[i].letter != code) {
        i++;
    }
    return i;
}

static eg_status unknown_option(const eg_verb *verb, const char *word)
{
    if (strncmp(word, "--", 2) != 0) {
        return eg_fail(EG_INVALID, "%s: unknown option %s; see `engram %s --help`", verb->name,
                       word, verb->name);
    }
    char name[64];
    (void)snprintf(name, sizeof name, "%s", word + 2);
    char *equals = strchr(name, '=');
    if (equals != NULL) {
        *equals = '\0';
        for (size_t i = 0; i < verb->option_count; i++) {
            if (strcmp(verb->options[i].name, name) == 0) {
                return eg_fail(EG_INVALID, "%s: option --%s takes no value", verb->name, name);
            }
        }
    }
    eg_nearest nearest = {0};
    eg_nearest_offer(&nearest, name, "help");
    for (size_t i = 0; i < verb->option_count; i++) {
        eg_nearest_offer(&nearest, name, verb->options[i].name);
    }
    if (nearest.best != NULL) {
        return eg_fail(EG_INVALID, "%s: unknown option --%s; did you mean --%s?", verb->name, name,
                       nearest.best);
    }
    return eg_fail(EG_INVALID, "%s: unknown option --%s; see `engram %s --help`", verb->name, name,
                   verb->name);
}

/** --name=value of a name that the verb does not have. */
static bool is_extra(const eg_args *args, const eg_verb *verb, const char *word)
{
    return verb->extra && args->extra_count < EG_EXTRA_MAX && strncmp(word, "--", 2) == 0 &&
           word[2] != '=' && strchr(word, '=') != NULL;
}

static eg_status check_operands(const eg_args *args, const eg_verb *verb)
{
    if (args->help) {
        return eg_ok();
    }
    if (args->operand_count < verb->operands_min) {
        return eg_fail(EG_INVALID, "%s: %s; usage: engram %s %s", verb->name, verb->needs,
                       verb->name, verb->synopsis);
    }
    if (args->operand_count > verb->operands_max) {
        return eg_fail(EG_INVALID, "%s: unexpected word \"%s\"; usage: engram %s %s", verb->name,
                       args->operands[verb->operands_max], verb->name, verb->synopsis);
    }
    return eg_ok();
}

eg_status eg_args_parse(eg_args *out, const eg_verb *verb, int argc, char **argv)
{
    memset(out, 0, sizeof *out);
    tables table = make_tables(verb);
    opterr = 0;
    optind = 0; /* GNU: start afresh, whatever was parsed before */
    int code = 0;
    while ((code = getopt_long(argc, argv, table.shorts, table.longs, NULL)) != -1) {
        if (code == CODE_HELP || code == 'h') {
            out->help = true;
        } else if (code == ':') {
            return eg_fail(EG_INVALID, "%s: option %s needs a value", verb->name, argv[optind - 1]);
        } else if (code == '?') {
            /* A letter inside a cluster leaves optind on the cluster; optopt has the letter. */
            char letter[3] = {'-', (char)optopt, '\0'};
            bool is_letter = optopt != 0 && optopt < CODE_BASE;
            if (is_extra(out, verb, argv[optind - 1]) && !is_letter) {
                out->extra[out->extra_count++] = argv[optind - 1];
                continue;
            }
            return unknown_option(verb, is_letter ? letter : argv[optind - 1]);
        } else {
            out->option[option_of(verb, code)] = optarg == NULL ? "" : optarg;
        }
    }
    out->operands = argv + optind;
    out->operand_count = (size_t)(argc - optind);
    return check_operands(out, verb);
}

eg_status eg_args_count(size_t *out, const char *option, const char *value, size_t min)
{
    char *end = NULL;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9';
    if (!digits || *end != '\0' || errno != 0 || number < min || number > 1000000000UL) {
        return eg_fail(EG_INVALID, "%s %s: must be a whole number of at least %zu", option, value,
                       min);
    }
    *out = number;
    return eg_ok();
}

eg_status eg_args_choice(size_t *out, const char *option, const char *value,
                         const char *const *choices, size_t count)
{
    char list[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(choices[i], value) == 0) {
            *out = i;
            return eg_ok();
        }
        int added =
            snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ", choices[i]);
        used += (size_t)added;
        assert(used < sizeof list);
    }
    return eg_fail(EG_INVALID, "%s %s: must be one of %s", option, value, list);
}
