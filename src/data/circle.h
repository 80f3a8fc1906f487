/** Sine and cosine that are the same bits on every processor, which the C library's are not: by
 *  their power series, to 1e-15, for |x| <= pi. */
#ifndef DATA_CIRCLE_H
#define DATA_CIRCLE_H

static const double eg_pi = 3.14159265358979323846;

/* sin x/x (first = 1) or cos x (first = 0), by Horner's scheme in x^2. */
static inline double eg_circle_series(double x, double first)
{
    enum { TERMS = 15 };
    double sum = 1;
    for (int k = TERMS; k >= 1; k--) {
        double n = 2 * k + first;
        sum = 1 - sum * x * x / (n * (n - 1));
    }
    return sum;
}

static inline double eg_circle_sine(double x)
{
    return x * eg_circle_series(x, 1);
}

static inline double eg_circle_cosine(double x)
{
    return eg_circle_series(x, 0);
}

#endif
