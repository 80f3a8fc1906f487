/** All datasets. Adding one: its file, and its two lines here. */
#include "data/common.h"

extern const eg_dataset_kind eg_dataset_cifar10;
extern const eg_dataset_kind eg_dataset_fashion_mnist;
extern const eg_dataset_kind eg_dataset_mnist;
extern const eg_dataset_kind eg_dataset_synthetic;

static const eg_component *const members[] = {
    &eg_dataset_cifar10.component,
    &eg_dataset_fashion_mnist.component,
    &eg_dataset_mnist.component,
    &eg_dataset_synthetic.component,
};

const eg_family eg_dataset_family = {
    .name = "dataset",
    .doc = "labelled examples to learn from and to be tested on",
    .common = eg_dataset_common,
    .common_count = EG_COUNT(eg_dataset_common),
    .members = members,
    .member_count = EG_COUNT(members),
};
