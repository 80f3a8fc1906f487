/** Tables of text for papers; see cli/report/table.h. */
#include "cli/report/table.h"

#include <assert.h>
#include <string.h>

/** What stands for a text that LaTeX would not print as it is; the longest first. */
static const struct {
    const char *text, *latex;
} escapes[] = {
    {"\\", "\\textbackslash{}"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"$", "\\$"},
    {"&", "\\&"},
    {"%", "\\%"},
    {"#", "\\#"},
    {"_", "\\_"},
    {"^", "\\textasciicircum{}"},
    {"~", "\\textasciitilde{}"},
    {"<", "\\textless{}"},
    {">", "\\textgreater{}"},
    {"|", "\\textbar{}"},
    {"+/-", "$\\pm$"}, /* of terminals without UTF-8 */
    {"±", "$\\pm$"},
};

static size_t put_escape(const char *at, FILE *file)
{
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        size_t length = strlen(escapes[i].text);
        if (strncmp(at, escapes[i].text, length) == 0) {
            (void)fputs(escapes[i].latex, file);
            return length;
        }
    }
    return 0;
}

/** Control characters, which names in a file may hold, are left out. A number's sign is a minus. */
static void put_text(const char *text, FILE *file)
{
    bool number = text[0] == '-' && text[1] >= '0' && text[1] <= '9';
    if (number) {
        (void)fputs("$-$", file);
    }
    for (const char *at = text + (number ? 1 : 0); *at != '\0';) {
        size_t length = put_escape(at, file);
        if (length == 0 && (unsigned char)*at >= ' ' && *at != 127) {
            (void)fputc(*at, file);
        }
        at += length == 0 ? 1 : length;
    }
}

void eg_table_print_latex(const eg_table *table, const char *caption, FILE *file)
{
    assert(table->count % table->columns == 0);
    (void)fputs("% \\usepackage{booktabs}\n\\begin{table}\n  \\centering\n  \\caption{", file);
    put_text(caption, file);
    (void)fputs("}\n  \\begin{tabular}{", file);
    for (size_t c = 0; c < table->columns; c++) {
        (void)fputc(eg_table_goes_right(table, c) ? 'r' : 'l', file);
    }
    (void)fputs("}\n    \\toprule\n", file);
    for (size_t i = 0; i < table->count; i++) {
        bool last = (i + 1) % table->columns == 0;
        (void)fputs(i % table->columns == 0 ? "    " : " & ", file);
        put_text(table->cells[i], file);
        (void)fputs(last ? " \\\\\n" : "", file);
        (void)fputs(i + 1 == table->columns ? "    \\midrule\n" : "", file);
    }
    (void)fputs("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n", file);
}
