/** One binary for every x86-64: a loop marked EG_CLONES is compiled for SSE2, AVX2 and AVX-512, and
 * the loader picks the widest one the processor has.
 *
 *  All clones give the same bits: they do the same IEEE operations in the same order, element by
 * element, and -ffp-contract=off keeps multiplications and additions apart. clang gets the SSE2
 * code only: version 14 gives the resolvers of static functions global names, which collide. */
#ifndef ENGRAM_MATH_CLONES_H
#define ENGRAM_MATH_CLONES_H

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define EG_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define EG_CLONES /* On other processors NEON and the like belong to the base instructions. */
#endif

/** Before a loop whose iterations do not depend on each other through memory: spares it the
 *  question whether arrays overlap, which compilers ask of a few arrays only. */
#if defined(__clang__)
#define EG_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define EG_INDEPENDENT _Pragma("GCC ivdep")
#else
#define EG_INDEPENDENT
#endif

#endif
