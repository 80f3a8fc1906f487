/** Where the results of a run come from: build, machine and command. */
#ifndef RUN_PROVENANCE_H
#define RUN_PROVENANCE_H

#include "engram/store.h"

/** What is written to the journal about a run. */
typedef struct eg_run_provenance {
    eg_session session;
    char *build, *blas, *processor, *environment; /**< owned; the session borrows them */
} eg_run_provenance;

/** Errors: EG_MEMORY. Release with eg_run_provenance_clear, also after a failure. */
eg_status eg_run_provenance_collect(eg_run_provenance *out, const char *command,
                                    uint32_t ranks) EG_WARN_UNUSED;
void eg_run_provenance_clear(eg_run_provenance *provenance);

#endif
