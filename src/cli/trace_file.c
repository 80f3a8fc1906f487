/** Writing the path of a training run; see cli/trace_file.h. stream/order_file.h reads it. */
#include "cli/trace_file.h"

#include "base/shared/value.h"

eg_status eg_trace_open(eg_text_file *out, const char *path)
{
    return eg_text_file_open(out, path, "step,phase,epoch,loss,examples\n", "trace");
}

eg_status eg_trace_step(void *file, const eg_traced_step *step)
{
    const eg_text_file *out = file;
    const eg_batch *batch = step->batch;
    char loss[EG_NUMBER_TEXT];
    eg_real_text(loss, step->loss);
    (void)fprintf(out->file, "%zu,%zu,%zu,%s,", step->step, step->phase, step->epoch, loss);
    for (size_t i = 0; batch->number != NULL && i < batch->size; i++) {
        (void)fprintf(out->file, i == 0 ? "%u" : " %u", batch->number[i]);
    }
    (void)fputc('\n', out->file);
    return eg_text_file_status(out);
}
