/** Finding, reading and checking the four files; see data/labelled_images.h. */
#include "data/labelled_images.h"

#include "data/common.h"
#include "data/idx.h"
#include "engram/memory.h"

#include <errno.h>
#include <sys/stat.h>

enum { IMAGES_RANK = 3, LABELS_RANK = 1 };

/* Path of one file in whichever spelling is there; *out is NULL if none is. */
static eg_status find_file(char **out, const char *folder, const char *part, const char *what,
                           size_t rank)
{
    static const char *const marks[] = {"-", "."};
    static const char *const endings[] = {"", ".gz"};
    for (size_t m = 0; m < EG_COUNT(marks); m++) {
        for (size_t e = 0; e < EG_COUNT(endings); e++) {
            EG_TRY(eg_format(out, "%s/%s-%s%sidx%zu-ubyte%s", folder, part, what, marks[m], rank,
                             endings[e]));
            if (eg_data_exists(*out)) {
                return eg_ok();
            }
            eg_free(*out);
            *out = NULL;
        }
    }
    return eg_ok();
}

typedef struct folder {
    const eg_labelled_images *spec;
    char *path;
    const char *reason;
} folder;

/* What is wrong with a folder in which a file was not found, if it is the folder. */
static const char *folder_state(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        return errno == ENOENT ? ", which does not exist" : "";
    }
    return S_ISDIR(info.st_mode) ? "" : ", which is not a folder";
}

/* Finds and reads one file; *path names it for later messages. */
static eg_status read_file(const folder *from, const char *part, const char *what, size_t rank,
                           char **path, eg_idx *out)
{
    EG_TRY(find_file(path, from->path, part, what, rank));
    if (*path == NULL) {
        return eg_fail(EG_INVALID,
                       "dataset %s: no %s-%s-idx%zu-ubyte (nor %s-%s.idx%zu-ubyte, nor either with "
                       ".gz) in %s (%s)%s; jobs/fetch-data.sh %s gets the files",
                       from->spec->name, part, what, rank, part, what, rank, from->path,
                       from->reason, folder_state(from->path), from->spec->name);
    }
    return eg_idx_read(out, *path, rank);
}

static eg_status check_images(const eg_labelled_images *spec, const char *path, const eg_idx *idx)
{
    if (idx->dims[1] != spec->side || idx->dims[2] != spec->side) {
        return eg_fail(EG_INVALID, "%s: images of %zu x %zu; expected %zu x %zu for %s", path,
                       idx->dims[1], idx->dims[2], spec->side, spec->side, spec->name);
    }
    return eg_ok();
}

static eg_status check_labels(const eg_labelled_images *spec, const char *path, const eg_idx *idx)
{
    for (size_t i = 0; i < idx->size; i++) {
        if (idx->data[i] >= spec->classes) {
            return eg_fail(EG_INVALID, "%s: label %u of example %zu; expected 0 to %zu", path,
                           idx->data[i], i, spec->classes - 1);
        }
    }
    return eg_ok();
}

/* One part, "train" or "t10k"; what was stored is released by the caller if a later step fails. */
static eg_status read_part(const folder *from, const char *part, void **x_block,
                           eg_mapping *x_mapping, void **label_block, eg_examples *out)
{
    char *images_path = NULL;
    char *labels_path = NULL;
    eg_idx images = {.data = NULL};
    eg_idx labels = {.data = NULL};
    eg_status status;
    EG_TRY_DONE(status, read_file(from, part, "images", IMAGES_RANK, &images_path, &images));
    EG_TRY_DONE(status, check_images(from->spec, images_path, &images));
    EG_TRY_DONE(status, read_file(from, part, "labels", LABELS_RANK, &labels_path, &labels));
    EG_TRY_DONE(status, check_labels(from->spec, labels_path, &labels));
    if (images.dims[0] != labels.dims[0]) {
        status = eg_fail(EG_INVALID, "%s has %zu images but %s has %zu labels; expected as many",
                         images_path, images.dims[0], labels_path, labels.dims[0]);
        goto done;
    }
    uint16_t *label = NULL;
    EG_TRY_DONE(status, eg_alloc(&label, labels.size, sizeof *label));
    for (size_t i = 0; i < labels.size; i++) {
        label[i] = labels.data[i];
    }
    *label_block = label;
    *x_block = images.block;
    *x_mapping = images.mapping;
    *out = (eg_examples){.count = labels.size, .x = images.data, .label = label};
    images = (eg_idx){.data = NULL};
done:
    eg_idx_clear(&images);
    eg_idx_clear(&labels);
    eg_free(images_path);
    eg_free(labels_path);
    return status;
}

eg_status eg_labelled_images_open(const eg_labelled_images *spec, const eg_view *view,
                                  eg_dataset *out)
{
    out->shape = (eg_shape){spec->side, spec->side, 1};
    out->features = spec->side * spec->side;
    out->classes = spec->classes;
    EG_TRY(eg_values_fill(out, view, &spec->mean, &spec->std));
    folder from = {.spec = spec};
    eg_status status;
    EG_TRY_DONE(status, eg_data_folder(&from.path, &from.reason, spec->name, view));
    EG_TRY_DONE(status,
                read_part(&from, "train", &out->storage[EG_STORAGE_TRAIN_X], &out->mapping[0],
                          &out->storage[EG_STORAGE_TRAIN_LABEL], &out->train));
    EG_TRY_DONE(status, read_part(&from, "t10k", &out->storage[EG_STORAGE_TEST_X], &out->mapping[1],
                                  &out->storage[EG_STORAGE_TEST_LABEL], &out->test));
done:
    eg_free(from.path);
    return status;
}

void eg_labelled_images_sizes(const eg_labelled_images *spec, const eg_view *view, size_t *train,
                              size_t *test, eg_shape *shape, size_t *classes)
{
    *train = spec->train;
    *test = spec->test;
    eg_limit_apply(view, train, test);
    *shape = (eg_shape){spec->side, spec->side, 1};
    *classes = spec->classes;
}
