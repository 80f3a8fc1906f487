/** Completions of shells; see cli/help_pages.h. */
#include "cli/help_pages.h"

#include <string.h>

const char *const eg_shell_names[EG_SHELL_COUNT] = {"bash", "zsh", "fish"};

/** The first sentence of a text, without the stop, for a word in single quotes: what such a word
 *  cannot hold is left out. */
static void put_sentence(FILE *file, const char *text)
{
    const char *stop = strstr(text, ". ");
    size_t size = stop == NULL ? strlen(text) : (size_t)(stop - text);
    size -= stop == NULL && size > 0 && text[size - 1] == '.' ? 1 : 0;
    for (size_t i = 0; i < size; i++) {
        if (strchr("'`[]:\\\n", text[i]) == NULL) {
            (void)fputc(text[i], file);
        }
    }
}

/** Calls `put` for every option of a verb, the one that all have included. */
static void each_option(FILE *file, const eg_verb *verb,
                        void (*put)(FILE *, const eg_verb *, const eg_option *))
{
    for (size_t i = 0; i < verb->option_count; i++) {
        put(file, verb, &verb->options[i]);
    }
    put(file, verb, &eg_help_option);
}

/** --- bash ------------------------------------------------------------------------------------ */

static void put_bash_option(FILE *file, const eg_verb *verb, const eg_option *option)
{
    (void)verb;
    (void)fprintf(file, "--%s%s ", option->name, option->optional ? "=" : "");
    if (option->letter != '\0') {
        (void)fprintf(file, "-%c ", option->letter);
    }
}

static void print_bash(FILE *file)
{
    (void)fputs(
        "# Completion of engram for bash: source it, or put it where bash-completion looks.\n"
        "_engram() {\n"
        "    local i words= verb= current=${COMP_WORDS[COMP_CWORD]}\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case ${COMP_WORDS[i]} in\n"
        "        -*) ;;\n"
        "        *) verb=${COMP_WORDS[i]} && break ;;\n"
        "        esac\n"
        "    done\n"
        "    case $verb in\n"
        "    '' | help) words='--help --version help",
        file);
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fprintf(file, " %s", eg_verbs[i]->name);
    }
    (void)fputs("' ;;\n", file);
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fprintf(file, "    %s) words='", eg_verbs[i]->name);
        each_option(file, eg_verbs[i], put_bash_option);
        (void)fputs("' ;;\n", file);
    }
    (void)fputs("    esac\n"
                "    COMPREPLY=()\n"
                "    if [[ -z $verb || $verb = help || $current = -* ]]; then\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                "    fi\n"
                "}\n"
                "complete -o bashdefault -o default -F _engram engram\n",
                file);
}

/** --- zsh ------------------------------------------------------------------------------------- */

/** What follows the name of an option. */
static void put_zsh_description(FILE *file, const eg_option *option)
{
    (void)fputc('[', file);
    put_sentence(file, option->doc);
    (void)fprintf(file, "]%s'", option->value == NULL ? "" : ":value:_files");
}

static void put_zsh_option(FILE *file, const eg_verb *verb, const eg_option *option)
{
    (void)verb;
    if (option->letter != '\0') {
        (void)fprintf(file, " '-%c", option->letter);
        put_zsh_description(file, option);
    }
    (void)fprintf(file, " '--%s%s", option->name, option->value == NULL ? "" : "=");
    put_zsh_description(file, option);
}

static void print_zsh(FILE *file)
{
    (void)fputs("#compdef engram\n"
                "# Completion of engram for zsh: put it into a folder of $fpath.\n"
                "_engram() {\n"
                "    local -a verbs=(\n"
                "        'help:the page of a verb'\n",
                file);
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fprintf(file, "        '%s:", eg_verbs[i]->name);
        put_sentence(file, eg_verbs[i]->summary);
        (void)fputs("'\n", file);
    }
    (void)fputs("    )\n"
                "    if ((CURRENT == 2)) || { ((CURRENT == 3)) && [[ $words[2] = help ]]; }; then\n"
                "        _describe verb verbs\n"
                "        return\n"
                "    fi\n"
                "    local verb=$words[2]\n"
                "    shift words\n"
                "    ((CURRENT--))\n"
                "    case $verb in\n",
                file);
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fprintf(file, "    %s) _arguments", eg_verbs[i]->name);
        each_option(file, eg_verbs[i], put_zsh_option);
        (void)fputs(" '*:file:_files' ;;\n", file);
    }
    (void)fputs("    esac\n"
                "}\n"
                "_engram \"$@\"\n",
                file);
}

/** --- fish ------------------------------------------------------------------------------------ */

static void put_fish_option(FILE *file, const eg_verb *verb, const eg_option *option)
{
    (void)fprintf(file, "complete -c engram -n '__fish_seen_subcommand_from %s' -l %s", verb->name,
                  option->name);
    if (option->letter != '\0') {
        (void)fprintf(file, " -s %c", option->letter);
    }
    (void)fprintf(file, "%s -d '", option->value != NULL && !option->optional ? " -r" : "");
    put_sentence(file, option->doc);
    (void)fputs("'\n", file);
}

static void print_fish(FILE *file)
{
    (void)fputs("# Completion of engram for fish: put it into ~/.config/fish/completions.\n", file);
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fprintf(file, "complete -c engram -n __fish_use_subcommand -f -a %s -d '",
                      eg_verbs[i]->name);
        put_sentence(file, eg_verbs[i]->summary);
        (void)fputs("'\n", file);
    }
    for (size_t i = 0; i < eg_verb_count; i++) {
        each_option(file, eg_verbs[i], put_fish_option);
    }
}

void eg_print_completion(FILE *file, eg_shell shell)
{
    static void (*const print[EG_SHELL_COUNT])(FILE *) = {print_bash, print_zsh, print_fish};
    print[shell](file);
}
