/** CIFAR-10: small colour photographs. */
#include "data/cifar.h"

static const eg_cifar spec = {
    .name = "cifar10",
    .label_bytes = 1,
    .classes = 10,
    .train = 50000,
    .test = 10000,
    .train_stem = "data_batch_",
    .test_file = "test_batch.bin",
    .mean = {0.4914, 0.4822, 0.4465},
    .std = {0.2470, 0.2435, 0.2616},
};

static const eg_param params[] = {EG_CIFAR_LAYOUT};

static eg_status cifar10_open(const eg_view *view, eg_dataset *out)
{
    return eg_cifar_open(&spec, view, out);
}

static void cifar10_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                          size_t *classes)
{
    eg_cifar_sizes(&spec, view, train, test, shape, classes);
}

const eg_dataset_kind eg_dataset_cifar10 = {
    .component = {.name = "cifar10",
                  .doc = "50,000 + 10,000 photographs, 3 x 32 x 32 bytes, 10 classes",
                  .source =
                      "Krizhevsky 2009, Learning multiple layers of features from tiny images",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .open = cifar10_open,
    .sizes = cifar10_sizes,
};
