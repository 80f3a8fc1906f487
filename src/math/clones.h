/** One binary for every x86-64: a loop marked EG_CLONES is compiled for SSE2, AVX2 and AVX-512, and
 * the loader picks the widest one the processor has.
 *
 *  All clones give the same bits: they do the same IEEE operations in the same order, element by
 * element, and -ffp-contract=off keeps multiplications and additions apart. Only static functions
 * may be marked: clang 14 does not export a cloned function under its own name. */
#ifndef ENGRAM_MATH_CLONES_H
#define ENGRAM_MATH_CLONES_H

#if defined(__x86_64__) && defined(__linux__)
#define EG_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define EG_CLONES /* NEON and the like are part of the base instruction set. */
#endif

#endif
