/** What methods around any learner (learner/around.h) that reset hidden units have in common. What
 *  they have for every network begins with its eg_unit_reset. */
#ifndef ENGRAM_LEARNER_RESETTING_H
#define ENGRAM_LEARNER_RESETTING_H

#include "learner/around.h"
#include "learner/unit_reset.h"

/** eg_learner_kind.check: that there is a network inside, and an optimizer that can forget what it
 *  should. */
eg_status eg_resetting_check(const eg_view *view) EG_WARN_UNUSED;

/** For open_part, with settings EG_UNIT_RESET_PARAMS. Errors: EG_INVALID for a network without
 *  hidden units that could be reset. */
eg_status eg_resetting_open_part(eg_around *self, size_t n, const eg_view *view,
                                 eg_reset_published published) EG_WARN_UNUSED;
/** The same of eg_around_method, where nothing else is to be done. */
void eg_resetting_given(eg_around *self, size_t n);

/** Operations of eg_learner_ops. write and read: all parts, then all resets, counts and the learner
 *  inside. */
bool eg_resetting_replaced(const eg_learner *learner, double *counts);
void eg_resetting_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_resetting_read(eg_learner *learner, eg_reader *reader);

#endif
