/** Everything `list` and `describe` can speak about: the families of components, their parameters,
 *  and the variables that trials record. */
#ifndef CLI_CATALOG_H
#define CLI_CATALOG_H

#include "engram/params.h"

#include <stddef.h>

/** Families a trial's settings name, then those of the sweep file (stopping rules). */
size_t eg_catalog_family_count(void);
const eg_family *eg_catalog_family(size_t index);
/** NULL if there is none of this name. */
const eg_family *eg_catalog_find(const char *name);

/** The default of a parameter as text: "required" if there is none. */
const char *eg_param_default(const eg_param *param);
/** "integer", "number", "one of a, b" … */
void eg_param_type_words(const eg_param *param, char *text, size_t size);
/** "from 0 to 1", "above 0" …, "" without a range. */
void eg_param_range_words(const eg_param *param, char *text, size_t size);

#endif
