/** Fashion-MNIST: pictures of clothing in the format of MNIST, and harder. */
#include "data/labelled_images.h"

static const eg_labelled_images spec = {
    .name = "fashion_mnist",
    .side = 28,
    .classes = 10,
    .train = 60000,
    .test = 10000,
    .mean = 0.2860,
    .std = 0.3530,
};

static eg_status fashion_mnist_open(const eg_view *view, eg_dataset *out)
{
    return eg_labelled_images_open(&spec, view, out);
}

static void fashion_mnist_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                                size_t *classes)
{
    eg_labelled_images_sizes(&spec, view, train, test, shape, classes);
}

const eg_dataset_kind eg_dataset_fashion_mnist = {
    .component = {.name = "fashion_mnist",
                  .doc = "60,000 + 10,000 pictures of clothing, 28 x 28 grey bytes, 10 classes",
                  .source = "Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747"},
    .open = fashion_mnist_open,
    .sizes = fashion_mnist_sizes,
};
