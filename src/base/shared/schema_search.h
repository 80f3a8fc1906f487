/** For the rooms below: declarations by dotted name, whatever is chosen. */
#ifndef BASE_SCHEMA_SEARCH_H
#define BASE_SCHEMA_SEARCH_H

#include "engram/params.h"

/** The declaration of the setting `name` ("model.activation.alpha") in the first component that has
 * it, or NULL if no choice of components gives a setting of this name. */
const eg_param *eg_schema_param(const eg_schema *schema, const char *name);

/** The same for the parameters of one component; `name` is relative to it ("alpha"). */
const eg_param *eg_schema_member_param(const eg_schema *schema, const eg_component *member,
                                       const char *name);

/** The dotted name closest to `name` among those of all components, into `best`; false if none is
 *  close. */
enum { EG_NAME_SIZE = 120 };
bool eg_schema_nearest(const eg_schema *schema, const char *name, char best[EG_NAME_SIZE]);

#endif
