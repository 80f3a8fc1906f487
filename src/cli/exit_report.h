/** How rank 0 tells the process that supervises its launcher how far the job came: by files. */
#ifndef CLI_EXIT_REPORT_H
#define CLI_EXIT_REPORT_H

#include "engram/status.h"

#include <stdbool.h>

/** Names the file for the exit code of the job, for a supervisor that its launcher does not tell:
 *  rank 0 writes it, or a rank that ends the job while it starts. */
#define EG_EXIT_CODE_VARIABLE "ENGRAM_EXIT_CODE_FILE"

/** In a rank. Tells the supervisor, if there is one on this host, how the job ends. What is said
 *  first counts. */
typedef enum eg_reporting { EG_NOT_SUPERVISED, EG_REPORTED, EG_REPORTED_BEFORE } eg_reporting;
eg_reporting eg_supervisor_tell(int code);

/** In rank 0. Tells the supervisor, if there is one, that all ranks are in the world: what ends
 *  from here on did not end while the job started. Errors: EG_IO. */
eg_status eg_supervisor_tell_started(void) EG_WARN_UNUSED;

/** The supervisor's side. Zeros are one that was not created. */
typedef struct eg_exit_report {
    char directory[64]; /**< made for the two files; "" without */
    char *code_path;    /**< owned, as the next one */
    char *started_path;
} eg_exit_report;

/** Makes the directory, and names the file in the environment of all that is started from here on.
 *  Release with eg_exit_report_close. Errors: EG_IO, EG_MEMORY. */
eg_status eg_exit_report_open(eg_exit_report *out) EG_WARN_UNUSED;
/** Removes the files and the name. */
void eg_exit_report_close(eg_exit_report *me);

/** The code that a rank has told; -1: none yet. */
int eg_exit_report_code(const eg_exit_report *me);
/** Has rank 0 told that the job has started? */
bool eg_exit_report_has_started(const eg_exit_report *me);

#endif
