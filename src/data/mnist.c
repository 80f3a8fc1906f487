/** MNIST: handwritten digits. */
#include "data/labelled_images.h"

static const eg_labelled_images spec = {
    .name = "mnist",
    .side = 28,
    .classes = 10,
    .train = 60000,
    .test = 10000,
    .mean = 0.1307,
    .std = 0.3081,
};

static eg_status mnist_open(const eg_view *view, eg_dataset *out)
{
    return eg_labelled_images_open(&spec, view, out);
}

static void mnist_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                        size_t *classes)
{
    eg_labelled_images_sizes(&spec, view, train, test, shape, classes);
}

const eg_dataset_kind eg_dataset_mnist = {
    .component = {.name = "mnist",
                  .doc = "60,000 + 10,000 handwritten digits, 28 x 28 grey bytes, 10 classes",
                  .source = "LeCun, Cortes and Burges 1998"},
    .open = mnist_open,
    .sizes = mnist_sizes,
};
