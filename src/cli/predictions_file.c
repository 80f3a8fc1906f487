/** Writing predictions as CSV; see cli/predictions_file.h. */
#include "cli/predictions_file.h"

#include <math.h>

/** Of the active outputs, as eg_count_correct chooses. */
static uint32_t best_of(size_t outputs, const eg_real *score, const eg_active *active)
{
    size_t count = active != NULL ? active->count : outputs;
    uint32_t best = active != NULL ? active->output[0] : 0;
    for (size_t k = 1; k < count; k++) {
        uint32_t j = active != NULL ? active->output[k] : (uint32_t)k;
        best = score[j] > score[best] ? j : best;
    }
    return best;
}

eg_status eg_predictions_open(eg_predictions_file *out, const char *path)
{
    return eg_text_file_open(&out->text, path, "subset,task,example", "table of predictions");
}

/* Positions are named where there are several. */
static void name_columns(eg_predictions_file *to, bool positions, size_t outputs)
{
    (void)fputs(to->begun   ? ""
                : positions ? ",position,label,prediction"
                            : ",label,prediction",
                to->text.file);
    for (size_t j = 0; j < outputs && !to->begun; j++) {
        (void)fprintf(to->text.file, ",score.%zu", j);
    }
    (void)fputs(to->begun ? "" : "\n", to->text.file);
    to->begun = true;
}

eg_status eg_predictions_add(void *file, const eg_predicted *block)
{
    eg_predictions_file *to = file;
    FILE *out = to->text.file;
    const eg_batch *batch = block->batch;
    const size_t rows = eg_batch_rows(batch);
    name_columns(to, batch->positions > 1, block->outputs);
    for (size_t b = 0; b < rows; b++) {
        const eg_real *score = block->scores + b * block->outputs;
        (void)fprintf(out, "%s,%zu,", to->names[block->subset], block->task);
        if (batch->number != NULL) {
            (void)fprintf(out, "%u", batch->number[b * batch->size / rows]);
        }
        if (batch->positions > 1) {
            (void)fprintf(out, ",%zu", b % batch->positions);
        }
        if (batch->label != NULL) {
            (void)fprintf(out, ",%u,%u", batch->label[b],
                          best_of(block->outputs, score, batch->active));
        } else {
            (void)fputs(",,", out); /* regression */
        }
        for (size_t j = 0; j < block->outputs; j++) {
            (void)fprintf(out, ",%.9g", (double)score[j]);
        }
        (void)fputc('\n', out);
    }
    return eg_text_file_status(&to->text);
}

eg_status eg_predictions_close(eg_predictions_file *file)
{
    if (file->text.file != NULL) {
        name_columns(file, false, 0);
    }
    return eg_text_file_close(&file->text, true);
}
