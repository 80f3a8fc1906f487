/** CIFAR-100: small colour photographs of 100 classes in 20 groups. */
#include "data/cifar.h"

/* The first label byte of a record is the group, the second the class. */
typedef enum labels { LABELS_FINE, LABELS_COARSE } labels;

static const char *const labels_names[] = {
    [LABELS_FINE] = "fine",
    [LABELS_COARSE] = "coarse",
    NULL,
};

static eg_cifar spec_of(const eg_view *view)
{
    bool fine = eg_view_name(view, "labels") == LABELS_FINE;
    return (eg_cifar){
        .name = "cifar100",
        .label_bytes = 2,
        .label_at = fine ? 1 : 0,
        .classes = fine ? 100 : 20,
        .train = 50000,
        .test = 10000,
        .train_file = "train.bin",
        .test_file = "test.bin",
        .mean = {0.5071, 0.4865, 0.4409},
        .std = {0.2673, 0.2564, 0.2762},
    };
}

static eg_status cifar100_open(const eg_view *view, eg_dataset *out)
{
    const eg_cifar spec = spec_of(view);
    return eg_cifar_open(&spec, view, out);
}

static void cifar100_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                           size_t *classes)
{
    const eg_cifar spec = spec_of(view);
    eg_cifar_sizes(&spec, view, train, test, shape, classes);
}

static const eg_param params[] = {
    {.name = "labels",
     .type = EG_TYPE_NAME,
     .default_text = "fine",
     .names = labels_names,
     .doc = "the 100 classes, or the 20 groups of five classes they are in"},
    EG_CIFAR_LAYOUT,
};

const eg_dataset_kind eg_dataset_cifar100 = {
    .component = {.name = "cifar100",
                  .doc = "50,000 + 10,000 photographs, 3 x 32 x 32 bytes, 100 classes",
                  .source =
                      "Krizhevsky 2009, Learning multiple layers of features from tiny images",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .open = cifar100_open,
    .sizes = cifar100_sizes,
};
