/** The settings that every dataset has; see data/common.h. */
#include "data/common.h"

#include "engram/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { BYTE_VALUES = 256 };

typedef enum scale { SCALE_STANDARD, SCALE_UNIT, SCALE_RAW, SCALE_SYMMETRIC } scale;

static const char *const scale_names[] = {
    [SCALE_STANDARD] = "standard",
    [SCALE_UNIT] = "unit",
    [SCALE_RAW] = "raw",
    [SCALE_SYMMETRIC] = "symmetric",
    NULL,
};

const eg_param eg_dataset_common[EG_DATASET_COMMON_COUNT] = {
    {.name = "path",
     .type = EG_TYPE_TEXT,
     .default_text = "",
     .keeps_results = true,
     .doc =
         "folder of the files; empty: $ENGRAM_DATA/NAME if that variable is set, else data/NAME"},
    {.name = "scale",
     .type = EG_TYPE_NAME,
     .default_text = "standard",
     .names = scale_names,
     .doc = "what a byte b stands for: (b/255 - mean)/std of the training set, b/255, b, or "
            "(b/255 - 0.5)/0.25"},
    {.name = "limit",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 4294967295.0,
     .unit = "examples",
     .doc = "use only the first n training examples and the first n/6 test examples; 0: all"},
};

static double byte_value(scale chosen, size_t byte, double mean, double std)
{
    double unit = (double)byte / 255.0;
    switch (chosen) {
    case SCALE_STANDARD:
        return (unit - mean) / std;
    case SCALE_UNIT:
        return unit;
    case SCALE_SYMMETRIC:
        return (unit - 0.5) / 0.25;
    case SCALE_RAW:
        break;
    }
    return (double)byte;
}

static bool asks_for_moments(const eg_view *view)
{
    return eg_view_name(view, "scale") == SCALE_STANDARD;
}

eg_status eg_values_fill(eg_dataset *out, const eg_view *view, const double *mean,
                         const double *std)
{
    scale chosen = (scale)eg_view_name(view, "scale");
    eg_real(*value)[256] = NULL;
    EG_TRY(eg_alloc(&value, out->shape.channels, sizeof *value));
    out->storage[EG_STORAGE_VALUE] = value;
    out->value = value;
    for (size_t c = 0; c < out->shape.channels; c++) {
        for (size_t b = 0; b < 256; b++) {
            value[c][b] = (eg_real)byte_value(chosen, b, mean[c], std[c]);
        }
    }
    return eg_ok();
}

/* Mean and standard deviation of b/255 over one channel of the training images, exact sums. */
static void measure(const eg_dataset *data, size_t channel, double *mean, double *std)
{
    const size_t pixels = eg_shape_positions(data->shape);
    uint64_t count[BYTE_VALUES] = {0};
    for (size_t i = 0; i < data->train.count; i++) {
        const uint8_t *x = data->train.x + i * data->features + channel * pixels;
        for (size_t p = 0; p < pixels; p++) {
            count[x[p]]++;
        }
    }
    double n = (double)data->train.count * (double)pixels;
    double sum = 0;
    for (size_t b = 0; b < BYTE_VALUES; b++) {
        sum += (double)count[b] * (double)b;
    }
    double middle = sum / n;
    double squares = 0;
    for (size_t b = 0; b < BYTE_VALUES; b++) {
        squares += (double)count[b] * ((double)b - middle) * ((double)b - middle);
    }
    *mean = middle / 255;
    *std = sqrt(squares / n) / 255;
}

eg_status eg_values_measure(eg_dataset *out, const eg_view *view, const char *path)
{
    size_t channels = out->shape.channels;
    double *moments = NULL;
    EG_TRY(eg_alloc(&moments, 2 * channels, sizeof *moments));
    eg_status status = eg_ok();
    for (size_t c = 0; c < channels && asks_for_moments(view) && eg_is_ok(&status); c++) {
        measure(out, c, &moments[c], &moments[channels + c]);
        if (!(moments[channels + c] > 0)) {
            status = eg_fail(EG_INVALID,
                             "%s: channel %zu is the same in all training images and cannot be "
                             "divided by its standard deviation; expected another dataset.scale",
                             path, c);
        }
    }
    if (eg_is_ok(&status)) {
        status = eg_values_fill(out, view, moments, moments + channels);
    }
    eg_free(moments);
    return status;
}

void eg_limit_apply(const eg_view *view, size_t *train, size_t *test)
{
    size_t limit = eg_view_size(view, "limit");
    if (limit == 0) {
        return;
    }
    size_t test_limit = limit >= 6 ? limit / 6 : 1;
    *train = *train < limit ? *train : limit;
    *test = *test < test_limit ? *test : test_limit;
}

eg_status eg_data_folder(char **out, const char **reason, const char *name, const eg_view *view)
{
    const char *path = eg_view_text(view, "path");
    if (path[0] != '\0') {
        *reason = "the setting dataset.path";
        return eg_strdup(out, path);
    }
    const char *data = getenv("ENGRAM_DATA");
    if (data != NULL && data[0] != '\0') {
        *reason = "from the environment variable ENGRAM_DATA";
        return eg_format(out, "%s/%s", data, name);
    }
    *reason = "the default; neither dataset.path nor ENGRAM_DATA is set";
    return eg_format(out, "data/%s", name);
}

bool eg_data_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

const char eg_data_images[] = "docs/images.md says what it has to hold";

eg_status eg_data_file(char **out, const char *dataset, const eg_view *view, const char *what)
{
    char *folder = NULL;
    const char *reason = NULL;
    EG_TRY(eg_data_folder(&folder, &reason, dataset, view));
    const char *name = eg_view_text(view, "file");
    /* An absolute path is in no folder. */
    const bool whole = name[0] == '/';
    eg_status status = eg_format(out, "%s%s%s", whole ? "" : folder, whole ? "" : "/", name);
    if (eg_is_ok(&status) && !eg_data_exists(*out)) {
        status = whole ? eg_fail(EG_INVALID, "dataset %s: no %s; %s", dataset, name, what)
                       : eg_fail(EG_INVALID, "dataset %s: no %s in %s (%s); %s", dataset, name,
                                 folder, reason, what);
    }
    eg_free(folder);
    return status;
}
