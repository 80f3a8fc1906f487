/** Omniglot: drawings of characters, few of each, from an HDF5 file (docs/images.md).
 *
 *  Characters are classes, numbered as they appear in the file; of each the first drawings are for
 *  training and the next ones for testing. With `rotations` every drawing is there four times,
 *  turned by 0, 90, 180 and 270 degrees, as one class. The images are made once on a node, see
 *  eg_mapping_make. */
#include "data/common.h"
#include "data/mapping.h"
#include "data/omniglot_file.h"
#include "engram/memory.h"
#include "engram/pack.h"

enum { LABELS = 65536, TURNS = 4 };

static size_t turns_of(const eg_view *view)
{
    return eg_view_bool(view, "rotations") ? TURNS : 1;
}

/* What a file has: labels [drawings], numbered as they appear. */
typedef struct drawings {
    const char *path;
    uint16_t *label;
    size_t count;
    size_t characters;
    size_t *each; /* [characters] */
} drawings;

static void drawings_clear(drawings *of)
{
    eg_free(of->label);
    eg_free(of->each);
}

/* number [LABELS] begins zero, and becomes one more than the number of a character. */
static void number_characters(drawings *of, uint32_t *number)
{
    for (size_t i = 0; i < of->count; i++) {
        uint32_t *found = &number[of->label[i]];
        if (*found == 0) {
            *found = (uint32_t)++of->characters;
        }
        of->label[i] = (uint16_t)(*found - 1);
        of->each[of->label[i]]++;
    }
}

static eg_status look(drawings *out, const char *path)
{
    uint32_t *number = NULL;
    *out = (drawings){.path = path};
    EG_TRY(eg_omniglot_labels(&out->label, &out->count, path));
    EG_TRY(eg_alloc(&out->each, LABELS, sizeof *out->each));
    EG_TRY(eg_alloc(&number, LABELS, sizeof *number));
    number_characters(out, number);
    eg_free(number);
    return eg_ok();
}

static eg_status check(const drawings *of, const eg_view *view)
{
    size_t characters = eg_view_size(view, "characters");
    size_t train = eg_view_size(view, "train_drawings");
    size_t test = eg_view_size(view, "test_drawings");
    if (of->characters < characters) {
        return eg_fail_setting(view->prefix, "characters",
                               "%scharacters = %zu; expected at most %zu, the characters of %s",
                               view->prefix, characters, of->characters, of->path);
    }
    for (size_t c = 0; c < characters; c++) {
        if (of->each[c] < train + test) {
            return eg_fail_setting(view->prefix, "train_drawings test_drawings",
                                   "%strain_drawings = %zu and %stest_drawings = %zu; character "
                                   "%zu (from 0) of %s has %zu drawings, expected at most that in "
                                   "all",
                                   view->prefix, train, view->prefix, test, c, of->path,
                                   of->each[c]);
        }
    }
    return eg_ok();
}

/* Which drawings of every character a part has: numbers first … first + each - 1 of it. */
typedef struct part {
    size_t characters, first, each;
} part;

/* drawing [characters * each], character by character; next [characters] begins zero. */
static void choose(const drawings *of, const part *wanted, size_t *next, uint32_t *drawing)
{
    for (size_t i = 0; i < of->count; i++) {
        size_t c = of->label[i];
        size_t place = c < wanted->characters ? next[c]++ : SIZE_MAX;
        if (place >= wanted->first && place - wanted->first < wanted->each) {
            drawing[c * wanted->each + place - wanted->first] = (uint32_t)i;
        }
    }
}

/* Maps what is made of the choice; labels are by character. */
static eg_status map_part(eg_omniglot_choice *choice, size_t each, eg_mapping *mapping,
                          void **label_block, eg_examples *out)
{
    const uint64_t facts[] = {2 /* how it is made */, choice->turns,
                              eg_hash64(choice->drawing, choice->count * sizeof *choice->drawing)};
    size_t rows = choice->count * choice->turns;
    uint16_t *label = NULL;
    const uint8_t *x = NULL;
    uint64_t key = 0;
    EG_TRY(eg_alloc(&label, rows, sizeof *label));
    *label_block = label;
    for (size_t i = 0; i < rows; i++) {
        label[i] = (uint16_t)(i / (each * choice->turns));
    }
    EG_TRY(eg_mapping_key(&key, choice->path, facts, EG_COUNT(facts)));
    EG_TRY(eg_mapping_make(mapping, &x, key, rows * EG_OMNIGLOT_PIXELS, eg_omniglot_read, choice));
    *out = (eg_examples){.count = rows, .x = x, .label = label};
    return eg_ok();
}

static eg_status open_part(const drawings *of, const part *wanted, size_t turns,
                           eg_mapping *mapping, void **label_block, eg_examples *out)
{
    size_t count = wanted->characters * wanted->each;
    uint32_t *drawing = NULL;
    size_t *next = NULL;
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&drawing, count, sizeof *drawing));
    EG_TRY_DONE(status, eg_alloc(&next, wanted->characters, sizeof *next));
    choose(of, wanted, next, drawing);
    eg_omniglot_choice choice = {.path = of->path,
                                 .drawings = of->count,
                                 .count = count,
                                 .drawing = drawing,
                                 .turns = turns};
    status = map_part(&choice, wanted->each, mapping, label_block, out);
done:
    eg_free(drawing);
    eg_free(next);
    return status;
}

static eg_status omniglot_open(const eg_view *view, eg_dataset *out)
{
    char *path = NULL;
    drawings of = {.path = NULL};
    size_t characters = eg_view_size(view, "characters");
    size_t train = eg_view_size(view, "train_drawings");
    const part parts[] = {{characters, 0, train},
                          {characters, train, eg_view_size(view, "test_drawings")}};
    eg_status status;
    out->shape = (eg_shape){EG_OMNIGLOT_SIDE, EG_OMNIGLOT_SIDE, 1};
    out->features = EG_OMNIGLOT_PIXELS;
    out->classes = characters;
    EG_TRY_DONE(status, eg_data_file(&path, "omniglot", view, eg_data_images));
    EG_TRY_DONE(status, look(&of, path));
    EG_TRY_DONE(status, check(&of, view));
    EG_TRY_DONE(status, open_part(&of, &parts[0], turns_of(view), &out->mapping[0],
                                  &out->storage[EG_STORAGE_TRAIN_LABEL], &out->train));
    EG_TRY_DONE(status, open_part(&of, &parts[1], turns_of(view), &out->mapping[1],
                                  &out->storage[EG_STORAGE_TEST_LABEL], &out->test));
    EG_TRY_DONE(status, eg_values_measure(out, view, path));
done:
    drawings_clear(&of);
    eg_free(path);
    return status;
}

static void omniglot_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                           size_t *classes)
{
    *classes = eg_view_size(view, "characters");
    *train = *classes * eg_view_size(view, "train_drawings") * turns_of(view);
    *test = *classes * eg_view_size(view, "test_drawings") * turns_of(view);
    eg_limit_apply(view, train, test);
    *shape = (eg_shape){EG_OMNIGLOT_SIDE, EG_OMNIGLOT_SIDE, 1};
}

static const eg_param params[] = {
    {.name = "file",
     .type = EG_TYPE_TEXT,
     .default_text = "omniglot.h5",
     .doc = "the HDF5 file in the folder"},
    {.name = "characters",
     .type = EG_TYPE_INT,
     .default_text = "1200",
     .min = 1,
     .max = LABELS,
     .doc = "that are used, the first ones of the file; each is a class"},
    {.name = "train_drawings",
     .type = EG_TYPE_INT,
     .default_text = "15",
     .min = 1,
     .max = 10000,
     .doc = "of every character to learn from, the first ones of the file"},
    {.name = "test_drawings",
     .type = EG_TYPE_INT,
     .default_text = "5",
     .min = 1,
     .max = 10000,
     .doc = "of every character to be tested on, those after them"},
    {.name = "rotations",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "every drawing turned by 0, 90, 180 and 270 degrees, as one class; false: as it is"},
};

const eg_dataset_kind eg_dataset_omniglot = {
    .component = {.name = "omniglot",
                  .doc = "handwritten characters, 28 x 28, few drawings of each, in an HDF5 file "
                         "(docs/images.md)",
                  .source = "Lake et al. 2015, Science 350, doi 10.1126/science.aab3050",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .open = omniglot_open,
    .sizes = omniglot_sizes,
};
