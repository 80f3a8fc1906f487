/** Writing the path of a training run; see cli/trace_file.h. stream/order_file.h reads it. */
#include "cli/trace_file.h"

#include "base/value.h"
#include "engram/file.h"
#include "engram/memory.h"
#include "engram/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char header[] = "step,phase,epoch,loss,examples\n";
enum { HEADER_SIZE = sizeof header - 1 };

/** Nothing is there, or an earlier trace. */
static eg_status check_place(const char *path)
{
    struct stat info;
    char found[HEADER_SIZE];
    size_t got = 0;
    EG_TRY(eg_store_is_no_results(path));
    if (stat(path, &info) != 0 && errno == ENOENT) {
        return eg_ok();
    }
    int fd = eg_open_file(path, O_RDONLY);
    bool trace = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                 eg_read_fully(fd, found, sizeof found, 0, &got) == 0 && got == sizeof found &&
                 memcmp(found, header, got) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return trace ? eg_ok()
                 : eg_fail(EG_INVALID, "%s: there is something that is no trace; it stays", path);
}

eg_status eg_trace_begin(eg_trace_file *out, const char *path)
{
    *out = (eg_trace_file){.path = path};
    EG_TRY(check_place(path));
    EG_TRY(eg_format(&out->temporary, "%s.tmp", path));
    int fd = eg_create_file(out->temporary, header, HEADER_SIZE);
    if (fd < 0) {
        eg_status status =
            eg_fail(EG_INVALID, "cannot write %s: %s", out->temporary, strerror(errno));
        eg_free(out->temporary);
        out->temporary = NULL;
        return status;
    }
    out->file = fdopen(fd, "w");
    if (out->file == NULL || fputs(header, out->file) < 0) {
        int error = errno;
        (void)(out->file != NULL ? fclose(out->file) : close(fd));
        out->file = NULL;
        return eg_fail_errno(error, "cannot write %s", out->temporary);
    }
    return eg_ok();
}

eg_status eg_trace_step(void *file, const eg_traced_step *step)
{
    const eg_trace_file *out = file;
    const eg_batch *batch = step->batch;
    char loss[EG_NUMBER_TEXT];
    eg_real_text(loss, step->loss);
    (void)fprintf(out->file, "%zu,%zu,%zu,%s,", step->step, step->phase, step->epoch, loss);
    for (size_t i = 0; batch->number != NULL && i < batch->size; i++) {
        (void)fprintf(out->file, i == 0 ? "%u" : " %u", batch->number[i]);
    }
    return fputc('\n', out->file) != EOF && ferror(out->file) == 0
               ? eg_ok()
               : eg_fail_errno(errno, "cannot write %s", out->temporary);
}

eg_status eg_trace_end(eg_trace_file *file, bool kept)
{
    if (file->file == NULL) {
        return eg_ok();
    }
    eg_status status = eg_ok();
    bool good = fflush(file->file) == 0 && fsync(fileno(file->file)) == 0;
    int error = errno;
    good = fclose(file->file) == 0 && good;
    if (kept && good && rename(file->temporary, file->path) != 0) {
        error = errno;
        good = false;
    }
    if (kept && !good) {
        status = eg_fail_errno(error, "cannot write %s", file->path);
    }
    if (!kept || !good) {
        (void)unlink(file->temporary);
    }
    eg_free(file->temporary);
    *file = (eg_trace_file){0};
    return status;
}
