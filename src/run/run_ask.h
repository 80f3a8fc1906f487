/** A tuner: a program that suggests the points of a run (eg_run_options.ask).
 *
 *  A batch of points is asked for when every trial of the one before has ended and its results were
 *  told, in the order in which the points were suggested; so what is suggested depends on nothing
 *  but what was told. Every exchange is in the journal. A run that goes on starts the tuner anew
 *  and says to it what was said before: it must answer the same. */
#ifndef RUN_ASK_H
#define RUN_ASK_H

#include "base/shared/coprocess.h"
#include "engram/space.h"
#include "engram/store.h"
#include "run/ask_messages.h"

/** Which turn it is. */
typedef enum eg_run_ask_turn {
    EG_ASK_OVER,    /**< nobody is asked, or no more */
    EG_ASK_TRIALS,  /**< trials of the batch run */
    EG_ASK_ANSWER,  /**< the tuner has been asked for the next batch */
    EG_ASK_LEAVING, /**< it has been told that there is no more */
} eg_run_ask_turn;

/** Zeros where there is no tuner. */
typedef struct eg_run_ask {
    eg_run_ask_turn turn;
    eg_coprocess *tuner; /**< NULL: it does not run */
    double timeout;      /**< seconds that an answer may take */
    double since;        /**< when the tuner was asked or told to leave, on eg_clock */
    size_t suggested;    /**< points so far, repeated ones included */
    size_t wanted;       /**< points that it is being asked for */
    bool started;        /**< the results file is open */
    /** the batch: as the tuner gave it, and where its points are in the plan */
    json_t *points;
    size_t *indices;
    char *sent; /**< what it is being asked */
    eg_exchange
        fresh[2]; /**< [fresh_count] for eg_session: the first line and the first question */
    size_t fresh_count;
    char *texts[4]; /**< [text_count] of these */
    size_t text_count;
} eg_run_ask;

struct eg_run;

/** Before the results file is opened: gives the plan the points that the journal knows, starts the
 *  tuner if it is needed, repeats what it was told, and asks for the first batch. Waits for its
 *  answers. Errors: EG_INVALID: whatever the tuner does wrong, and a journal of other points;
 *  EG_STOPPED. */
eg_status eg_run_ask_begin(struct eg_run *run) EG_WARN_UNUSED;
/** The results file is open. */
void eg_run_ask_opened(struct eg_run *run);
/** More points may come. */
bool eg_run_is_asking(const struct eg_run *run);
/** Something is to be done although no trial runs. */
bool eg_run_ask_expects(const struct eg_run *run);
/** What is due now; never waits. Errors: EG_SYSTEM: the tuner does something wrong. */
eg_status eg_run_ask_look(struct eg_run *run) EG_WARN_UNUSED;
/** Ends the tuner, and releases everything. */
void eg_run_ask_clear(eg_run_ask *ask);

/** --- For the two run_ask*.c only ------------------------------------------------------------- */

/** "the tuner " and what it did wrong; before anything ran that is bad input, later a failure that
 *  the same command mends. */
eg_status eg_run_ask_blame(const eg_run_ask *ask, eg_status what);
/** Composes and sends the question for the next batch. */
eg_status eg_run_ask_question(struct eg_run *run) EG_WARN_UNUSED;
/** Takes an answer with `count` points: they are in the plan, and are the batch. */
eg_status eg_run_ask_take(struct eg_run *run, const char *answer, size_t count) EG_WARN_UNUSED;
/** An answer is overdue. */
eg_status eg_run_ask_check_time(const eg_run_ask *ask) EG_WARN_UNUSED;

#endif
