/** What the parameters of a network are: named blocks of one flat array.
 *
 *      layer1.weight | layer1.bias | (padding) | layer2.weight | …
 *
 *  A network has one table. Its parameters, their gradients, an optimizer's state, importances and
 *  anchors are *planes* over it: arrays [table->count] in which a block stands at the same place.
 *  Code that treats parameters by their role (weight decay, export, counting) reads the table. */
#ifndef ENGRAM_PARAMETER_TABLE_H
#define ENGRAM_PARAMETER_TABLE_H

#include "engram/initial.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { EG_BLOCK_NAME_SIZE = 80 /**< bytes of a block's name, with the final 0 */ };

/** What a block is for. */
typedef enum eg_role {
    EG_ROLE_WEIGHT, /**< multiplies inputs */
    EG_ROLE_BIAS,   /**< is added to a unit */
    EG_ROLE_SCALE,  /**< multiplies a normalised unit */
    EG_ROLE_SHIFT,  /**< is added to a normalised unit */
    EG_ROLE_COUNT
} eg_role;

/** Names of the roles: "weight", "bias", "scale", "shift", NULL. */
extern const char *const eg_role_names[];

typedef struct eg_parameter_block {
    char name[EG_BLOCK_NAME_SIZE]; /**< "layer1.weight" */
    eg_role role;
    size_t node;          /**< of the network: which layer declares it */
    size_t index;         /**< among the blocks of that layer */
    size_t offset, count; /**< place in a plane; count includes what pads units to whole panels */
    size_t units,
        fan_in; /**< parameters: units x fan_in; fan_in of biases is 1, of norms the positions */
    eg_initial initial; /**< what they start as */
    size_t lanes;       /**< units of a panel: see eg_parameter_unit; 1: rows */
    bool head;          /**< of the layer that makes the outputs (eg_node_is_head) */
} eg_parameter_block;

typedef struct eg_parameter_table {
    size_t count; /**< length of a plane, with padding, which is 0 in all planes */
    size_t block_count;
    eg_parameter_block *blocks; /**< in the order of their offsets; owned */
} eg_parameter_table;

/** The unit that number i of a block belongs to; padding if it is block->units or more. In a panel,
 * number after number, stand the first weights of all its units, then the second ones, …. */
static inline size_t eg_parameter_unit(const eg_parameter_block *block, size_t i)
{
    return i / (block->lanes * block->fan_in) * block->lanes + i % block->lanes;
}

/** The block of that name, or NULL. */
const eg_parameter_block *eg_parameter_table_find(const eg_parameter_table *table,
                                                  const char *name);
/** Real parameters, without padding, of one role, or of all with EG_ROLE_COUNT. */
size_t eg_parameter_table_size(const eg_parameter_table *table, eg_role role);

#endif
