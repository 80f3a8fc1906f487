/** All datasets. To add one: write <name>.c ending with
 *      const eg_dataset_kind eg_dataset_<name> = {…};
 *  and add its line here. */
#include "data/common.h"

/* Sorted by name. */
#define DATASETS(ENTRY)                                                                            \
    ENTRY(cifar10)                                                                                 \
    ENTRY(cifar100)                                                                                \
    ENTRY(fashion_mnist)                                                                           \
    ENTRY(images)                                                                                  \
    ENTRY(mnist)                                                                                   \
    ENTRY(omniglot)                                                                                \
    ENTRY(synthetic)                                                                               \
    ENTRY(synthetic_classes)                                                                       \
    ENTRY(text)

#define MEMBER_TYPE eg_dataset_kind
#define MEMBER(name) eg_dataset_##name
EG_REGISTRY(DATASETS);

const eg_family eg_dataset_family = {
    .name = "dataset",
    .doc = "labelled examples to learn from and to be tested on",
    .common = eg_dataset_common,
    .common_count = EG_COUNT(eg_dataset_common),
    .members = members,
    .member_count = EG_COUNT(members),
};
