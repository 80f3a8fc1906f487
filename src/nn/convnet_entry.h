/** Entries of the list of layers of model convnet: "conv 32 5x5 stride 2 pad same". */
#ifndef NN_CONVNET_ENTRY_H
#define NN_CONVNET_ENTRY_H

#include "engram/activation.h"
#include "engram/settings.h"

typedef enum eg_entry_kind {
    EG_ENTRY_ACTIVATION, /**< that of the model, or one by its name */
    EG_ENTRY_AVERAGE_POOL,
    EG_ENTRY_BATCH_NORM,
    EG_ENTRY_CONV,
    EG_ENTRY_DROPOUT,
    EG_ENTRY_DROPOUT_MAPS,
    EG_ENTRY_FLATTEN,
    EG_ENTRY_GLOBAL_POOL,
    EG_ENTRY_LAYER_NORM,
    EG_ENTRY_LINEAR,
    EG_ENTRY_LOCAL_RESPONSE,
    EG_ENTRY_MAX_POOL,
    EG_ENTRY_KINDS
} eg_entry_kind;

/** What an entry says; what it does not say is 0. */
typedef struct eg_entry {
    eg_entry_kind kind;
    const eg_activation *activation; /**< by its name; NULL: that of the model */
    size_t count;                    /**< filters, units */
    double share;                    /**< of dropout */
    size_t height, width;            /**< of windows */
    size_t stride, padding;
    bool same; /**< padding so that the size stays, but for the stride */
    bool no_bias;
} eg_entry;

/** The name of a kind: "conv". */
const char *eg_entry_name(eg_entry_kind kind);

/** Entry `index` of a value of type TEXTS. EG_INVALID, without the name of the setting: what is
 *  wrong, what would be right, and the nearest valid spelling. */
eg_status eg_entry_read(eg_entry *out, const eg_value *layers, size_t index) EG_WARN_UNUSED;

#endif
