/** Looking into a parameter table; see engram/parameter_table.h. */
#include "engram/parameter_table.h"

#include <string.h>

const char *const eg_role_names[] = {
    [EG_ROLE_WEIGHT] = "weight", [EG_ROLE_BIAS] = "bias", [EG_ROLE_SCALE] = "scale",
    [EG_ROLE_SHIFT] = "shift",   [EG_ROLE_COUNT] = NULL,
};

const eg_parameter_block *eg_parameter_table_find(const eg_parameter_table *table, const char *name)
{
    for (size_t b = 0; b < table->block_count; b++) {
        if (strcmp(table->blocks[b].name, name) == 0) {
            return &table->blocks[b];
        }
    }
    return NULL;
}

size_t eg_parameter_table_size(const eg_parameter_table *table, eg_role role)
{
    size_t count = 0;
    for (size_t b = 0; b < table->block_count; b++) {
        const eg_parameter_block *block = &table->blocks[b];
        if (role == EG_ROLE_COUNT || block->role == role) {
            count += block->units * block->fan_in;
        }
    }
    return count;
}
