/** Batch scripts for Slurm: directives, and one command with every argument quoted. */
#include "cli/verbs/slurm.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

eg_status eg_slurm_script_set(eg_slurm_script *script, const char *name, const char *value)
{
    size_t i = 0;
    while (i < script->count && strcmp(script->directives[i].name, name) != 0) {
        i++;
    }
    if (i == EG_DIRECTIVES_MAX) {
        return eg_fail(EG_INVALID, "more than %d options for sbatch", EG_DIRECTIVES_MAX);
    }
    eg_directive *directive = &script->directives[i];
    if (i == script->count) {
        EG_TRY(eg_strdup(&directive->name, name));
        script->count++;
    }
    eg_free(directive->value);
    directive->value = NULL;
    return value == NULL ? eg_ok() : eg_strdup(&directive->value, value);
}

static void write_text(eg_writer *out, const char *text)
{
    eg_write_bytes(out, text, strlen(text));
}

/** For a shell: in single quotes, unless nothing in it means anything to one. */
static void write_word(eg_writer *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        write_text(out, word);
        return;
    }
    write_text(out, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            write_text(out, "'\\''");
        } else {
            eg_write_bytes(out, word, 1);
        }
    }
    write_text(out, "'");
}

/** For sbatch, which takes quotation marks and backslashes out of its directives as a shell
 *  does. */
static void write_value(eg_writer *out, const char *value)
{
    bool plain = value[strcspn(value, " \t\"'\\#")] == '\0';
    write_text(out, plain ? "" : "\"");
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\') {
            write_text(out, "\\");
        }
        eg_write_bytes(out, value, 1);
    }
    write_text(out, plain ? "" : "\"");
}

static void write_directives(eg_writer *out, const eg_slurm_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        const eg_directive *directive = &script->directives[i];
        if (strcmp(directive->name, "--signal") == 0) {
            write_text(out,
                       "# So long before the end the job is told, stops the sweep, and goes back "
                       "into the queue, where it waits\n# for its next turn. Slurm may be a "
                       "minute early.\n");
        }
        write_text(out, "#SBATCH ");
        write_text(out, directive->name);
        if (directive->value != NULL) {
            write_text(out, "=");
            write_value(out, directive->value);
        }
        write_text(out, "\n");
    }
}

eg_status eg_slurm_script_text(char **out, const eg_slurm_script *script)
{
    assert(script->command.count > 0);
    eg_writer text = {0};
    write_text(&text, "#!/bin/sh\n# Written by `engram slurm`; `sbatch` submits it again.\n");
    write_directives(&text, script);
    const char *data = getenv("ENGRAM_DATA");
    if (data != NULL) {
        write_text(&text, "ENGRAM_DATA=");
        write_word(&text, data);
        write_text(&text, "\nexport ENGRAM_DATA\n");
    }
    write_text(&text, "exec");
    for (size_t i = 0; i < script->command.count; i++) {
        write_text(&text, " ");
        write_word(&text, script->command.arguments[i]);
    }
    write_text(&text, "\n");
    eg_write_bytes(&text, "", 1);
    eg_status status = eg_writer_status(&text);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)text.data);
    }
    eg_writer_clear(&text);
    return status;
}

void eg_slurm_script_clear(eg_slurm_script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        eg_free(script->directives[i].name);
        eg_free(script->directives[i].value);
    }
    eg_command_clear(&script->command);
    *script = (eg_slurm_script){0};
}
