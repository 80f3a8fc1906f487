/** Labelled images in an HDF5 file, whatever they show: the layout of docs/images.md.
 *
 *  Images that lie in one piece are mapped: all processes of a node share the pages of the file.
 *  Compressed ones are decompressed once on a node, see eg_mapping_make. */
#include "data/common.h"
#include "data/image_file.h"
#include "data/mapping.h"
#include "engram/memory.h"

static eg_shape shape_of(const eg_view *view)
{
    return (eg_shape){.height = eg_view_size(view, "height"),
                      .width = eg_view_size(view, "width"),
                      .channels = eg_view_size(view, "channels")};
}

/* Images that have to be read are made again when the file is another one. */
typedef struct reading {
    const char *path;
    size_t part, size;
} reading;

static eg_status read_images(void *user, uint8_t *out)
{
    const reading *of = user;
    return eg_images_file_read(of->path, of->part, of->size, out);
}

/* Takes the labels over. */
static eg_status open_part(const char *path, size_t part, eg_images_part *found, size_t features,
                           eg_mapping *mapping, void **label_block, eg_examples *out)
{
    reading of = {.path = path, .part = part, .size = found->count * features};
    const uint8_t *x = NULL;
    *label_block = found->label;
    found->label = NULL;
    if (found->offset == EG_IMAGE_SCATTERED) {
        const uint64_t facts[] = {1 /* how it is read */, part, of.size};
        uint64_t key = 0;
        EG_TRY(eg_mapping_key(&key, path, facts, EG_COUNT(facts)));
        EG_TRY(eg_mapping_make(mapping, &x, key, of.size, read_images, &of));
    } else {
        EG_TRY(eg_mapping_open(mapping, path, (size_t)found->offset + of.size));
        x = (const uint8_t *)mapping->address + found->offset;
    }
    *out = (eg_examples){.count = found->count, .x = x, .label = *label_block};
    return eg_ok();
}

static eg_status fill_values(eg_dataset *out, const eg_view *view, const char *path,
                             const eg_images_file *file)
{
    return file->mean != NULL ? eg_values_fill(out, view, file->mean, file->std)
                              : eg_values_measure(out, view, path);
}

static eg_status images_open(const eg_view *view, eg_dataset *out)
{
    static const size_t label_storage[EG_IMAGE_PARTS] = {EG_STORAGE_TRAIN_LABEL,
                                                         EG_STORAGE_TEST_LABEL};
    eg_examples *const examples[EG_IMAGE_PARTS] = {&out->train, &out->test};
    char *path = NULL;
    eg_images_file file = {.mean = NULL};
    eg_status status;
    out->shape = shape_of(view);
    out->features = eg_shape_size(out->shape);
    out->classes = eg_view_size(view, "classes");
    EG_TRY_DONE(status, eg_data_file(&path, "images", view, eg_data_images));
    EG_TRY_DONE(status, eg_images_file_look(&file, path, out->shape, out->classes));
    for (size_t p = 0; p < EG_IMAGE_PARTS; p++) {
        EG_TRY_DONE(status, open_part(path, p, &file.part[p], out->features, &out->mapping[p],
                                      &out->storage[label_storage[p]], examples[p]));
    }
    EG_TRY_DONE(status, fill_values(out, view, path, &file));
done:
    eg_images_file_clear(&file);
    eg_free(path);
    return status;
}

static void images_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                         size_t *classes)
{
    *train = eg_view_size(view, "examples");
    *test = eg_view_size(view, "test_examples");
    eg_limit_apply(view, train, test);
    *shape = shape_of(view);
    *classes = eg_view_size(view, "classes");
}

static const eg_param params[] = {
    {.name = "file",
     .type = EG_TYPE_TEXT,
     .default_text = "images.h5",
     .doc = "the HDF5 file in the folder"},
    {.name = "classes",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 1,
     .max = 65536,
     .doc = "classes of the file; labels are below"},
    {.name = "channels",
     .type = EG_TYPE_INT,
     .default_text = "3",
     .min = 1,
     .max = 1024,
     .doc = "channels of its images"},
    {.name = "height",
     .type = EG_TYPE_INT,
     .default_text = "32",
     .min = 1,
     .max = 4096,
     .unit = "pixels",
     .doc = "height of its images"},
    {.name = "width",
     .type = EG_TYPE_INT,
     .default_text = "32",
     .min = 1,
     .max = 4096,
     .unit = "pixels",
     .doc = "width of its images"},
    {.name = "examples",
     .type = EG_TYPE_INT,
     .default_text = "600000",
     .min = 1,
     .max = 4294967295.0,
     .keeps_results = true,
     .doc = "training examples, for estimates of time and memory before the file is opened"},
    {.name = "test_examples",
     .type = EG_TYPE_INT,
     .default_text = "100000",
     .min = 1,
     .max = 4294967295.0,
     .keeps_results = true,
     .doc = "the same of test examples"},
};

const eg_dataset_kind eg_dataset_images = {
    .component = {.name = "images",
                  .doc = "labelled images of any size in an HDF5 file (docs/images.md), such as "
                         "down-sampled ImageNet",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .open = images_open,
    .sizes = images_sizes,
};
