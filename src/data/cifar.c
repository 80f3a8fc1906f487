/** Finding, reading and checking the files; see data/cifar.h.
 *
 *  Source of the format: A. Krizhevsky, the page of the CIFAR-10 dataset, "binary version". Labels
 *  stand between the pictures, so files are read twice, first for their size, and copied apart. */
#include "data/cifar.h"

#include "data/byte_source.h"
#include "data/common.h"
#include "engram/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PICTURE = EG_CIFAR_CHANNELS * EG_CIFAR_SIDE * EG_CIFAR_SIDE,
    LABELS_MAX = 2,
    FILES_MAX = 99,
};

typedef enum layout { LAYOUT_PLANAR, LAYOUT_ASIS } layout;

const char *const eg_cifar_layout_names[] = {
    [LAYOUT_PLANAR] = "planar",
    [LAYOUT_ASIS] = "asis",
    NULL,
};

static size_t record_size(const eg_cifar *spec)
{
    return spec->label_bytes + PICTURE;
}

typedef struct folder {
    const eg_cifar *spec;
    char *path;
    const char *reason;
} folder;

/* Files of one part; owned. */
typedef struct files {
    size_t count;
    char *path[FILES_MAX];
} files;

static void files_clear(files *list)
{
    for (size_t i = 0; i < list->count; i++) {
        eg_free(list->path[i]);
    }
}

/* Path of folder/name, plain or with .gz; NULL if neither is there. */
static eg_status find_file(char **out, const folder *from, const char *name)
{
    static const char *const endings[] = {"", ".gz"};
    for (size_t e = 0; e < EG_COUNT(endings); e++) {
        EG_TRY(eg_format(out, "%s/%s%s", from->path, name, endings[e]));
        if (eg_data_exists(*out)) {
            return eg_ok();
        }
        eg_free(*out);
        *out = NULL;
    }
    return eg_ok();
}

static eg_status fail_missing(const folder *from, const char *name)
{
    return eg_fail(EG_INVALID,
                   "dataset %s: no %s or %s.gz in %s (%s); jobs/fetch-data.sh %s gets the files",
                   from->spec->name, name, name, from->path, from->reason, from->spec->name);
}

/* Adds one file to the list if it is there. */
static eg_status add_file(files *list, const folder *from, const char *name)
{
    EG_TRY(find_file(&list->path[list->count], from, name));
    list->count += list->path[list->count] != NULL ? 1 : 0;
    return eg_ok();
}

static eg_status find_single(files *list, const folder *from, const char *name)
{
    EG_TRY(add_file(list, from, name));
    return list->count == 1 ? eg_ok() : fail_missing(from, name);
}

static eg_status find_training(files *list, const folder *from)
{
    if (from->spec->train_stem == NULL) {
        return find_single(list, from, from->spec->train_file);
    }
    char missing[64] = "";
    for (size_t number = 1; number <= FILES_MAX; number++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s%zu.bin", from->spec->train_stem, number);
        size_t before = list->count;
        EG_TRY(add_file(list, from, name));
        if (list->count == before && missing[0] == '\0') {
            memcpy(missing, name, sizeof missing);
        } else if (list->count > before && missing[0] != '\0') {
            return fail_missing(from, missing);
        }
    }
    return list->count > 0 ? eg_ok() : fail_missing(from, missing);
}

/* Bytes of a file's data; those of a gzip file are known only once it was read. */
static eg_status measure(const char *path, size_t *size)
{
    eg_byte_source source;
    EG_TRY(eg_byte_source_open(&source, path, "a file of CIFAR"));
    unsigned char bytes[PICTURE];
    size_t got = source.plain ? 0 : sizeof bytes;
    eg_status status = eg_ok();
    *size = source.plain ? source.file_size : 0;
    while (got == sizeof bytes) {
        EG_TRY_DONE(status, eg_byte_source_read(&source, bytes, sizeof bytes, &got));
        *size += got;
    }
done:
    eg_byte_source_close(&source);
    return status;
}

static eg_status count_records(const eg_cifar *spec, const files *list, size_t *count)
{
    const size_t record = record_size(spec);
    *count = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t size = 0;
        EG_TRY(measure(list->path[i], &size));
        if (size == 0 || size % record != 0) {
            return eg_fail(EG_INVALID,
                           "%s: %zu bytes of data; expected a multiple of %zu, %s and 3 x 32 x "
                           "32 bytes for every example",
                           list->path[i], size, record,
                           spec->label_bytes == 1 ? "a label" : "two labels");
        }
        *count += size / record;
    }
    return eg_ok();
}

/* A picture's bytes, taken for pixels of three channels, as planes. */
static void take_as_pixels(const unsigned char *picture, uint8_t *x)
{
    enum { PIXELS = EG_CIFAR_SIDE * EG_CIFAR_SIDE };
    for (size_t p = 0; p < PIXELS; p++) {
        for (size_t c = 0; c < EG_CIFAR_CHANNELS; c++) {
            x[c * PIXELS + p] = picture[p * EG_CIFAR_CHANNELS + c];
        }
    }
}

/* Reads the records of one file from example *at on, at most `count` in all. */
static eg_status read_records(const eg_cifar *spec, layout as, const char *path, size_t count,
                              uint8_t *x, uint16_t *label, size_t *at)
{
    const size_t size = record_size(spec);
    eg_byte_source source;
    EG_TRY(eg_byte_source_open(&source, path, "a file of CIFAR"));
    eg_status status = eg_ok();
    for (size_t i = 0; *at < count; i++) {
        unsigned char record[LABELS_MAX + PICTURE];
        size_t got = 0;
        EG_TRY_DONE(status, eg_byte_source_read(&source, record, size, &got));
        if (got < size) {
            break;
        }
        unsigned found = record[spec->label_at];
        if (found >= spec->classes) {
            status = eg_fail(EG_INVALID, "%s: label %u of example %zu; expected 0 to %zu", path,
                             found, i, spec->classes - 1);
            goto done;
        }
        label[*at] = (uint16_t)found;
        if (as == LAYOUT_ASIS) {
            take_as_pixels(record + spec->label_bytes, x + *at * PICTURE);
        } else {
            memcpy(x + *at * PICTURE, record + spec->label_bytes, PICTURE);
        }
        (*at)++;
    }
done:
    eg_byte_source_close(&source);
    return status;
}

static eg_status read_part(const eg_cifar *spec, layout as, const files *list, void **x_block,
                           void **label_block, eg_examples *out)
{
    size_t count = 0;
    EG_TRY(count_records(spec, list, &count));
    uint8_t *x = NULL;
    EG_TRY(eg_alloc(&x, count, PICTURE));
    *x_block = x;
    uint16_t *label = NULL;
    EG_TRY(eg_alloc(&label, count, sizeof *label));
    *label_block = label;
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++) {
        EG_TRY(read_records(spec, as, list->path[i], count, x, label, &at));
    }
    if (at < count) {
        return eg_fail(EG_INVALID,
                       "%s: %zu examples, but %zu a moment ago; expected files that stay",
                       list->path[0], at, count);
    }
    *out = (eg_examples){.count = count, .x = x, .label = label};
    return eg_ok();
}

/* Every channel has a third of each plane. */
static eg_status fill_mixed(eg_dataset *out, const eg_view *view, const eg_cifar *spec)
{
    double mean[EG_CIFAR_CHANNELS];
    double std[EG_CIFAR_CHANNELS];
    double sum = 0;
    double squares = 0;
    for (size_t c = 0; c < EG_CIFAR_CHANNELS; c++) {
        sum += spec->mean[c];
        squares += spec->std[c] * spec->std[c] + spec->mean[c] * spec->mean[c];
    }
    for (size_t c = 0; c < EG_CIFAR_CHANNELS; c++) {
        mean[c] = sum / EG_CIFAR_CHANNELS;
        std[c] = sqrt(squares / EG_CIFAR_CHANNELS - mean[c] * mean[c]);
    }
    return eg_values_fill(out, view, mean, std);
}

eg_status eg_cifar_open(const eg_cifar *spec, const eg_view *view, eg_dataset *out)
{
    out->shape = (eg_shape){EG_CIFAR_SIDE, EG_CIFAR_SIDE, EG_CIFAR_CHANNELS};
    out->features = PICTURE;
    out->classes = spec->classes;
    layout as = (layout)eg_view_name(view, "layout");
    EG_TRY(as == LAYOUT_ASIS ? fill_mixed(out, view, spec)
                             : eg_values_fill(out, view, spec->mean, spec->std));
    folder from = {.spec = spec};
    files train = {.count = 0};
    files test = {.count = 0};
    eg_status status;
    EG_TRY_DONE(status, eg_data_folder(&from.path, &from.reason, spec->name, view));
    EG_TRY_DONE(status, find_training(&train, &from));
    EG_TRY_DONE(status, find_single(&test, &from, spec->test_file));
    EG_TRY_DONE(status, read_part(spec, as, &train, &out->storage[EG_STORAGE_TRAIN_X],
                                  &out->storage[EG_STORAGE_TRAIN_LABEL], &out->train));
    EG_TRY_DONE(status, read_part(spec, as, &test, &out->storage[EG_STORAGE_TEST_X],
                                  &out->storage[EG_STORAGE_TEST_LABEL], &out->test));
done:
    files_clear(&train);
    files_clear(&test);
    eg_free(from.path);
    return status;
}

void eg_cifar_sizes(const eg_cifar *spec, const eg_view *view, size_t *train, size_t *test,
                    eg_shape *shape, size_t *classes)
{
    *train = spec->train;
    *test = spec->test;
    eg_limit_apply(view, train, test);
    *shape = (eg_shape){EG_CIFAR_SIDE, EG_CIFAR_SIDE, EG_CIFAR_CHANNELS};
    *classes = spec->classes;
}
