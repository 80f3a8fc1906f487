/** Parts of the command by themselves: options, numbers as text, rows of CSV and JSON. */
#include "testing.h"

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/report/export_rows.h"
#include "cli/report/table.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** --- Options ----------------------------------------------------------------------------------- */

enum { OUTPUT, FORCE, WATCH };

static const eg_option options[] = {
    [OUTPUT] = {.name = "output", .letter = 'o', .value = "FILE", .doc = ""},
    [FORCE] = {.name = "force", .letter = 'f', .doc = ""},
    [WATCH] = {.name = "watch", .letter = 'w', .value = "S", .optional = true, .doc = ""},
};

static const eg_verb verb = {
    .name = "test",
    .synopsis = "FILE",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = 2,
    .needs = "needs a file",
};

/** Parses "test WORDS" split at spaces. */
static eg_status parse(eg_args *out, const char *words)
{
    static char text[200];
    static char *argv[20];
    int argc = 0;
    (void)snprintf(text, sizeof text, "test %s", words);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    return eg_args_parse(out, &verb, argc, argv);
}

static void options_may_stand_anywhere(void **state)
{
    (void)state;
    static const char *const same[] = {"-o x.h5 a -f b", "a b --force --output=x.h5",
                                       "--output x.h5 a b -f", "-fo x.h5 a b"};
    for (size_t i = 0; i < EG_COUNT(same); i++) {
        eg_args args;
        assert_ok(parse(&args, same[i]));
        assert_string_equal(args.option[OUTPUT], "x.h5");
        assert_string_equal(args.option[FORCE], "");
        assert_null(args.option[WATCH]);
        assert_int_equal(args.operand_count, 2);
        assert_string_equal(args.operands[0], "a");
        assert_string_equal(args.operands[1], "b");
    }
    eg_args args;
    assert_ok(parse(&args, "a --watch=3"));
    assert_string_equal(args.option[WATCH], "3");
    assert_ok(parse(&args, "a -w"));
    assert_string_equal(args.option[WATCH], "");
    assert_int_equal(args.operand_count, 1);
}

static void wrong_options_are_named(void **state)
{
    (void)state;
    eg_args args;
    assert_fails(parse(&args, "a --outptu x"), EG_INVALID, "--outptu; did you mean --output?");
    assert_fails(parse(&args, "a --zzzzzz"), EG_INVALID, "unknown option --zzzzzz; see");
    assert_fails(parse(&args, "a -x"), EG_INVALID, "unknown option -x");
    assert_fails(parse(&args, "a -fx"), EG_INVALID, "unknown option -x");
    assert_fails(parse(&args, "a --force=1"), EG_INVALID, "--force takes no value");
    assert_fails(parse(&args, "a -o"), EG_INVALID, "needs a value");
    assert_fails(parse(&args, "-f"), EG_INVALID, "needs a file");
    assert_fails(parse(&args, "a b c"), EG_INVALID, "unexpected word \"c\"");
    assert_ok(parse(&args, "--help")); /* help needs no file */
    assert_true(args.help);
}

static void option_values_are_checked(void **state)
{
    (void)state;
    static const char *const choices[] = {"one", "two"};
    size_t value = 0;
    assert_ok(eg_args_count(&value, "-n", "12", 1));
    assert_int_equal(value, 12);
    static const char *const bad[] = {"0", "-1", "x", "", "1x", "99999999999999999999", " 1"};
    for (size_t i = 0; i < EG_COUNT(bad); i++) {
        assert_fails(eg_args_count(&value, "-n", bad[i], 1), EG_INVALID, "whole number");
    }
    assert_ok(eg_args_choice(&value, "--x", "two", choices, 2));
    assert_int_equal(value, 1);
    assert_fails(eg_args_choice(&value, "--x", "three", choices, 2), EG_INVALID,
                 "--x three: must be one of one, two");
}

/** --- Text -------------------------------------------------------------------------------------- */

static void numbers_are_as_short_as_they_can_be(void **state)
{
    (void)state;
    assert_string_equal(eg_number(0.1, true).text, "0.1");
    assert_string_equal(eg_number((double)0.1F, false).text, "0.1");
    assert_string_equal(eg_number((double)0.1F, true).text, "0.10000000149011612");
    assert_string_equal(eg_number(1.0 / 3, true).text, "0.3333333333333333");
    assert_string_equal(eg_number(1e9, true).text, "1000000000");
    assert_string_equal(eg_number((double)NAN, true).text, "");
    assert_string_equal(eg_number((double)INFINITY, false).text, "");
    for (size_t i = 1; i < 1000; i++) {
        double value = sqrt((double)i) * pow(10, (double)(i % 40) - 20);
        assert_true(strtod(eg_number(value, true).text, NULL) == value);
        float narrow = (float)value;
        assert_true((float)strtod(eg_number((double)narrow, false).text, NULL) == narrow);
    }
}

static void durations_have_two_digits_and_a_unit(void **state)
{
    (void)state;
    assert_string_equal(eg_duration(0.25).text, "0.2 s");
    assert_string_equal(eg_duration(45).text, "45 s");
    assert_string_equal(eg_duration(600).text, "10 min");
    assert_string_equal(eg_duration(4.5 * 3600).text, "4.5 h");
    assert_string_equal(eg_duration(3 * 86400).text, "3.0 d");
    assert_string_equal(eg_duration((double)NAN).text, "?");
}

static void command_lines_are_quoted(void **state)
{
    (void)state;
    char words[3][20] = {"engram", "a=[1, 2]", "b=3"};
    char *argv[] = {words[0], words[1], words[2]};
    char *line = NULL;
    assert_ok(eg_command_line(&line, 3, argv));
    assert_string_equal(line, "engram 'a=[1, 2]' b=3");
    eg_free(line);
}

/** --- Rows -------------------------------------------------------------------------------------- */

static void write_rows(FILE *file, bool json)
{
    static const char *const names[] = {"text", "count", "real", "list", "none"};
    eg_rows rows;
    eg_rows_init(&rows, file, json);
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        assert_ok(eg_rows_name(&rows, names[i]));
    }
    eg_rows_head(&rows);
    for (uint64_t row = 0; row < 2; row++) {
        eg_rows_text(&rows, row == 0 ? "plain" : "a \"b\",\nc");
        eg_rows_integer(&rows, row == 0 ? 7 : UINT64_MAX);
        eg_rows_real(&rows, row == 0 ? (double)0.1F : (double)NAN, false);
        eg_rows_setting(&rows, EG_TYPE_INTS, row == 0 ? "[1, 2]" : NULL);
        eg_rows_text(&rows, NULL);
        eg_rows_end_row(&rows);
    }
    eg_rows_foot(&rows);
    eg_rows_clear(&rows);
}

static void read_back(bool json, char *text, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    write_rows(file, json);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
}

static void rows_of_csv_follow_rfc_4180(void **state)
{
    (void)state;
    char text[400];
    read_back(false, text, sizeof text);
    assert_string_equal(text, "text,count,real,list,none\r\n"
                              "plain,7,0.1,\"[1, 2]\",\r\n"
                              "\"a \"\"b\"\",\nc\",18446744073709551615,,,\r\n");
}

static void rows_of_json_have_types(void **state)
{
    (void)state;
    char text[400];
    read_back(true, text, sizeof text);
    json_t *list = json_loads(text, 0, NULL);
    assert_non_null(list);
    assert_int_equal(json_array_size(list), 2);
    json_t *first = json_array_get(list, 0);
    json_t *second = json_array_get(list, 1);
    assert_int_equal(json_integer_value(json_object_get(first, "count")), 7);
    assert_true(json_real_value(json_object_get(first, "real")) == 0.1);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "list"), 1)), 2);
    assert_string_equal(json_string_value(json_object_get(second, "text")), "a \"b\",\nc");
    assert_string_equal(json_string_value(json_object_get(second, "count")),
                        "18446744073709551615");
    assert_true(json_is_null(json_object_get(second, "real")));
    assert_true(json_is_null(json_object_get(second, "none")));
    json_decref(list);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/** --- Tables ------------------------------------------------------------------------------------ */

/** Columns as wide as their cells on a terminal, whatever the locale: é is one column, 数 two. */
static void tables_measure_characters_as_terminals_do(void **state)
{
    (void)state;
    static const char *const cells[] = {"word", "n", "last", "é", "1", "数据", "数", "-20", "b"};
    eg_table table;
    eg_table_init(&table, 3);
    for (size_t i = 0; i < EG_COUNT(cells); i++) {
        assert_ok(eg_table_cell(&table, "%s", cells[i]));
    }
    char text[200] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_non_null(file);
    assert_ok(eg_table_print(&table, file));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, "  word    n  last\n"
                              "  é       1  数据\n"
                              "  数    -20  b\n");
    eg_table_clear(&table);
}

/** Whatever names and values hold, LaTeX prints it: every character that it takes for a command is escaped. */
static void tables_for_latex_compile(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "p_holm", "learner & lr", "-0.5 ± 0.1", "a{b}$c#^~\\", "+2", "x\x1b[1m<y>|z",
    };
    eg_table table;
    eg_table_init(&table, 2);
    for (size_t i = 0; i < EG_COUNT(cells); i++) {
        assert_ok(eg_table_cell(&table, "%s", cells[i]));
    }
    char text[600] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    assert_non_null(file);
    eg_table_print_latex(&table, "95 % of s_n", file);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(
        text, "% \\usepackage{booktabs}\n"
              "\\begin{table}\n"
              "  \\centering\n"
              "  \\caption{95 \\% of s\\_n}\n"
              "  \\begin{tabular}{rl}\n"
              "    \\toprule\n"
              "    p\\_holm & learner \\& lr \\\\\n"
              "    \\midrule\n"
              "    $-$0.5 $\\pm$ 0.1 & a\\{b\\}\\$c\\#\\textasciicircum{}\\textasciitilde{}"
              "\\textbackslash{} \\\\\n"
              "    +2 & x[1m\\textless{}y\\textgreater{}\\textbar{}z \\\\\n"
              "    \\bottomrule\n"
              "  \\end{tabular}\n"
              "\\end{table}\n");
    eg_table_clear(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_anywhere),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(option_values_are_checked),
        cmocka_unit_test(numbers_are_as_short_as_they_can_be),
        cmocka_unit_test(durations_have_two_digits_and_a_unit),
        cmocka_unit_test(command_lines_are_quoted),
        cmocka_unit_test(tables_measure_characters_as_terminals_do),
        cmocka_unit_test(tables_for_latex_compile),
        cmocka_unit_test(rows_of_csv_follow_rfc_4180),
        cmocka_unit_test(rows_of_json_have_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
