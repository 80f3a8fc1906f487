/** engram completion: what a shell needs to complete the command, from the tables of --help. */
#include "cli/cli.h"

#include "cli/help_pages.h"

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    size_t shell = 0;
    EG_TRY(eg_args_choice(&shell, "SHELL", args->operands[0], eg_shell_names, EG_SHELL_COUNT));
    eg_print_completion(stdout, (eg_shell)shell);
    return eg_ok();
}

const eg_verb eg_verb_completion = {
    .name = "completion",
    .summary = "completion of verbs, options and files for bash, zsh or fish",
    .synopsis = "bash|zsh|fish",
    .description = "Prints a script that makes the shell complete the verbs, options and files of "
                   "engram. An installation puts it where the shell looks.",
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs the name of a shell: bash, zsh or fish",
    .examples = "source <(engram completion bash)\n"
                "engram completion fish >~/.config/fish/completions/engram.fish",
    .exits = "0   done\n"
             "2   there is no such shell",
    .run = run,
};
