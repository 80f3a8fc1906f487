/** Reading a file of Omniglot; see data/omniglot_file.h. */
#include "data/omniglot_file.h"

#include "data/images_h5.h"
#include "engram/memory.h"

#include <string.h>

enum { SIDE = EG_OMNIGLOT_SIDE, PIXELS = EG_OMNIGLOT_PIXELS };

/** --- In the child, which ends with everything that it opened --------------------------------- */

/* Opens the images, of which there are *count. */
static eg_status open_images(hid_t *out, hid_t file, size_t *count)
{
    hsize_t extent[EG_IMAGES_H5_RANK] = {0};
    uint64_t offset = 0;
    EG_TRY(eg_images_h5_images(out, file, "", extent));
    if (extent[1] != 1 || extent[2] != SIDE || extent[3] != SIDE) {
        return eg_fail(EG_INVALID,
                       "'/images' has images of %llu x %llu x %llu; expected 1 x %d x %d",
                       (unsigned long long)extent[1], (unsigned long long)extent[2],
                       (unsigned long long)extent[3], SIDE, SIDE);
    }
    *count = (size_t)extent[0];
    return eg_images_h5_place(&offset, *out, "", extent[0] * PIXELS);
}

static eg_status look(void *user, eg_drain *out)
{
    const char *const *path = user;
    hid_t file = H5I_INVALID_HID;
    hid_t images = H5I_INVALID_HID;
    size_t count = 0;
    long long *label = NULL;
    EG_TRY(eg_images_h5_open(&file, *path));
    EG_TRY(open_images(&images, file, &count));
    EG_TRY(eg_images_h5_labels(&label, file, "", count));
    eg_write_u64(&out->writer, count);
    for (size_t i = 0; i < count; i++) {
        if (label[i] < 0 || label[i] > UINT16_MAX) {
            return eg_fail(EG_INVALID, "'/labels': label %lld of drawing %zu; expected 0 to %d",
                           label[i], i, UINT16_MAX);
        }
        const uint16_t small = (uint16_t)label[i];
        eg_write_bytes(&out->writer, &small, sizeof small);
    }
    return eg_ok();
}

/* to [28, 28]: `from` turned by 90 degrees counter-clockwise. */
static void turn(const uint8_t *from, uint8_t *to)
{
    for (size_t row = 0; row < SIDE; row++) {
        for (size_t column = 0; column < SIDE; column++) {
            to[row * SIDE + column] = from[column * SIDE + (SIDE - 1 - row)];
        }
    }
}

typedef struct reading {
    const eg_omniglot_choice *choice;
    uint8_t *out;
} reading;

static eg_status read_chosen(void *user, eg_drain *out)
{
    const reading *of = user;
    const eg_omniglot_choice *choice = of->choice;
    hid_t file = H5I_INVALID_HID;
    hid_t images = H5I_INVALID_HID;
    size_t count = 0;
    uint8_t *all = NULL;
    (void)out;
    EG_TRY(eg_images_h5_open(&file, choice->path));
    EG_TRY(open_images(&images, file, &count));
    if (count != choice->drawings) {
        return eg_fail(EG_INVALID, "'/images' changed a moment ago; expected files that stay");
    }
    EG_TRY(eg_alloc(&all, count, PIXELS));
    if (H5Dread(images, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, all) < 0) {
        return eg_fail(EG_INVALID, "'/images' is damaged and cannot be read");
    }
    for (size_t i = 0; i < choice->count; i++) {
        uint8_t *row = of->out + i * choice->turns * PIXELS;
        memcpy(row, all + (size_t)choice->drawing[i] * PIXELS, PIXELS);
        for (size_t t = 1; t < choice->turns; t++) {
            turn(row + (t - 1) * PIXELS, row + t * PIXELS);
        }
    }
    return eg_ok();
}

/** --- In this process ------------------------------------------------------------------------- */

eg_status eg_omniglot_labels(uint16_t **out, size_t *count, const char *path)
{
    unsigned char *reply = NULL;
    size_t size = 0;
    *out = NULL;
    EG_TRY(eg_images_h5_run(&reply, &size, look, &path, path, eg_images_h5_size(path)));
    eg_reader reader = eg_reader_make(reply, size);
    *count = (size_t)eg_read_u64(&reader);
    const void *labels = eg_read_bytes(&reader, *count * sizeof **out);
    eg_status status = eg_reader_status(&reader, true);
    if (eg_is_ok(&status)) {
        status = eg_alloc(out, *count, sizeof **out);
    }
    if (eg_is_ok(&status)) {
        memcpy(*out, labels, *count * sizeof **out);
    }
    eg_free(reply);
    return status;
}

eg_status eg_omniglot_read(void *user, uint8_t *out)
{
    const eg_omniglot_choice *choice = user;
    reading of = {.choice = choice, .out = out};
    unsigned char *reply = NULL;
    size_t size = 0;
    EG_TRY(
        eg_images_h5_run(&reply, &size, read_chosen, &of, choice->path, choice->drawings * PIXELS));
    eg_free(reply);
    return eg_ok();
}
