/** What to do about damage that eg_store_check found. */
#ifndef ENGRAM_STORE_CHECK_ADVICE_H
#define ENGRAM_STORE_CHECK_ADVICE_H

#include "store/paths.h"

#include "engram/pack.h"

typedef enum eg_part_state {
    EG_PART_NONE,
    EG_PART_SOUND,
    EG_PART_REPAIRABLE,
    EG_PART_DAMAGED,
    EG_PART_LOST
} eg_part_state;

typedef struct eg_findings {
    const eg_paths *paths;
    /** NONE: there is none. REPAIRABLE: what is damaged is there twice. DAMAGED: some of it cannot
     *  be read. LOST: what remains has no meaning without the file. */
    eg_part_state journal;
    /** NONE, SOUND; DAMAGED: it can be read and differs from the journal; LOST: it cannot be
     *  read. */
    eg_part_state file;
    size_t journal_trials, journal_finished; /**< where the journal can be read; of all plans */
    size_t file_finished;                    /**< where the file can be read */
    size_t file_results;                     /**< … also those that paused or were stopped */
} eg_findings;

/** Adds lines "way out: …" with the commands that help; none if nothing is damaged. */
void eg_check_advise(eg_writer *out, const eg_findings *findings);

#endif
