/** Names of files; see base/shared/file_name.h. */
#include "base/shared/file_name.h"

#include "engram/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

eg_status eg_file_absolute(char **out, const char *name)
{
    if (name[0] == '/') {
        return eg_strdup(out, name);
    }
    char *here = getcwd(NULL, 0); /* glibc, musl and the BSDs allocate */
    eg_status status = here == NULL ? eg_fail_errno(errno, "cannot find the current directory")
                                    : eg_format(out, "%s/%s", here, name);
    free(here);
    return status;
}
