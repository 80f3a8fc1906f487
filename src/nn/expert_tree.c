/** Binary trees of experts; see engram/expert_tree.h. */
#include "engram/expert_tree.h"

#include "engram/memory.h"

void eg_expert_tree_clear(eg_expert_tree *tree)
{
    eg_free(tree->gate);
    *tree = (eg_expert_tree){0};
}

size_t eg_expert_tree_count(const eg_expert_tree *tree)
{
    return tree->gate_count + 1;
}

bool eg_expert_tree_is_gate(const eg_expert_tree *tree, uint64_t place)
{
    bool is = false;
    for (size_t i = 0; i < tree->gate_count && !is; i++) {
        is = tree->gate[i] == place;
    }
    return is;
}

/* The first expert at or below a place. */
static uint64_t descend(const eg_expert_tree *tree, uint64_t place)
{
    while (eg_expert_tree_is_gate(tree, place)) {
        place *= 2;
    }
    return place;
}

uint64_t eg_expert_tree_first(const eg_expert_tree *tree)
{
    return descend(tree, 1);
}

uint64_t eg_expert_tree_next(const eg_expert_tree *tree, uint64_t place)
{
    while (place > 1 && place % 2 == 1) {
        place /= 2;
    }
    return place > 1 ? descend(tree, place + 1) : 0;
}

size_t eg_expert_tree_depth(uint64_t place)
{
    size_t depth = 0;
    for (; place > 1; place /= 2) {
        depth++;
    }
    return depth;
}

eg_status eg_expert_tree_split(eg_expert_tree *tree, uint64_t place)
{
    bool below_gate = place == 1 || (place > 1 && eg_expert_tree_is_gate(tree, place / 2));
    if (!below_gate || eg_expert_tree_is_gate(tree, place)) {
        return eg_fail(EG_INVALID, "tree of experts: there is none at place %llu",
                       (unsigned long long)place);
    }
    if (eg_expert_tree_depth(place) >= EG_EXPERT_DEPTH_MAX) {
        return eg_fail(EG_INVALID,
                       "tree of experts: the one at place %llu has %d gates above it, "
                       "the most there can be",
                       (unsigned long long)place, (int)EG_EXPERT_DEPTH_MAX);
    }
    EG_TRY(eg_grow(&tree->gate, &tree->capacity, tree->gate_count + 1, sizeof *tree->gate));
    tree->gate[tree->gate_count++] = place;
    return eg_ok();
}

void eg_expert_tree_write(const eg_expert_tree *tree, eg_writer *writer)
{
    eg_write_u64(writer, tree->gate_count);
    for (size_t i = 0; i < tree->gate_count; i++) {
        eg_write_u64(writer, tree->gate[i]);
    }
}

eg_status eg_expert_tree_read(eg_expert_tree *tree, eg_reader *reader)
{
    uint64_t gates = eg_read_u64(reader);
    tree->gate_count = 0;
    for (uint64_t i = 0; i < gates; i++) {
        uint64_t place = eg_read_u64(reader);
        EG_TRY(eg_reader_status(reader, false));
        EG_TRY(eg_expert_tree_split(tree, place));
    }
    return eg_reader_status(reader, false);
}
