/** Saving and restoring a network; see engram/net.h. */
#include "engram/net.h"

#include "engram/memory.h"

#include <string.h>

/* blocks: their number, and of each name and count; step; buffers: their number, values;
 * parameters */
void eg_net_write(const eg_net *net, eg_writer *writer)
{
    eg_write_u32(writer, (uint32_t)net->table.block_count);
    for (size_t b = 0; b < net->table.block_count; b++) {
        eg_write_text(writer, net->table.blocks[b].name);
        eg_write_u64(writer, net->table.blocks[b].count);
    }
    eg_write_u64(writer, net->step);
    eg_write_u64(writer, net->buffer_count);
    for (size_t i = 0; i < net->buffer_count; i++) {
        eg_write_f64(writer, net->buffers[i]);
    }
    eg_write_reals(writer, net->param_count, net->params);
}

static eg_status check_block(const eg_parameter_block *expected, const char *name, uint64_t count)
{
    if (strcmp(name, expected->name) != 0 || count != expected->count) {
        return eg_fail(EG_INVALID, "saved parameters: %s of %llu numbers, expected %s of %zu", name,
                       (unsigned long long)count, expected->name, expected->count);
    }
    return eg_ok();
}

static eg_status check_blocks(const eg_net *net, eg_reader *reader)
{
    uint32_t blocks = eg_read_u32(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (blocks != net->table.block_count) {
        return eg_fail(EG_INVALID, "saved parameters: %lu blocks, expected %zu",
                       (unsigned long)blocks, net->table.block_count);
    }
    for (size_t b = 0; b < net->table.block_count; b++) {
        char *name = NULL;
        EG_TRY(eg_read_text(reader, &name));
        uint64_t count = eg_read_u64(reader);
        eg_status status = eg_reader_status(reader, false);
        if (eg_is_ok(&status)) {
            status = check_block(&net->table.blocks[b], name, count);
        }
        eg_free(name);
        EG_TRY(status);
    }
    return eg_ok();
}

eg_status eg_net_read(eg_net *net, eg_reader *reader)
{
    EG_TRY(check_blocks(net, reader));
    uint64_t step = eg_read_u64(reader);
    uint64_t buffers = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    if (buffers != net->buffer_count) {
        return eg_fail(EG_INVALID, "saved network has %llu numbers in buffers, expected %zu",
                       (unsigned long long)buffers, net->buffer_count);
    }
    /* Nothing is changed before everything has been read. */
    eg_reader values = *reader;
    (void)eg_read_bytes(reader, net->buffer_count * sizeof *net->buffers);
    EG_TRY(eg_read_reals(reader, net->param_count, net->params, "weights"));
    for (size_t i = 0; i < net->buffer_count; i++) {
        net->buffers[i] = eg_read_f64(&values);
    }
    net->step = step;
    eg_net_touch(net);
    return eg_ok();
}
