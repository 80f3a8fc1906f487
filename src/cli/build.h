/** Where this binary comes from and where it runs. */
#ifndef CLI_BUILD_H
#define CLI_BUILD_H

#include "engram/store.h"

#include <stdio.h>

/** `engram --version`. */
void eg_build_print(FILE *file);

/** "0.1.0". */
const char *eg_build_version(void);

/** What is written to the journal about this run of the command. */
typedef struct eg_provenance {
    eg_session session;
    char *build, *processor, *environment; /**< owned; the session borrows them */
} eg_provenance;

/** Errors: EG_MEMORY. Release with eg_provenance_clear, also after a failure. */
eg_status eg_provenance_collect(eg_provenance *out, const char *command,
                                uint32_t ranks) EG_WARN_UNUSED;
void eg_provenance_clear(eg_provenance *provenance);

#endif
