/** Where this library comes from; see engram/build.h. */
#include "engram/build.h"

#include "run/build_info.h"

const eg_build *eg_build_info(void)
{
    static const eg_build info = {.version = EG_VERSION,
                                  .commit = EG_BUILD_COMMIT,
                                  .compiler = EG_BUILD_COMPILER,
                                  .type = EG_BUILD_TYPE,
                                  .flags = EG_BUILD_FLAGS};
    return &info;
}
