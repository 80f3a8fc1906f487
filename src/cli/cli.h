/** The command line: one verb per file, one table of verbs, one place that prints errors. */
#ifndef ENGRAM_CLI_H
#define ENGRAM_CLI_H

#include "engram/sched.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

/** The whole program; returns the exit code. */
int eg_cli_main(int argc, char **argv);

/** Exit codes. */
enum {
    EG_EXIT_DONE = 0,
    EG_EXIT_INTERNAL = 1,
    EG_EXIT_USAGE = 2,
    EG_EXIT_FAILED_TRIALS = 3,
    EG_EXIT_SYSTEM = 4,
    EG_EXIT_STOPPED = 75,
};

/** The exit code a failure means. */
int eg_exit_code(const eg_status *status);

/** One option of a verb. Verbs refer to their options by their place in the table. */
typedef struct eg_option {
    const char *name;  /**< long name, without dashes */
    char letter;       /**< short name; 0: none */
    const char *value; /**< what the value is called in help; NULL: a flag */
    bool optional;     /**< the value may be left out (then it is written --name=value) */
    const char *doc;   /**< one or more sentences for the help page */
} eg_option;

enum { EG_OPTIONS_MAX = 24, EG_EXTRA_MAX = 32 };

/** The option `--plugin FILE` of verbs that read no sweep file, and loading what it names (NULL:
 *  nothing). */
#define EG_PLUGIN_OPTION                                                                           \
    {                                                                                              \
        .name = "plugin", .value = "FILE",                                                         \
        .doc = "Loads a plug-in (docs/plugins.md), whose components then have names like others; " \
               "several with commas between them."                                                 \
    }

/** The arguments of a verb. */
typedef struct eg_args {
    const char *option[EG_OPTIONS_MAX]; /**< value as given, "" for a flag; NULL: not given */
    char **operands;                    /**< what is not an option; borrowed */
    size_t operand_count;
    char *
        extra[EG_EXTRA_MAX]; /**< "--name=value" of options that are not the verb's own; borrowed */
    size_t extra_count;
    bool help; /**< --help was among the options */
} eg_args;

/** What a verb knows besides its arguments. */
typedef struct eg_cli {
    eg_world *world;
    const char *command; /**< the whole command line, as typed */
    bool scheduled;      /**< the verb ran the scheduler, which sends the other ranks home itself */
} eg_cli;

typedef struct eg_verb {
    const char *name;
    const char *summary;     /**< for the list of verbs */
    const char *synopsis;    /**< arguments after the verb */
    const char *description; /**< paragraphs of the help page */
    const eg_option *options;
    size_t option_count;
    bool options_first; /**< options end at the first operand; all after it are operands */
    bool extra;         /**< any other --name=value is accepted, too: eg_args.extra */
    size_t operands_min, operands_max;
    const char *needs;    /**< what to say when there are too few operands */
    const char *examples; /**< lines of the help page */
    const char *exits;    /**< lines of the help page */
    /** *code is the exit code when the status is EG_OK (0 before). */
    eg_status (*run)(eg_cli *cli, const eg_args *args, int *code);
} eg_verb;

/** All verbs, in the order in which they are listed. */
extern const eg_verb *const eg_verbs[];
extern const size_t eg_verb_count;

/** Sorts the arguments of a verb into options and operands. Errors: EG_INVALID with the offending
 *  argument and the nearest valid option. Permutes argv. */
eg_status eg_args_parse(eg_args *out, const eg_verb *verb, int argc, char **argv) EG_WARN_UNUSED;

/** A whole number of at least `min` from the value of an option. */
eg_status eg_args_count(size_t *out, const char *option, const char *value,
                        size_t min) EG_WARN_UNUSED;

eg_status eg_plugin_option_load(const char *value) EG_WARN_UNUSED;

/** The place of `value` among `count` choices. Errors: EG_INVALID listing them. */
eg_status eg_args_choice(size_t *out, const char *option, const char *value,
                         const char *const *choices, size_t count) EG_WARN_UNUSED;

/** The verb of this name. Errors: EG_INVALID with the nearest one. */
eg_status eg_verb_find(const eg_verb **out, const char *name) EG_WARN_UNUSED;

/** Help: the page of one verb, the list of verbs, two lines for somebody who typed nothing. */
void eg_help_verb(const eg_verb *verb);
void eg_help_all(void);
void eg_help_usage(void);

#endif
