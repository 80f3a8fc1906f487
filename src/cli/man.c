/** Manual pages; see cli/help_pages.h. */
#include "cli/help_pages.h"

#include "engram/build.h"

#include <ctype.h>
#include <string.h>

/** Text [size] that roff takes for nothing else. Backquotes around commands become bold. */
static void put_text(FILE *file, const char *text, size_t size)
{
    bool bold = false;
    for (size_t i = 0; i < size; i++) {
        bool begins = i == 0 || text[i - 1] == '\n';
        switch (text[i]) {
        case '\\':
            (void)fputs("\\e", file);
            break;
        case '-':
            (void)fputs("\\-", file);
            break;
        case '`':
            bold = !bold;
            (void)fputs(bold ? "\\fB" : "\\fR", file);
            break;
        default:
            (void)fputs(begins && strchr(".'", text[i]) != NULL ? "\\&" : "", file);
            (void)fputc(text[i], file);
        }
    }
}

static void section(FILE *file, const char *title)
{
    (void)fprintf(file, ".SH \"%s\"\n", title);
}

/** Paragraphs separated by an empty line. */
static void put_paragraphs(FILE *file, const char *text)
{
    const char *at = text;
    while (*at != '\0') {
        const char *end = strstr(at, "\n\n");
        size_t size = end == NULL ? strlen(at) : (size_t)(end - at);
        put_text(file, at, size);
        (void)fputs(end == NULL ? "\n" : "\n.PP\n", file);
        at += size + (end == NULL ? 0 : 2);
    }
}

/** Lines that stay as they are. */
static void put_lines(FILE *file, const char *text)
{
    (void)fputs(".nf\n", file);
    put_text(file, text, strlen(text));
    (void)fputs("\n.fi\n", file);
}

static void put_option(FILE *file, const eg_option *option)
{
    (void)fputs(".TP\n", file);
    if (option->letter != '\0') {
        (void)fprintf(file, "\\fB\\-%c\\fR, ", option->letter);
    }
    (void)fputs("\\fB\\-\\-", file);
    put_text(file, option->name, strlen(option->name));
    (void)fputs("\\fR", file);
    if (option->value != NULL) {
        (void)fputs(option->optional ? "[=" : " ", file);
        (void)fprintf(file, "\\fI%s\\fR%s", option->value, option->optional ? "]" : "");
    }
    (void)fputc('\n', file);
    put_paragraphs(file, option->doc);
}

static void put_title(FILE *file, const eg_verb *verb, const char *summary)
{
    char name[64];
    (void)snprintf(name, sizeof name, "engram%s%s", verb == NULL ? "" : "-",
                   verb == NULL ? "" : verb->name);
    (void)fputs(".TH ", file);
    for (const char *at = name; *at != '\0'; at++) {
        (void)fputc(toupper((unsigned char)*at), file);
    }
    (void)fprintf(file, " 1 \"\" \"engram %s\" \"User Commands\"\n", eg_build_info()->version);
    section(file, "NAME");
    put_text(file, name, strlen(name));
    (void)fputs(" \\- ", file);
    put_text(file, summary, strlen(summary));
    (void)fputc('\n', file);
}

static void put_verb(FILE *file, const eg_verb *verb)
{
    put_title(file, verb, verb->summary);
    section(file, "SYNOPSIS");
    (void)fprintf(file, "\\fBengram %s\\fR ", verb->name);
    put_text(file, verb->synopsis, strlen(verb->synopsis));
    (void)fputc('\n', file);
    section(file, "DESCRIPTION");
    put_paragraphs(file, verb->description);
    section(file, "OPTIONS");
    for (size_t i = 0; i < verb->option_count; i++) {
        put_option(file, &verb->options[i]);
    }
    put_option(file, &eg_help_option);
    section(file, "EXIT STATUS");
    put_lines(file, verb->exits);
    section(file, "EXAMPLES");
    put_lines(file, verb->examples);
    section(file, "SEE ALSO");
    (void)fputs(".BR engram (1)\n", file);
}

static void put_main(FILE *file)
{
    put_title(file, NULL, eg_main.summary);
    section(file, "SYNOPSIS");
    put_lines(file, eg_main.synopsis);
    section(file, "DESCRIPTION");
    put_paragraphs(file, eg_main.description);
    section(file, "VERBS");
    for (size_t i = 0; i < eg_verb_count; i++) {
        (void)fputs(".TP\n.BR engram\\-", file);
        put_text(file, eg_verbs[i]->name, strlen(eg_verbs[i]->name));
        (void)fputs(" (1)\n", file);
        put_paragraphs(file, eg_verbs[i]->summary);
    }
    section(file, "OPTIONS");
    put_lines(file, eg_main.options);
    section(file, "ENVIRONMENT");
    put_lines(file, eg_main.environment);
    section(file, "EXIT STATUS");
    put_lines(file, eg_main.exits);
    section(file, "EXAMPLES");
    put_lines(file, eg_main.examples);
}

void eg_print_man(FILE *file, const eg_verb *verb)
{
    if (verb == NULL) {
        put_main(file);
    } else {
        put_verb(file, verb);
    }
}
