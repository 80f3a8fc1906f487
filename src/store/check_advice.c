/** The way out of damage, in commands; tests/e2e/damaged_results.sh follows it. See
 *  store/check_advice.h. */
#include "store/check_advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void advise(eg_writer *out, const char *format, ...) EG_PRINTF(2, 3);

static void advise(eg_writer *out, const char *format, ...)
{
    char line[EG_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    eg_write_bytes(out, "way out: ", strlen("way out: "));
    eg_write_bytes(out, line, strlen(line));
    eg_write_u8(out, '\n');
}

static void advise_run_again(eg_writer *out)
{
    advise(out, "`engram run SWEEP -o NEW.h5` runs the sweep again, to the same results");
}

/** The file can be read, and has results that the journal has not. */
static void advise_keep_file(eg_writer *out, const eg_findings *f)
{
    advise(out,
           "%s holds %zu finished trials: do not collect; with the journal elsewhere (`mv %s "
           "%s.damaged`) engram top, status and export read it",
           f->paths->file, f->file_finished, f->paths->journal, f->paths->journal);
}

void eg_check_advise(eg_writer *out, const eg_findings *f)
{
    bool readable = f->file == EG_PART_SOUND || f->file == EG_PART_DAMAGED;
    bool fuller = readable && f->file_finished > f->journal_finished;
    switch (f->journal) {
    case EG_PART_REPAIRABLE:
        advise(out, "`engram collect %s` writes the journal anew; so does the next run",
               f->paths->file);
        return;
    case EG_PART_SOUND:
        if (f->file == EG_PART_DAMAGED || f->file == EG_PART_LOST) {
            advise(out, "`engram collect %s` makes it anew from the journal", f->paths->file);
        }
        return;
    case EG_PART_DAMAGED:
        if (fuller) {
            advise_keep_file(out, f);
        }
        advise(out,
               "`engram merge NEW.h5 %s` keeps the %zu of %zu trials that the journal still has; "
               "then `engram run SWEEP -o NEW.h5` runs the others, to the same results",
               f->paths->file, f->journal_finished, f->journal_trials);
        return;
    case EG_PART_LOST:
        if (f->file_results > 0) {
            advise(
                out,
                "`engram collect %s` makes the journal anew from the results of %zu trials there "
                "and every record of the journal that is intact; then the sweep goes on in it",
                f->paths->file, f->file_results);
        } else {
            advise_run_again(out);
        }
        return;
    default:
        if (f->file == EG_PART_LOST) {
            advise_run_again(out);
        }
        return;
    }
}
