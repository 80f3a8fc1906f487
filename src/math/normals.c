/** Normal numbers by the vector; see math/shared/normals.h. Loops run over lanes, which do not know
 *  of each other, so that they vectorise and their bits do not depend on how. */
#include "math/shared/normals.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <string.h>

/* One round gives two numbers per lane. */
enum { LANES = 32, ROUND = 2 * LANES, WORDS = 4 };

typedef struct lanes {
    uint32_t s[WORDS][LANES];
} lanes;

typedef struct normal_pair {
    float first, second;
} normal_pair;

/* The chance that a lane begins with zeros alone, which it would never leave, is 2^-128. */
static void begin(lanes *state, uint64_t seed, eg_purpose purpose, uint64_t index)
{
    eg_rng rng = eg_rng_make(seed, purpose, index);
    for (size_t l = 0; l < LANES; l++) {
        for (size_t k = 0; k < WORDS; k++) {
            state->s[k][l] = eg_rng_u32(&rng);
        }
    }
}

/* The next word of lane l. */
static inline uint32_t draw(lanes *state, size_t l)
{
    uint32_t a = state->s[0][l];
    uint32_t b = state->s[1][l];
    uint32_t c = state->s[2][l] ^ a;
    uint32_t d = state->s[3][l] ^ b;
    uint32_t word = a + state->s[3][l];
    state->s[1][l] = b ^ c;
    state->s[0][l] = a ^ d;
    state->s[2][l] = c ^ (b << 9);
    state->s[3][l] = (d << 11) | (d >> 21);
    return word;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* sqrt(-2 ln u), u = (word/2^8 + 1) / 2^24 in (0, 1]. With u = 2^e m and m in [2/3, 4/3), -2 ln u
 * is -2 ln(2) e plus a polynomial in m - 1. */
static inline float radius(uint32_t word)
{
    const uint32_t two_thirds = 0x3f2aaaabU;
    uint32_t bits = bits_of((float)(int32_t)((word >> 8) + 1));
    int32_t e = (int32_t)(bits - two_thirds) >> 23;
    float f = float_of(bits - ((uint32_t)e << 23)) - 1.0F;
    float p = -0.3422245383262634F;
    p = p * f + 0.3881571590900421F;
    p = p * f - 0.3959006071090698F;
    p = p * f + 0.4968326985836029F;
    p = p * f - 0.6667597889900208F;
    p = p * f + 1.000044822692871F;
    p = p * f - 1.9999996423721313F;
    float square = (float)(24 - e) * 1.3862943611198906F + p * f;
    return sqrtf(square < 0.0F ? 0.0F : square);
}

/* r times a point of the unit circle: the low 30 bits are an angle of -45 to 45 degrees, the others
 * say into which quarter it is brought: signs of the larger coordinate, and which one that is. */
static inline normal_pair on_circle(float r, uint32_t word)
{
    float y = (float)(int32_t)(word << 2) * 0x1.0p-32F; /* in quarters of the circle */
    float z = y * y;
    float s = 0.07795441150665283F;
    s = s * z - 0.6458016633987427F;
    s = (s * z + 1.5707941055297852F) * y;
    float c = -0.020408255979418755F;
    c = c * z + 0.2535986006259918F;
    c = c * z - 1.2336970567703247F;
    c = c * z + 1.0F;
    c = float_of(bits_of(c) ^ (word & 0x80000000U));
    uint32_t swap = 0U - ((word >> 30) & 1U);
    uint32_t keep = ~swap;
    float first = float_of((bits_of(c) & keep) | (bits_of(s) & swap));
    float second = float_of((bits_of(s) & keep) | (bits_of(c) & swap));
    return (normal_pair){.first = r * first, .second = r * second};
}

/* Numbers `ROUND` at a time; the last ones of a round belong to the second coordinate. */
EG_CLONES static void fill(lanes *state, size_t rounds, eg_real *restrict out)
{
    lanes local = *state;
    for (size_t k = 0; k < rounds; k++) {
        eg_real *restrict to = out + k * ROUND;
        EG_INDEPENDENT
        for (size_t l = 0; l < LANES; l++) {
            float r = radius(draw(&local, l));
            normal_pair pair = on_circle(r, draw(&local, l));
            to[l] = (eg_real)pair.first;
            to[LANES + l] = (eg_real)pair.second;
        }
    }
    *state = local;
}

EG_CLONES static void add(lanes *state, size_t rounds, eg_real sigma, eg_real *restrict w)
{
    lanes local = *state;
    for (size_t k = 0; k < rounds; k++) {
        eg_real *restrict to = w + k * ROUND;
        EG_INDEPENDENT
        for (size_t l = 0; l < LANES; l++) {
            float r = radius(draw(&local, l));
            normal_pair pair = on_circle(r, draw(&local, l));
            to[l] += sigma * (eg_real)pair.first;
            to[LANES + l] += sigma * (eg_real)pair.second;
        }
    }
    *state = local;
}

void eg_normals(uint64_t seed, eg_purpose purpose, uint64_t index, size_t n, eg_real *out)
{
    lanes state;
    eg_real rest[ROUND];
    size_t whole = n / ROUND * ROUND;
    begin(&state, seed, purpose, index);
    fill(&state, n / ROUND, out);
    if (whole < n) {
        fill(&state, 1, rest);
        memcpy(out + whole, rest, (n - whole) * sizeof *out);
    }
}

void eg_normals_add(uint64_t seed, eg_purpose purpose, uint64_t index, eg_real sigma, size_t n,
                    eg_real *w)
{
    lanes state;
    eg_real rest[ROUND];
    size_t whole = n / ROUND * ROUND;
    begin(&state, seed, purpose, index);
    add(&state, n / ROUND, sigma, w);
    if (whole < n) {
        fill(&state, 1, rest);
        for (size_t i = whole; i < n; i++) {
            w[i] += sigma * rest[i - whole];
        }
    }
}
