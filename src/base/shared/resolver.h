/** For the rooms below: resolving the many points of a sweep.
 *
 *  A point mostly differs from one before in the values of a few settings. Once points with the
 *  same names and the same components were resolved, another one needs only its values to be
 *  parsed, and a value that was parsed before not even that. What is resolved is the same, error
 *  messages included, as with eg_settings_resolve_known. */
#ifndef BASE_RESOLVER_H
#define BASE_RESOLVER_H

#include "engram/settings.h"

typedef struct eg_resolver eg_resolver;

/** Release with eg_resolver_free; what was kept lives on. Borrows the schema. */
eg_status eg_resolver_create(eg_resolver **out, const eg_schema *schema) EG_WARN_UNUSED;
void eg_resolver_free(eg_resolver *resolver);

/** As eg_settings_resolve_known. *out is valid until the next call. Names and values are told apart
 *  by their addresses: what stands there must stay the same while the resolver lives. */
eg_status eg_resolver_resolve(eg_resolver *resolver, const eg_assignment *assignments, size_t count,
                              bool *used, eg_status *missing,
                              const eg_settings **out) EG_WARN_UNUSED;

/** A copy of the settings that were resolved last, in little memory. Release with eg_settings_free;
 *  not thread safe. */
eg_status eg_resolver_keep(eg_resolver *resolver, eg_settings **out) EG_WARN_UNUSED;

#endif
