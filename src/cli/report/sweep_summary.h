/** What a sweep says at its end. */
#ifndef CLI_SWEEP_SUMMARY_H
#define CLI_SWEEP_SUMMARY_H

#include "cli/report/screen.h"

/** On standard output: counts, best points, where the file is, what to do next. */
eg_status eg_sweep_summary_print(eg_screen *screen, eg_run *run, eg_run_keeping keeping,
                                 bool stopped) EG_WARN_UNUSED;

#endif
