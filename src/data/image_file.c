/** Looking into files of images; see data/image_file.h. */
#include "data/image_file.h"

#include "data/images_h5.h"
#include "engram/memory.h"

#include <string.h>

static const char *const part_names[EG_IMAGE_PARTS] = {
    [EG_IMAGE_TRAIN] = "train",
    [EG_IMAGE_TEST] = "test",
};

/* What the child is asked. */
typedef struct request {
    const char *path;
    eg_shape shape;
    size_t classes;
    size_t part, size; /* of reading */
    uint8_t *out;
} request;

/** --- In the child, which ends with everything that it opened --------------------------------- */

static eg_status write_labels(const request *of, hid_t file, const char *part, size_t count,
                              eg_writer *out)
{
    long long *label = NULL;
    EG_TRY(eg_images_h5_labels(&label, file, part, count));
    for (size_t i = 0; i < count; i++) {
        if (label[i] < 0 || (unsigned long long)label[i] >= of->classes) {
            return eg_fail(EG_INVALID, "'%s/labels': label %lld of example %zu; expected 0 to %zu",
                           part, label[i], i, of->classes - 1);
        }
        const uint16_t small = (uint16_t)label[i];
        eg_write_bytes(out, &small, sizeof small);
    }
    return eg_ok();
}

static eg_status write_part(const request *of, hid_t file, const char *part, eg_writer *out)
{
    hid_t dataset = H5I_INVALID_HID;
    hsize_t extent[EG_IMAGES_H5_RANK] = {0};
    uint64_t offset = 0;
    EG_TRY(eg_images_h5_images(&dataset, file, part, extent));
    const eg_shape shape = of->shape;
    if (extent[1] != shape.channels || extent[2] != shape.height || extent[3] != shape.width) {
        return eg_fail(EG_INVALID,
                       "'%s/images' has images of %llu x %llu x %llu; expected %zu x %zu x %zu, "
                       "the dataset's channels, height and width",
                       part, (unsigned long long)extent[1], (unsigned long long)extent[2],
                       (unsigned long long)extent[3], shape.channels, shape.height, shape.width);
    }
    EG_TRY(eg_images_h5_place(&offset, dataset, part, extent[0] * eg_shape_size(shape)));
    eg_write_u64(out, extent[0]);
    eg_write_u64(out, offset);
    return write_labels(of, file, part, (size_t)extent[0], out);
}

/* Values in an attribute of one dimension; 0: there is none, or it is something else. */
static size_t attribute_count(hid_t file, const char *name, hid_t *attribute)
{
    if (H5Aexists(file, name) <= 0) {
        return 0;
    }
    *attribute = H5Aopen(file, name, H5P_DEFAULT);
    hid_t space = *attribute < 0 ? H5I_INVALID_HID : H5Aget_space(*attribute);
    hsize_t count = 0;
    bool row = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
               H5Sget_simple_extent_dims(space, &count, NULL) == 1;
    return row ? (size_t)count : 0;
}

static eg_status check_names(const request *of, hid_t file)
{
    hid_t attribute = H5I_INVALID_HID;
    if (H5Aexists(file, "class_names") <= 0) {
        return eg_ok();
    }
    size_t count = attribute_count(file, "class_names", &attribute);
    return count == of->classes
               ? eg_ok()
               : eg_fail(EG_INVALID,
                         "attribute 'class_names' has %zu names; expected %zu, the dataset's "
                         "classes",
                         count, of->classes);
}

static eg_status write_moments(const request *of, hid_t file, eg_writer *out)
{
    static const char *const names[] = {"mean", "std"};
    bool there = H5Aexists(file, names[0]) > 0 && H5Aexists(file, names[1]) > 0;
    eg_write_u8(out, there ? 1 : 0);
    double *value = NULL;
    EG_TRY(eg_alloc(&value, of->shape.channels, sizeof *value));
    for (size_t n = 0; n < 2 && there; n++) {
        hid_t attribute = H5I_INVALID_HID;
        bool fits = attribute_count(file, names[n], &attribute) == of->shape.channels &&
                    H5Aread(attribute, H5T_NATIVE_DOUBLE, value) >= 0;
        for (size_t c = 0; c < of->shape.channels && fits; c++) {
            fits = n == 0 ? value[c] >= 0 && value[c] <= 1 : value[c] > 0 && value[c] <= 1;
            eg_write_f64(out, value[c]);
        }
        if (!fits) {
            return eg_fail(EG_INVALID,
                           "attribute '%s' is not what it should be: a number between 0 and 1 for "
                           "each of %zu channels",
                           names[n], of->shape.channels);
        }
    }
    return eg_ok();
}

static eg_status look(void *user, eg_drain *out)
{
    const request *of = user;
    hid_t file = H5I_INVALID_HID;
    EG_TRY(eg_images_h5_open(&file, of->path));
    EG_TRY(check_names(of, file));
    for (size_t p = 0; p < EG_IMAGE_PARTS; p++) {
        EG_TRY(write_part(of, file, part_names[p], &out->writer));
    }
    return write_moments(of, file, &out->writer);
}

static eg_status read_images(void *user, eg_drain *out)
{
    const request *of = user;
    const char *part = part_names[of->part];
    hid_t file = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;
    hsize_t extent[EG_IMAGES_H5_RANK] = {0};
    (void)out;
    EG_TRY(eg_images_h5_open(&file, of->path));
    EG_TRY(eg_images_h5_images(&dataset, file, part, extent));
    if (extent[0] * extent[1] * extent[2] * extent[3] != of->size) {
        return eg_fail(EG_INVALID, "'%s/images' changed a moment ago; expected files that stay",
                       part);
    }
    return H5Dread(dataset, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, of->out) >= 0
               ? eg_ok()
               : eg_fail(EG_INVALID, "'%s/images' is damaged and cannot be read", part);
}

/** --- In this process ------------------------------------------------------------------------- */

static eg_status read_part(eg_images_part *out, eg_reader *reader, eg_shape shape,
                           uint64_t file_bytes, const char *name)
{
    uint64_t count = eg_read_u64(reader);
    out->offset = eg_read_u64(reader);
    const void *labels = eg_read_bytes(reader, (size_t)count * sizeof *out->label);
    EG_TRY(eg_reader_status(reader, false));
    uint64_t size = count * eg_shape_size(shape);
    if (out->offset != EG_IMAGE_SCATTERED &&
        (out->offset > file_bytes || size > file_bytes - out->offset)) {
        return eg_fail(EG_INVALID, "'%s/images' goes on beyond the end of the file", name);
    }
    out->count = (size_t)count;
    EG_TRY(eg_alloc(&out->label, out->count, sizeof *out->label));
    memcpy(out->label, labels, out->count * sizeof *out->label);
    return eg_ok();
}

static eg_status read_moments(eg_images_file *out, eg_reader *reader, size_t channels)
{
    if (eg_read_u8(reader) == 0) {
        return eg_reader_status(reader, true);
    }
    EG_TRY(eg_alloc(&out->mean, channels, sizeof *out->mean));
    EG_TRY(eg_alloc(&out->std, channels, sizeof *out->std));
    for (size_t c = 0; c < 2 * channels; c++) {
        *(c < channels ? out->mean + c : out->std + (c - channels)) = eg_read_f64(reader);
    }
    return eg_reader_status(reader, true);
}

eg_status eg_images_file_look(eg_images_file *out, const char *path, eg_shape shape, size_t classes)
{
    request of = {.path = path, .shape = shape, .classes = classes};
    uint64_t bytes = eg_images_h5_size(path);
    unsigned char *reply = NULL;
    size_t size = 0;
    *out = (eg_images_file){.mean = NULL};
    EG_TRY(eg_images_h5_run(&reply, &size, look, &of, path, bytes));
    eg_reader reader = eg_reader_make(reply, size);
    eg_status status = eg_ok();
    for (size_t p = 0; p < EG_IMAGE_PARTS; p++) {
        EG_TRY_DONE(status, read_part(&out->part[p], &reader, shape, bytes, part_names[p]));
    }
    EG_TRY_DONE(status, read_moments(out, &reader, shape.channels));
done:
    eg_free(reply);
    if (!eg_is_ok(&status)) {
        eg_images_file_clear(out);
        return status.code == EG_MEMORY ? status : eg_status_wrap(status, "%s", path);
    }
    return status;
}

void eg_images_file_clear(eg_images_file *file)
{
    for (size_t p = 0; p < EG_IMAGE_PARTS; p++) {
        eg_free(file->part[p].label);
    }
    eg_free(file->mean);
    eg_free(file->std);
    *file = (eg_images_file){.mean = NULL};
}

eg_status eg_images_file_read(const char *path, size_t part, size_t size, uint8_t *out)
{
    request of = {.path = path, .part = part, .size = size, .out = out};
    unsigned char *reply = NULL;
    size_t replied = 0;
    EG_TRY(eg_images_h5_run(&reply, &replied, read_images, &of, path, size));
    eg_free(reply);
    return eg_ok();
}
