/** engram man: manual pages, from the tables of --help. */
#include "cli/cli.h"

#include "cli/help_pages.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ALL };

static const eg_option options[] = {
    [ALL] = {.name = "all",
             .value = "DIR",
             .doc = "Writes all pages into this directory, as engram.1, engram-run.1 and so on."},
};

static eg_status write_page(const char *directory, const eg_verb *verb)
{
    char *path = NULL;
    EG_TRY(eg_format(&path, "%s/engram%s%s.1", directory, verb == NULL ? "" : "-",
                     verb == NULL ? "" : verb->name));
    FILE *file = fopen(path, "w");
    bool written = file != NULL;
    if (written) {
        eg_print_man(file, verb);
        written = ferror(file) == 0;
        written = fclose(file) == 0 && written;
    }
    eg_status status =
        written ? eg_ok() : eg_fail(EG_INVALID, "%s: cannot be written: %s", path, strerror(errno));
    eg_free(path);
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    if (args->option[ALL] != NULL) {
        EG_TRY(write_page(args->option[ALL], NULL));
        for (size_t i = 0; i < eg_verb_count; i++) {
            EG_TRY(write_page(args->option[ALL], eg_verbs[i]));
        }
        return eg_ok();
    }
    const eg_verb *verb = NULL;
    if (args->operand_count > 0) {
        EG_TRY(eg_verb_find(&verb, args->operands[0]));
    }
    eg_print_man(stdout, verb);
    return eg_ok();
}

const eg_verb eg_verb_man = {
    .name = "man",
    .summary = "manual pages, from the tables that --help is made from",
    .synopsis = "[VERB] [--all DIR]",
    .description =
        "Prints the manual page of engram, or of VERB, for `man -l`. An installation has "
        "all of them: `man engram`, `man engram-run`.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_max = 1,
    .examples = "engram man run | man -l -\n"
                "engram man --all ~/.local/share/man/man1",
    .exits = "0   done\n"
             "2   there is no such verb, or a page cannot be written",
    .run = run,
};
