/** Trials that are stopped, saved and continued, for the tests of checkpoints. */
#ifndef ENGRAM_SAVED_TRIALS_H
#define ENGRAM_SAVED_TRIALS_H

#include "engram/trial.h"

enum { ENDLESS = 1000000 /* polls */ };

/** Two epochs of two tasks (or what the stream calls so) of small made-up pictures, evaluations inside
 *  phases and in several blocks; all else by default but `name` = `value`, unless that is NULL. */
eg_settings *saved_settings(const char *name, const char *value);

/** A trial, what it has saved, and when it is to stop. Start with saved_scene_open. */
typedef struct saved_scene {
    eg_settings *settings;
    eg_dataset_cache *cache;
    size_t polls, last; /* poll number `last` stops */
    size_t step;        /* at the last poll */
    size_t until;       /* as in eg_trial_options */
    size_t saves;
    size_t continued, steps; /* where it was continued; 0: it was not */
    eg_writer saved;         /* the newest checkpoint */
    double slow_step;        /* seconds that the poll after the first task takes */
    double slow_save;        /* seconds that every checkpoint takes */
    bool no_memory;          /* a checkpoint could not be written */
} saved_scene;

/** Takes the settings. */
saved_scene saved_scene_open(eg_settings *settings);
void saved_scene_close(saved_scene *s);

/** Runs until poll number `last`, from the checkpoint `from` unless that is NULL. `every`, *refused: as in
 *  eg_checkpointing. */
eg_status saved_scene_run(saved_scene *s, const eg_writer *from, size_t last, double every,
                          eg_record **out, bool *refused) EG_WARN_UNUSED;

/** Runs all of it, with checkpoints now and then. */
eg_record *saved_scene_whole(saved_scene *s);
/** What `continued` left equals `whole` in everything but times and memory. */
void assert_saved_same(const eg_record *whole, const eg_record *continued, const char *what,
                       size_t poll);
/** Interrupts the trial at every poll (there is one after every minibatch, and after every block of
 *  an evaluation) and continues it to its end. */
void saved_scene_interrupt(saved_scene *s, const char *what);
/** Pauses behind every evaluation, continued from the pause before it; the end is as if there had
 *  been none. */
void saved_scene_pause(saved_scene *s, const char *what);

/** A trial of saved_settings(NULL, NULL) stopped at this poll, with its checkpoint. */
saved_scene saved_scene_stopped(size_t polls);

#endif
