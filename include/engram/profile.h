/** Where the time of a trial goes. A profile is a clock with several hands of which one runs:
 * entering a part stops the hand of the part that was current. */
#ifndef ENGRAM_PROFILE_H
#define ENGRAM_PROFILE_H

typedef enum eg_profile_part {
    EG_PROFILE_DATA,       /**< minibatches from the stream */
    EG_PROFILE_FORWARD,    /**< weight layers of a training pass, forward */
    EG_PROFILE_ACTIVATION, /**< hidden units, forward and backward */
    EG_PROFILE_BACKWARD,   /**< weight layers, backward */
    EG_PROFILE_UPDATE,     /**< the optimizer */
    EG_PROFILE_IMPORTANCE, /**< importances of parameters, with their data */
    EG_PROFILE_EVALUATION, /**< evaluations, with their data */
    EG_PROFILE_OTHER,      /**< the loss, keeping the record */
    EG_PROFILE_COUNT
} eg_profile_part;

/** Words for the parts. */
extern const char *const eg_profile_names[EG_PROFILE_COUNT];

typedef struct eg_profile {
    double seconds[EG_PROFILE_COUNT];
    eg_profile_part current;
    double since; /**< when `current` was entered */
} eg_profile;

/** Sets everything to 0 and starts with EG_PROFILE_OTHER. */
void eg_profile_start(eg_profile *profile);

/** Enters a part and returns the one that was left, to be entered again later. With NULL nothing is
 *  measured, so code can be profiled or not without two versions. */
eg_profile_part eg_profile_enter(eg_profile *profile, eg_profile_part part);

#endif
