/** The binary form of a trial between two minibatches; what is in it and when it is refused is in
 * engram/trial.h.
 *
 *  Format 3, little endian except for arrays of numbers, which are as the machine has them:
 *
 *      magic 89 45 47 43, u32 format
 *      u64 trial id
 *      u32 EG_RESULT_VERSION, text compiler, text BLAS kernel, text BLAS build
 *      u64 checksum of the dataset
 *      u64 phase, u64 minibatches done in it, u32 x (phase + 1) epochs of the phases, u8 eg_pending
 *      u64 examples seen, u64 examples evaluated, f64 seconds of training, f64 of evaluation
 *      f64 x EG_WINDOW newest losses
 *      f64 newest accuracy
 *      u32 arrays of the record; each: text name, u64 count, f64 values (a record's own binary form
 *          would narrow them)
 *      the measures with something to remember; each: text name, its own part
 *      the learner's own part
 *      u32 CRC-32C of everything before
 *
 *  Earlier formats, whose learners wrote other things, are refused.
 *
 *  Counts of minibatches and evaluations, orders and permutations follow from
 *  the position, the settings and the seed. */
#ifndef ENGRAM_TRIAL_CHECKPOINT_H
#define ENGRAM_TRIAL_CHECKPOINT_H

#include "trial/trial_state.h"

/** How every checkpoint begins, and the bytes of the checksum at its end. */
static const unsigned char eg_checkpoint_magic[4] = {0x89, 'E', 'G', 'C'};
enum { EG_CHECKPOINT_CHECKSUM = 4 };

/** Replaces the contents of `writer`; whether memory sufficed is in its status. */
void eg_checkpoint_write(const eg_trial_state *state, eg_writer *writer);

/** Into a trial just opened. EG_INVALID if it is damaged, of another trial or of another build;
 * EG_MEMORY. After a failure it can only be closed. */
eg_status eg_checkpoint_read(eg_trial_state *state, const void *data, size_t size) EG_WARN_UNUSED;

/** Makes the checksum of a changed checkpoint right again (size >= 4); for tests. */
void eg_checkpoint_seal(unsigned char *data, size_t size);

#endif
