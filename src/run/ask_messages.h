/** What is said to a tuner and what it answers: one JSON value per line. docs/ask.md describes the
 *  lines; the words are those of gest-api. */
#ifndef RUN_ASK_MESSAGES_H
#define RUN_ASK_MESSAGES_H

#include "engram/space.h"
#include "engram/status.h"
#include "engram/sweep.h"
#include "run/run_state.h"

#include <jansson.h>

/** The first line: the space, the objective and the seed. A new text, here and below. */
eg_status eg_ask_space_line(char **out, const eg_plan *plan) EG_WARN_UNUSED;
/** Asks for `count` points. */
eg_status eg_ask_suggest_line(char **out, size_t count) EG_WARN_UNUSED;
/** What became of `points`, a list as the tuner gave it, which are points indices [its length] of
 *  the plan. */
eg_status eg_ask_ingest_line(char **out, const eg_run_state *state, const json_t *points,
                             const size_t *indices) EG_WARN_UNUSED;
/** The last line. */
#define EG_ASK_FINALIZE_LINE "{\"finalize\":{}}"
/** Whether a line is one of eg_ask_ingest_line. */
bool eg_ask_is_ingest(const char *line);

/** Reads the answer to eg_ask_suggest_line. *points: the list (json_decref); values: of their
 *  variables, as eg_plan_suggest takes them. Errors, EG_INVALID: what is wrong, to stand behind
 *  "the tuner". */
eg_status eg_ask_read_answer(json_t **points, eg_space_value *values, const eg_plan *plan,
                             const char *line, size_t count) EG_WARN_UNUSED;

/** Whether two answers say the same; a space more or less says nothing. */
bool eg_ask_same_answer(const char *a, const char *b);

#endif
