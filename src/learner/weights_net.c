/** The arrays of a network; see engram/weights.h. */
#include "engram/weights.h"

#include "engram/net.h"
#include "engram/units.h"

#include <stdio.h>

static eg_status name_in(char out[EG_WEIGHTS_NAME_SIZE], const char *group, const char *name)
{
    int length = snprintf(out, EG_WEIGHTS_NAME_SIZE, "%s/%s", group, name);
    return length > 0 && length < EG_WEIGHTS_NAME_SIZE
               ? eg_ok()
               : eg_fail(EG_INVALID, "%.60s/%.60s: the name is too long", group, name);
}

eg_status eg_weights_block(eg_weights_pass *pass, const char *group, const char *role,
                           const eg_net *net, size_t block, eg_real *plane)
{
    const eg_parameter_block *b = &net->table.blocks[block];
    const size_t extent[] = {b->units, b->fan_in};
    char name[EG_WEIGHTS_NAME_SIZE];
    eg_real *values = NULL;
    EG_TRY(name_in(name, group, b->name));
    EG_TRY(eg_weights_room(pass, &values, b->units * b->fan_in));
    if (!pass->into_learner) {
        eg_net_block_get(net, block, plane, values);
    }
    EG_TRY(eg_weights_reals(pass, name, role, b->role == EG_ROLE_WEIGHT ? 2 : 1, extent, values));
    if (pass->into_learner) {
        eg_net_block_set(net, block, values, plane);
    }
    return eg_ok();
}

static eg_status pass_buffers(eg_weights_pass *pass, const char *group, eg_node *node)
{
    for (size_t k = 0; k < node->layer.buffer_count; k++) {
        const eg_block *buffer = &node->layer.buffers[k];
        char within[EG_WEIGHTS_NAME_SIZE];
        char name[EG_WEIGHTS_NAME_SIZE];
        (void)snprintf(within, sizeof within, "%s.%s", node->name, buffer->name);
        EG_TRY(name_in(name, group, within));
        EG_TRY(eg_weights_doubles(pass, name, "buffer", 1, &buffer->count, node->buffers[k]));
    }
    return eg_ok();
}

static eg_status pass_step(eg_weights_pass *pass, const char *group, eg_net *net)
{
    static const size_t one = 1;
    char name[EG_WEIGHTS_NAME_SIZE];
    double step = (double)net->step;
    EG_TRY(name_in(name, group, "step"));
    /* Other programs, that only have parameters to give, may leave it out. */
    if (!pass->into_learner || eg_weights_has(pass, name)) {
        EG_TRY(eg_weights_doubles(pass, name, "buffer", 1, &one, &step));
    }
    if (pass->into_learner) {
        net->step = step >= 0 && step <= 9007199254740992.0 ? (uint64_t)step : 0;
    }
    return eg_ok();
}

eg_status eg_weights_net(eg_weights_pass *pass, const char *group, eg_net *net)
{
    for (size_t b = 0; b < net->table.block_count; b++) {
        const char *role = eg_role_names[net->table.blocks[b].role];
        EG_TRY(eg_weights_block(pass, group, role, net, b, net->params));
    }
    for (size_t n = 0; n < net->node_count; n++) {
        EG_TRY(pass_buffers(pass, group, &net->nodes[n]));
    }
    if (pass->into_learner) {
        eg_net_touch(net);
    }
    return pass->again ? eg_ok() : pass_step(pass, group, net);
}
