/** What this plug-in has, a file each. */
#ifndef EXAMPLE_COMPONENTS_H
#define EXAMPLE_COMPONENTS_H

#include "engram/plugin.h"

extern const eg_activation example_softsign;
extern const eg_optimizer_kind example_lion;
extern const eg_schedule example_warmup;

#endif
