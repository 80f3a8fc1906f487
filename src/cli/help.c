/** Help pages, made from the table of verbs. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/help_pages.h"

#include <stdio.h>
#include <string.h>

static void heading(const char *title)
{
    (void)printf("\n%s\n", title);
}

const eg_option eg_help_option = {.name = "help", .letter = 'h', .doc = "Shows this page."};

static void print_option(const eg_option *option)
{
    char left[96];
    int used = 0;
    if (option->letter != '\0') {
        used = snprintf(left, sizeof left, "-%c, ", option->letter);
    }
    const char *open = option->optional ? "[=" : " ";
    const char *close = option->optional ? "]" : "";
    if (option->value == NULL) {
        (void)snprintf(left + used, sizeof left - (size_t)used, "--%s", option->name);
    } else {
        (void)snprintf(left + used, sizeof left - (size_t)used, "--%s%s%s%s", option->name, open,
                       option->value, close);
    }
    (void)printf("  %s\n", left);
    eg_print_wrapped(stdout, option->doc, 8);
}

/** Lines of `text`, each indented by two spaces. */
static void print_lines(const char *text)
{
    const char *at = text;
    while (*at != '\0') {
        const char *end = strchr(at, '\n');
        size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
        (void)printf("  %.*s\n", (int)length, at);
        at += length + (end == NULL ? 0 : 1);
    }
}

void eg_help_verb(const eg_verb *verb)
{
    (void)printf("engram %s - %s\n", verb->name, verb->summary);
    heading("SYNOPSIS");
    (void)printf("  engram %s %s\n", verb->name, verb->synopsis);
    heading("DESCRIPTION");
    eg_print_wrapped(stdout, verb->description, 2);
    heading("OPTIONS");
    for (size_t i = 0; i < verb->option_count; i++) {
        print_option(&verb->options[i]);
    }
    print_option(&eg_help_option);
    heading("EXAMPLES");
    print_lines(verb->examples);
    heading("EXIT CODES");
    print_lines(verb->exits);
}

const eg_main_page eg_main = {
    .summary = "hyper-parameter sweeps of continual-learning experiments",
    .synopsis = "engram VERB [option …] [word …]\n"
                "mpirun -np N engram run SWEEP",
    .description =
        "A sweep file says which settings and seeds to try; `engram run` trains them all, on one "
        "core or on any number of MPI ranks, and keeps everything in one HDF5 file. The same "
        "command again goes on where the last one ended. All other verbs look at components "
        "before a sweep, or at its results: while it runs and afterwards.",
    .options = "-h, --help      this page; `engram VERB --help` has a page for each verb\n"
               "-V, --version   version, build and linear-algebra library",
    .environment =
        "ENGRAM_DATA     directory that holds the datasets, one folder each; else ./data",
    .exits = "0   done\n"
             "1   a mistake inside engram\n"
             "2   usage or bad input; nothing was started\n"
             "3   finished, but some trials failed or timed out, or max_failures of them\n"
             "4   the system failed (disk full, too many workers lost); the same command goes on\n"
             "75  stopped early by a signal; the same command goes on",
    .examples = "engram plan sweeps/quickstart.yaml\n"
                "mpirun -np 4 engram run sweeps/quickstart.yaml\n"
                "engram top results/quickstart.h5",
};

void eg_help_all(void)
{
    (void)printf("engram - %s\n", eg_main.summary);
    heading("SYNOPSIS");
    print_lines(eg_main.synopsis);
    heading("DESCRIPTION");
    eg_print_wrapped(stdout, eg_main.description, 2);
    heading("VERBS");
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)printf("  %-10s %s\n", eg_verbs[i]->name, eg_verbs[i]->summary);
    }
    heading("OPTIONS");
    print_lines(eg_main.options);
    heading("ENVIRONMENT");
    print_lines(eg_main.environment);
    heading("EXIT CODES");
    print_lines(eg_main.exits);
    heading("EXAMPLES");
    print_lines(eg_main.examples);
}

void eg_help_usage(void)
{
    (void)fprintf(stderr, "usage: engram VERB [option …] [word …]\nverbs:");
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fprintf(stderr, " %s", eg_verbs[i]->name);
    }
    (void)fprintf(stderr, "\n`engram --help` explains them.\n");
}
