/** Standard normal numbers by the vector, for noise on every parameter at every step.
 *
 *  A sequence without end belongs to every (seed, purpose, index), as with eg_rng_make, and a call
 *  gives its beginning: the same numbers on any rank, in any order, for any n. Every instruction
 *  set and every compiler gives the same bits; all arithmetic is in single precision, also where
 *  eg_real is double.
 *
 *  Quality: 32 generators xoshiro128+ side by side, each with a state drawn by Philox, and the
 *  transformation of Box and Muller on 24 bits of radius and 30 of angle, with polynomials for
 *  logarithm, sine and cosine that are within 3e-6 of them. So the distribution is the normal one
 *  to about 1e-5 in every moment that matters, symmetric, and ends at 5.77 standard deviations,
 *  beyond which a true normal variable is found once in 1.2e8 numbers.
 *
 *  Sources: Blackman and Vigna 2021, doi 10.1145/3460772 (xoshiro); Box and Muller 1958. */
#ifndef ENGRAM_MATH_NORMALS_H
#define ENGRAM_MATH_NORMALS_H

#include "engram/random.h"

/** out[i] = normal number i, i < n. */
void eg_normals(uint64_t seed, eg_purpose purpose, uint64_t index, size_t n, eg_real *out);

/** w[i] += sigma * normal number i, i < n: each product rounded before it is added. */
void eg_normals_add(uint64_t seed, eg_purpose purpose, uint64_t index, eg_real sigma, size_t n,
                    eg_real *w);

#endif
