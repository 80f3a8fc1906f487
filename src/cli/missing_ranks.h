/** Messages about ranks of a host of which something is amiss while a job starts. */
#ifndef CLI_MISSING_RANKS_H
#define CLI_MISSING_RANKS_H

#include "cli/neighbours.h"

/** Appends "rank 2 on host a", "ranks 2 and 3 on host a", "ranks 2, 3, … and 4 others on host a":
 *  those of which `is_named` says so. */
void eg_name_ranks(char *text, size_t size, const eg_neighbours *here,
                   bool (*is_named)(const eg_neighbour *));

/** Is its process not there? */
bool eg_rank_is_missing(const eg_neighbour *one);

/** Appends which ranks are not there, and that the job therefore does not start. */
void eg_tell_missing(char *text, size_t size, const eg_neighbours *here);

#endif
