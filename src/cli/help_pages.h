/** What `--help` prints, in other forms: manual pages and completions of shells, from the same
 *  tables. */
#ifndef CLI_HELP_PAGES_H
#define CLI_HELP_PAGES_H

#include "cli/cli.h"

#include <stdio.h>

/** Texts of the page of all verbs; lines are separated by line breaks. */
typedef struct eg_main_page {
    const char *summary, *synopsis, *description, *options, *environment, *exits, *examples;
} eg_main_page;
extern const eg_main_page eg_main;
/** The option that every verb has. */
extern const eg_option eg_help_option;

/** The manual page engram(1), or engram-VERB(1), in the macros of man(7). */
void eg_print_man(FILE *file, const eg_verb *verb);

/** Shells whose completions can be made. */
typedef enum eg_shell { EG_SHELL_BASH, EG_SHELL_ZSH, EG_SHELL_FISH, EG_SHELL_COUNT } eg_shell;
extern const char *const eg_shell_names[EG_SHELL_COUNT];
/** A script that completes verbs, options and files of the command `engram`. */
void eg_print_completion(FILE *file, eg_shell shell);

#endif
