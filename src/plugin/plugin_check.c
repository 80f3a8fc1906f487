/** The conformance suite in a child process; see plugin/shared/plugin_check.h. Where it is stands
 *  in memory that both processes share: whoever crashes can say nothing any more. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "plugin/shared/plugin_check.h"

#include "base/shared/child.h"
#include "plugin/conform.h"
#include "plugin/plugin_read.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

bool eg_plugin_is_object(const char *path)
{
    static const char elf[] = "\177ELF";
    char start[sizeof elf - 1];
    FILE *file = fopen(path, "rb");
    bool is = file != NULL && fread(start, 1, sizeof start, file) == sizeof start &&
              memcmp(start, elf, sizeof start) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return is;
}

typedef struct trial_run {
    const char *path;
    eg_conform_place *place;
} trial_run;

static void write_line(eg_writer *writer, const char *kind, const eg_component *component)
{
    char line[256];
    int length = snprintf(line, sizeof line, "%s %s: sound\n", kind, component->name);
    eg_write_bytes(writer, line, (size_t)length);
}

/* Whoever reports crashes of this process (MPI, sanitizers) is not to report those of a plug-in. */
static void crash_in_silence(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < EG_COUNT(numbers); i++) {
        (void)signal(numbers[i], SIG_DFL);
    }
}

static eg_status try_plugin(void *user, eg_drain *out)
{
    const trial_run *run = user;
    const eg_plugin *plugin = NULL;
    crash_in_silence();
    (void)snprintf(run->place->doing, sizeof run->place->doing, "loading it");
    EG_TRY(eg_plugin_open(&plugin, run->path, true));
    bool is_double = plugin->real == sizeof(double);
    EG_TRY(eg_status_wrap(is_double ? eg_conform_double(plugin, run->place)
                                    : eg_conform_float(plugin, run->place),
                          "plug-in %s", run->path));
    for (size_t i = 0; i < plugin->activation_count; i++) {
        write_line(&out->writer, "activation", &plugin->activations[i]->component);
    }
    for (size_t i = 0; i < plugin->optimizer_count; i++) {
        write_line(&out->writer, "optimizer", &plugin->optimizers[i]->component);
    }
    for (size_t i = 0; i < plugin->schedule_count; i++) {
        write_line(&out->writer, "schedule", &plugin->schedules[i]->component);
    }
    if (plugin->real != sizeof(eg_real)) {
        static const char note[] =
            "real: double, checked as such; to be used in sweeps it has to be built with float\n";
        eg_write_bytes(&out->writer, note, sizeof note - 1);
    }
    eg_write_u8(&out->writer, 0);
    return eg_ok();
}

/** A failure of the process itself, at the place where it was. */
static eg_status at_place(eg_status status, const trial_run *run)
{
    const char *component = run->place->component;
    return eg_status_wrap(status, "plug-in %s: %s%s%s", run->path, component,
                          component[0] == '\0' ? "" : ": ", run->place->doing);
}

static eg_status run_child(char **report, const trial_run *run, unsigned seconds)
{
    unsigned char *reply = NULL;
    size_t size = 0;
    char slow[96];
    (void)snprintf(slow, sizeof slow, "it does not come to an end within %u seconds", seconds);
    const eg_child_rules rules = {.processor_seconds = seconds + 1,
                                  .wall_seconds = seconds,
                                  .slow = slow,
                                  .crashed = "it crashes, as it does when it goes beyond an array",
                                  .left = "it ends the process"};
    trial_run mine = *run;
    eg_status status = eg_child_run_within(&reply, &size, try_plugin, &mine, &rules);
    if (status.code == EG_OK) {
        *report = (char *)reply;
    }
    return status;
}

/* What the suite says begins with "plug-in PATH", the rules' sentences do not. */
static bool is_of_suite(const eg_status *status)
{
    return strncmp(status->message, "plug-in ", strlen("plug-in ")) == 0;
}

eg_status eg_plugin_check(char **report, const char *path, unsigned seconds)
{
    trial_run run = {.path = NULL};
    char *resolved = NULL;
    uint64_t hash = 0;
    *report = NULL;
    EG_TRY(eg_plugin_identify(&resolved, &hash, path));
    void *shared =
        mmap(NULL, sizeof *run.place, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        eg_free(resolved);
        return eg_fail_memory(sizeof *run.place);
    }
    run.path = resolved;
    run.place = shared;
    (void)fflush(NULL); /* what the plug-in ends must not write our output again */
    eg_status status = run_child(report, &run, seconds);
    if (status.code == EG_INVALID && !is_of_suite(&status)) {
        status = at_place(status, &run);
    }
    (void)munmap(shared, sizeof *run.place);
    eg_free(resolved);
    return status;
}
