/** Ranks on several machines, without a batch system; see cli/mpirun.h. */
#include "cli/mpirun.h"

#include "cli/exit_report.h"
#include "cli/startup.h"

#include "engram/memory.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_SIZE = 256 };

typedef struct host {
    char name[HOST_SIZE];
    size_t ranks;
} host;

/** Takes the next HOST or HOST:RANKS off *list. */
static eg_status read_host(host *out, const char **list)
{
    size_t length = strcspn(*list, ",");
    size_t name = strcspn(*list, ":,");
    const char *digits = *list + name + 1;
    size_t digit_count = name < length ? length - name - 1 : 0;
    bool numbered = name < length;
    bool good = name > 0 && name < HOST_SIZE && (*list)[0] != '-' &&
                memchr(*list, ' ', length) == NULL &&
                (!numbered || (digit_count > 0 && digit_count < 8 && digits[0] != '0' &&
                               strspn(digits, "0123456789") == digit_count));
    if (!good) {
        return eg_fail(EG_INVALID, "--hosts: '%.*s' is not HOST or HOST:RANKS", (int)length, *list);
    }
    memcpy(out->name, *list, name);
    out->name[name] = '\0';
    out->ranks = numbered ? strtoul(digits, NULL, 10) : 1;
    *list += length + ((*list)[length] == ',' ? 1 : 0);
    return eg_ok();
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a == NULL || a->sa_family != b->sa_family) {
        return false;
    }
    if (a->sa_family == AF_INET) {
        return memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    }
    return a->sa_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

/** Does the name lead to an address of this machine? */
static bool leads_here(const char *name)
{
    struct addrinfo *found = NULL;
    struct ifaddrs *own = NULL;
    bool here = false;
    if (getaddrinfo(name, NULL, NULL, &found) == 0 && getifaddrs(&own) == 0) {
        for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
            for (const struct ifaddrs *mine = own; mine != NULL; mine = mine->ifa_next) {
                here = here || same_address(mine->ifa_addr, at->ai_addr);
            }
        }
    }
    if (own != NULL) {
        freeifaddrs(own);
    }
    if (found != NULL) {
        freeaddrinfo(found);
    }
    return here;
}

/** Rank 0 has to be where its exit code is waited for. */
static eg_status check_first(const char *name)
{
    char own[HOST_SIZE] = "";
    (void)gethostname(own, sizeof own - 1);
    if (strcmp(name, own) == 0 || leads_here(name)) {
        return eg_ok();
    }
    return eg_fail(EG_INVALID, "the first host must be this machine, %s; '%s' is not", own, name);
}

/** A host that cannot be reached is found out here, where the message is ours. */
static eg_status check_other(const char *name, const char *shell)
{
    eg_command command = {0};
    int code = 0;
    eg_status status = eg_command_split(&command, shell);
    eg_status_keep(&status, eg_command_add(&command, "%s", name));
    eg_status_keep(&status, eg_command_add(&command, "true"));
    if (status.code == EG_OK) {
        status = eg_command_run(&command, &code);
    }
    eg_command_clear(&command);
    if (status.code == EG_OK && code != 0) {
        status = eg_fail(EG_INVALID, "cannot start anything on host '%s' with '%s'", name, shell);
    }
    return status;
}

/** *slots: "HOST:RANKS,HOST:RANKS", a new text, NULL before; *ranks: their sum. */
static eg_status read_list(char **slots, size_t *ranks, const char *list, const char *shell)
{
    for (const char *at = list; at == list || *at != '\0';) {
        host next = {0};
        char *longer = NULL;
        bool first = at == list;
        EG_TRY(read_host(&next, &at));
        EG_TRY(shell == NULL ? eg_ok()
               : first       ? check_first(next.name)
                             : check_other(next.name, shell));
        EG_TRY(eg_format(&longer, "%s%s%s:%zu", first ? "" : *slots, first ? "" : ",", next.name,
                         next.ranks));
        eg_free(*slots);
        *slots = longer;
        *ranks += next.ranks;
    }
    return eg_ok();
}

static eg_status add_options(eg_command *out, const char *slots, size_t ranks, const char *shell)
{
    EG_TRY(eg_command_add(out, "--host"));
    EG_TRY(eg_command_add(out, "%s", slots));
    EG_TRY(eg_command_add(out, "-np"));
    EG_TRY(eg_command_add(out, "%zu", ranks));
    /* Started in a tree, mpirun's daemons hold on to their ssh, and mpirun ends everything when
     * one of them fails because its machine is lost. Otherwise it does not notice, and the ranks
     * do. */
    EG_TRY(
        eg_command_split(out, "--mca plm rsh --mca plm_rsh_no_tree_spawn 1 --mca plm_rsh_agent"));
    EG_TRY(eg_command_add(out, "%s", shell));
    if (getenv("ENGRAM_DATA") != NULL) {
        EG_TRY(eg_command_split(out, "-x ENGRAM_DATA"));
    }
    if (getenv(EG_START_TIMEOUT_VARIABLE) != NULL) {
        EG_TRY(eg_command_split(out, "-x " EG_START_TIMEOUT_VARIABLE));
    }
    return eg_command_split(out,
                            "-x OPENBLAS_NUM_THREADS -x OMP_NUM_THREADS -x " EG_EXIT_CODE_VARIABLE);
}

eg_status eg_mpirun_hosts(eg_command *out, const char *list)
{
    const char *shell = getenv("ENGRAM_RSH");
    if (shell == NULL || shell[0] == '\0') {
        shell = "ssh -o BatchMode=yes -o ServerAliveInterval=15";
    }
    char *slots = NULL;
    size_t ranks = 0;
    eg_status status = eg_ok();
    /* The whole list is read before any machine is tried. */
    EG_TRY_DONE(status, read_list(&slots, &ranks, list, NULL));
    ranks = 0;
    EG_TRY_DONE(status, read_list(&slots, &ranks, list, shell));
    status = add_options(out, slots, ranks, shell);
done:
    eg_free(slots);
    return status;
}
