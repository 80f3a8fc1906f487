/** Student's distribution: tail and bound.
 *
 *  Own code, since no C library fits: GSL and R's nmath are GPL, Cephes is not packaged, Boost is
 *  C++.
 *
 *  P(|T| >= t) = I_x(ν/2, 1/2) with x = ν / (ν + t²), the regularised incomplete beta function
 *      I_x(a,b) = x^a (1−x)^b / (a B(a,b)) · 1/(1 + d_1/(1 + d_2/(1 + …)))
 *      d_{2m+1} = −(a+m)(a+b+m) x / ((a+2m)(a+2m+1)),  d_{2m} = m (b−m) x / ((a+2m−1)(a+2m))
 *  (DLMF 8.17.22), which converges fast for x < (a+1)/(a+b+2); beyond, I_x(a,b) = 1 −
 *  I_{1−x}(b,a). */
#include "engram/statistics.h"

#include <float.h>
#include <math.h>

/** d_k of the continued fraction. */
static double coefficient(double a, double b, double x, size_t k)
{
    size_t half = k / 2;
    double m = (double)half;
    if (k % 2 == 1) {
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    }
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
}

/** 1/(1 + d_1/(1 + d_2/(1 + …))) from the front: the ratio of successive numerators and
 *  denominators (modified Lentz). */
static double fraction(double a, double b, double x)
{
    enum { TERMS_MAX = 10000 };
    static const double tiny = 1e-300; /* instead of 0, where a term vanishes */
    double numerator = 1;
    double denominator = 0;
    double value = 1;
    for (size_t k = 1; k < TERMS_MAX; k++) {
        double d = coefficient(a, b, x, k);
        numerator = 1 + d / numerator;
        denominator = 1 + d * denominator;
        numerator = fabs(numerator) < tiny ? tiny : numerator;
        denominator = 1 / (fabs(denominator) < tiny ? tiny : denominator);
        double change = numerator * denominator;
        value *= change;
        if (fabs(change - 1) < DBL_EPSILON) {
            break;
        }
    }
    return 1 / value;
}

/** B(ν/2, 1/2): B(1/2, 1/2) = π, B(1, 1/2) = 2, B(a+1, 1/2) = B(a, 1/2) · a / (a + 1/2). */
static double beta_of_half(size_t freedom)
{
    double beta = freedom % 2 == 1 ? acos(-1.0) : 2.0;
    for (size_t v = freedom % 2 == 1 ? 1 : 2; v < freedom; v += 2) {
        beta *= (double)v / (double)(v + 1);
    }
    return beta;
}

double eg_student_tail(double t, size_t freedom)
{
    double v = (double)freedom;
    double square = t * t;
    if (isnan(t) || freedom == 0) {
        return (double)NAN;
    }
    if (isinf(square)) {
        return 0;
    }
    double a = v / 2;
    double b = 0.5;
    double x = v / (v + square);
    double y = square / (v + square); /* 1 − x without cancellation */
    double front = exp(a * log(x)) * sqrt(y) / beta_of_half(freedom);
    if (x < (a + 1) / (a + b + 2)) {
        return front / a * fraction(a, b, x);
    }
    return 1 - front / b * fraction(b, a, y);
}

double eg_student_bound(double tail, size_t freedom)
{
    double low = 0;
    double high = 1;
    while (eg_student_tail(high, freedom) > tail) {
        low = high;
        high *= 2;
    }
    /* Bisection until no double lies between. */
    for (double middle = (low + high) / 2; low < middle && middle < high;
         middle = (low + high) / 2) {
        if (eg_student_tail(middle, freedom) > tail) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}
