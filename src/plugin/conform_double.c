/** The conformance suite for plug-ins of doubles, whose gradients can be checked far more closely;
 *  engram itself learns in floats. Nothing here may call a function that takes an eg_real. */
#define EG_REAL_DOUBLE

#include "plugin/conform_all.h"

const eg_plugin eg_plugin_build_double = {EG_PLUGIN_BUILD};

eg_status eg_conform_double(const eg_plugin *plugin, eg_conform_place *place)
{
    return conform_all(plugin, place);
}
