/** Where parameters stand; see learner/apd_layout.h. */
#include "learner/apd_layout.h"

#include "engram/memory.h"
#include "learner/capacity.h"

#include <stdio.h>
#include <string.h>

/* Whole cache lines. */
static size_t lines(size_t count)
{
    const size_t line = EG_ALIGNMENT / sizeof(eg_real);
    return (count + line - 1) / line * line;
}

static void add_part(eg_apd_layout *layout, const eg_parameter_block *block)
{
    size_t units = (block->units + block->lanes - 1) / block->lanes * block->lanes;
    layout->parts[layout->part_count++] =
        (eg_apd_part){.block = block, .at = layout->weights, .unit = layout->units, .units = units};
    layout->weights += lines(block->count);
    layout->units += lines(units);
}

static void add_own(eg_apd_layout *layout, const eg_parameter_block *block, bool head)
{
    layout->owns[layout->own_count++] =
        (eg_apd_own){.block = block, .at = layout->own, .head = head};
    layout->own += head ? block->units * block->fan_in : block->count;
    layout->plain += head ? 0 : block->count;
}

eg_status eg_apd_layout_init(eg_apd_layout *out, const eg_net *net)
{
    size_t blocks = net->table.block_count;
    *out = (eg_apd_layout){.part_count = 0};
    EG_TRY(eg_alloc(&out->parts, blocks, sizeof *out->parts));
    EG_TRY(eg_alloc(&out->owns, blocks, sizeof *out->owns));
    for (size_t heads = 0; heads < 2; heads++) {
        for (size_t b = 0; b < blocks; b++) {
            const eg_parameter_block *block = &net->table.blocks[b];
            bool head = block->head;
            if (head == (heads == 1) && !head && block->role == EG_ROLE_WEIGHT) {
                add_part(out, block);
            } else if (head == (heads == 1)) {
                add_own(out, block, head);
            }
        }
    }
    out->plane = out->weights + out->units;
    out->first_own = out->weights;
    out->first_plane = out->first_own + lines(out->own);
    return eg_ok();
}

void eg_apd_layout_clear(eg_apd_layout *layout)
{
    eg_free(layout->parts);
    eg_free(layout->owns);
    *layout = (eg_apd_layout){.part_count = 0};
}

static size_t active_count(const eg_active *active, const eg_parameter_block *block)
{
    return active != NULL ? active->count : block->units;
}

size_t eg_apd_own_size(const eg_apd_layout *layout, const eg_active *active)
{
    size_t size = layout->plain;
    for (size_t k = 0; k < layout->own_count; k++) {
        const eg_parameter_block *block = layout->owns[k].block;
        size += layout->owns[k].head ? active_count(active, block) * block->fan_in : 0;
    }
    return size;
}

/* Where the first number of the c-th active output stands in a block of the head, whose others
 * follow at distances of its lanes. */
static size_t output_first(const eg_parameter_block *block, const eg_active *active, size_t c)
{
    size_t unit = active != NULL ? active->output[c] : c;
    return block->offset + unit / block->lanes * block->lanes * block->fan_in + unit % block->lanes;
}

void eg_apd_own_get(const eg_apd_layout *layout, const eg_active *active, const eg_real *plane,
                    eg_real *own)
{
    for (size_t k = 0; k < layout->own_count; k++) {
        const eg_parameter_block *block = layout->owns[k].block;
        if (!layout->owns[k].head) {
            memcpy(own, plane + block->offset, block->count * sizeof *own);
            own += block->count;
            continue;
        }
        for (size_t c = 0; c < active_count(active, block); c++) {
            const eg_real *from = plane + output_first(block, active, c);
            for (size_t i = 0; i < block->fan_in; i++) {
                *own++ = from[i * block->lanes];
            }
        }
    }
}

void eg_apd_own_set(const eg_apd_layout *layout, const eg_active *active, const eg_real *own,
                    eg_real *plane)
{
    for (size_t k = 0; k < layout->own_count; k++) {
        const eg_parameter_block *block = layout->owns[k].block;
        if (!layout->owns[k].head) {
            memcpy(plane + block->offset, own, block->count * sizeof *own);
            own += block->count;
            continue;
        }
        for (size_t c = 0; c < active_count(active, block); c++) {
            eg_real *to = plane + output_first(block, active, c);
            for (size_t i = 0; i < block->fan_in; i++) {
                to[i * block->lanes] = *own++;
            }
        }
    }
}

static void add_row(eg_parameter_table *table, const char *group, const eg_apd_part *part,
                    size_t offset, bool mask)
{
    eg_parameter_block *row = &table->blocks[table->block_count++];
    *row = *part->block;
    row->offset = offset;
    if (mask) {
        row->role = EG_ROLE_SCALE;
        row->count = part->units;
        row->fan_in = 1;
    }
    (void)snprintf(row->name, sizeof row->name, "%.20s.%.50s%s", group, part->block->name,
                   mask ? ".mask" : "");
}

static void add_plane(eg_parameter_table *table, const eg_apd_layout *layout, const char *group,
                      size_t offset, bool masks)
{
    for (size_t k = 0; k < layout->part_count; k++) {
        add_row(table, group, &layout->parts[k], offset + layout->parts[k].at, false);
    }
    for (size_t k = 0; masks && k < layout->part_count; k++) {
        size_t at = layout->weights + layout->parts[k].unit;
        add_row(table, group, &layout->parts[k], offset + at, true);
    }
}

/* Biases and the head in one block: no rule for whole blocks looks at its rows. */
static void add_own_row(eg_parameter_table *table, const eg_apd_layout *layout)
{
    table->blocks[table->block_count++] = (eg_parameter_block){.name = "own",
                                                               .role = EG_ROLE_BIAS,
                                                               .offset = layout->first_own,
                                                               .count = layout->own,
                                                               .units = layout->own,
                                                               .fan_in = 1,
                                                               .lanes = 1};
}

eg_status eg_apd_table(eg_parameter_table *out, const eg_apd_layout *layout, size_t planes)
{
    size_t rows = layout->part_count * (1 + 2 * planes) + 1;
    *out = (eg_parameter_table){.count = layout->first_plane + planes * layout->plane};
    EG_TRY(eg_alloc(&out->blocks, rows, sizeof *out->blocks));
    add_plane(out, layout, "shared", 0, false);
    add_own_row(out, layout);
    for (size_t p = 0; p < planes; p++) {
        char group[32];
        (void)snprintf(group, sizeof group, "plane%zu", p);
        add_plane(out, layout, group, layout->first_plane + p * layout->plane, true);
    }
    return eg_ok();
}
