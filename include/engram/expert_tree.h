/** Binary trees of experts: every leaf is an expert, every other node a gate over its two children.
 *
 *  Nodes are named by their place: 1 is the root, and the children of place k are 2k and 2k + 1. A
 *  tree begins as one expert, at place 1. Experts are numbered from left to right. */
#ifndef ENGRAM_EXPERT_TREE_H
#define ENGRAM_EXPERT_TREE_H

#include "engram/pack.h"

#include <stdbool.h>

enum { EG_EXPERT_DEPTH_MAX = 60 /**< gates above an expert, so that places fit */ };

/** Begins as {0}: one expert. */
typedef struct eg_expert_tree {
    size_t gate_count, capacity;
    uint64_t *gate; /**< [gate_count] places of the gates, in the order in which they came; owned */
} eg_expert_tree;

void eg_expert_tree_clear(eg_expert_tree *tree);
size_t eg_expert_tree_count(const eg_expert_tree *tree); /**< of experts */
bool eg_expert_tree_is_gate(const eg_expert_tree *tree, uint64_t place);
/** The first expert's place; the place of the next one, 0 after the last. */
uint64_t eg_expert_tree_first(const eg_expert_tree *tree);
uint64_t eg_expert_tree_next(const eg_expert_tree *tree, uint64_t place);
/** Gates above a place. */
size_t eg_expert_tree_depth(uint64_t place);
/** A gate with two experts takes the place of an expert. EG_INVALID if there is none, or if it is
 *  as deep as can be. */
eg_status eg_expert_tree_split(eg_expert_tree *tree, uint64_t place) EG_WARN_UNUSED;

void eg_expert_tree_write(const eg_expert_tree *tree, eg_writer *writer);
/** Into any tree, which becomes that one. */
eg_status eg_expert_tree_read(eg_expert_tree *tree, eg_reader *reader) EG_WARN_UNUSED;

#endif
