/** Option --plugin; see cli/cli.h. */
#include "cli/cli.h"

#include "engram/memory.h"
#include "plugin/shared/plugin_load.h"

#include <string.h>

eg_status eg_plugin_option_load(const char *value)
{
    while (value != NULL && *value != '\0') {
        char *path = NULL;
        size_t length = strcspn(value, ",");
        EG_TRY(eg_format(&path, "%.*s", (int)length, value));
        eg_status status = eg_plugin_load(path);
        eg_free(path);
        EG_TRY(eg_status_wrap(status, "--plugin"));
        value += length + (value[length] == ',' ? 1 : 0);
    }
    return eg_ok();
}
