/** Do a plan and its file belong to the results that are there already? */
#ifndef ENGRAM_STORE_MATCH_H
#define ENGRAM_STORE_MATCH_H

#include "store/journal/journal_state.h"
#include "store/paths.h"

/** EG_INVALID, saying what differs, unless the plan has the journal state's name and a trial in
 *  common with it (any will do while nothing is finished). `file` is for the message. */
eg_status eg_store_match(const eg_journal_state *state, const eg_plan *plan,
                         const char *file) EG_WARN_UNUSED;

/** The same sweep file (its text), run in pieces: the overrides differ in `only` alone. */
bool eg_store_are_pieces(const char *text, const char *there, const char *other_text,
                         const char *here);

/** How the plan differs from the one that the journal state has. A new text. */
eg_status eg_store_explain_change(char **out, const eg_journal_state *state,
                                  const eg_plan *plan) EG_WARN_UNUSED;

/** EG_INVALID if NAME.h5 is not ours to replace: no results file, or one whose journal is gone. */
eg_status eg_store_check_file(const eg_paths *paths, bool has_journal) EG_WARN_UNUSED;

#endif
