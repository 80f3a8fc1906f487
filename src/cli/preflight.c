/** Checks before a sweep starts; see cli/preflight.h. */
#include "cli/preflight.h"

#include "engram/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

eg_status eg_preflight_results(char **writer, const eg_plan *plan, const char *path, bool standard)
{
    *writer = NULL;
    if (standard && access("results", F_OK) != 0) {
        return access(".", W_OK | X_OK) == 0 ? eg_ok() : eg_preflight_no_directory(errno);
    }
    return eg_store_check_open(writer, path, plan);
}

eg_status eg_preflight_no_directory(int error)
{
    return eg_fail(EG_INVALID,
                   "cannot make the directory results: %s; -o FILE puts the results elsewhere",
                   strerror(error));
}

eg_status eg_preflight_overrides(char *const *overrides, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(overrides[i], '=');
        if (equals == NULL || equals == overrides[i]) {
            return eg_fail(EG_INVALID, "\"%s\": expected a setting, name=value", overrides[i]);
        }
    }
    return eg_ok();
}
