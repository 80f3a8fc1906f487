/** Temporary files of processes that were killed while they wrote a results file. */
#ifndef ENGRAM_STORE_LEFTOVERS_H
#define ENGRAM_STORE_LEFTOVERS_H

#include "store/paths.h"

/** Removes files PATHS->file.PID.tmp that no process of this machine writes any more and that have
 *  not changed for ten minutes (another machine's process may be writing). What cannot be removed
 *  stays. */
void eg_remove_leftovers(const eg_paths *paths);

#endif
