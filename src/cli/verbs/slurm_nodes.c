/** What Slurm says of its nodes. */
#include "cli/verbs/slurm.h"

#include "engram/memory.h"

#include <stdlib.h>
#include <string.h>

/** What Slurm answers to a command; a new text. */
static eg_status ask(char **out, const char *request, const char *partition)
{
    eg_command command = {0};
    int code = 0;
    eg_status status = eg_command_split(&command, request);
    if (partition != NULL) {
        eg_status_keep(&status, eg_command_add(&command, "--partition"));
        eg_status_keep(&status, eg_command_add(&command, "%s", partition));
    }
    *out = NULL;
    if (status.code == EG_OK) {
        status = eg_command_capture(&command, out, &code);
    }
    eg_command_clear(&command);
    if (status.code == EG_OK && code != 0) {
        eg_free(*out);
        *out = NULL;
        status =
            eg_fail(EG_INVALID,
                    "Slurm does not answer, see above; --ntasks-per-node=N goes without asking");
    }
    return status;
}

/** The default partition is marked by a star. *out: a new text, or NULL. */
static eg_status default_partition(char **out)
{
    char *list = NULL;
    EG_TRY(ask(&list, "sinfo --noheader --format %P", NULL));
    eg_status status = eg_ok();
    for (char *rest = list, *name = NULL;
         status.code == EG_OK && (name = strtok_r(rest, "\n", &rest)) != NULL;) {
        size_t length = strlen(name);
        if (*out == NULL && length > 1 && name[length - 1] == '*') {
            name[length - 1] = '\0';
            status = eg_strdup(out, name);
        }
    }
    eg_free(list);
    return status;
}

eg_status eg_slurm_smallest_node(unsigned long *cores, const char *partition)
{
    char *name = NULL;
    char *nodes = NULL;
    *cores = 0;
    eg_status status = partition == NULL ? default_partition(&name) : eg_strdup(&name, partition);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, ask(&nodes, "sinfo --noheader --Node --format %X/%Y", name));
    for (char *rest = nodes, *line = NULL; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
        char *end = NULL;
        unsigned long sockets = strtoul(line, &end, 10);
        unsigned long node = *end == '/' ? sockets * strtoul(end + 1, NULL, 10) : 0;
        *cores = node > 0 && (*cores == 0 || node < *cores) ? node : *cores;
    }
    if (*cores == 0) {
        status =
            eg_fail(EG_INVALID, "no node in partition '%s'; see sinfo", name == NULL ? "" : name);
    }
done:
    eg_free(name);
    eg_free(nodes);
    return status;
}
