/** Where the results of a run come from; see run/run_provenance.h. */
#include "run/run_provenance.h"

#include "engram/blas.h"
#include "engram/build.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "math/shared/convolve.h"
#include "plugin/shared/plugin_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

extern char **environ;

/* Nothing else of the environment is written down: it may hold secrets (so SLURM_JWT is left
 * out). */
static const char *const kept_prefixes[] = {
    "SLURM_", "OMPI_COMM_WORLD_SIZE=", "OMP_", "OPENBLAS_", "ENGRAM_",
};
static const char *const dropped[] = {"SLURM_JWT="};

static bool begins_with(const char *text, const char *const *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static eg_status collect_environment(char **out)
{
    eg_writer writer = {0};
    for (char **variable = environ; *variable != NULL; variable++) {
        if (begins_with(*variable, kept_prefixes, sizeof kept_prefixes / sizeof *kept_prefixes) &&
            !begins_with(*variable, dropped, sizeof dropped / sizeof *dropped)) {
            eg_write_bytes(&writer, *variable, strlen(*variable));
            eg_write_bytes(&writer, "\n", 1);
        }
    }
    eg_write_bytes(&writer, "", 1);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}

/** The first "model name" of /proc/cpuinfo, or "unknown" on processors that do not say. */
static eg_status collect_processor(char **out)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[512];
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            line[strcspn(line, "\n")] = '\0';
            (void)fclose(file);
            return eg_strdup(out, colon[1] == ' ' ? colon + 2 : colon + 1);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return eg_strdup(out, "unknown");
}

/** The compiler and its flags, and "; plug-in PATH HASH" for every one that is loaded. */
static eg_status collect_build(char **out, const eg_build *build)
{
    EG_TRY(eg_format(out, "%s; %s; %s; commit %s", build->compiler, build->type, build->flags,
                     build->commit));
    for (size_t i = 0; i < eg_plugin_count(); i++) {
        const eg_plugin_loaded *plugin = eg_plugin_at(i);
        char *before = *out;
        eg_status status =
            eg_format(out, "%s; plug-in %s %016" PRIx64, before, plugin->path, plugin->hash);
        eg_free(before);
        EG_TRY(status);
    }
    return eg_ok();
}

eg_status eg_run_provenance_collect(eg_run_provenance *out, const char *command, uint32_t ranks)
{
    *out = (eg_run_provenance){0};
    const eg_build *build = eg_build_info();
    EG_TRY(collect_build(&out->build, build));
    EG_TRY(eg_format(&out->blas, "%s; convolutions: %s", eg_blas_config(), eg_convolve_kernel()));
    EG_TRY(collect_processor(&out->processor));
    EG_TRY(collect_environment(&out->environment));
    out->session = (eg_session){
        .command = command,
        .version = build->version,
        .build = out->build,
        .blas_core = eg_blas_core(),
        .blas = out->blas,
        .processor = out->processor,
        .environment = out->environment,
        .ranks = ranks,
        .time = eg_now(),
    };
    return eg_ok();
}

void eg_run_provenance_clear(eg_run_provenance *provenance)
{
    eg_free(provenance->build);
    eg_free(provenance->blas);
    eg_free(provenance->processor);
    eg_free(provenance->environment);
    *provenance = (eg_run_provenance){0};
}
