/** The conformance suite for plug-ins of floats. */
#include "plugin/conform_all.h"

eg_status eg_conform_float(const eg_plugin *plugin, eg_conform_place *place)
{
    return conform_all(plugin, place);
}
