/** Student's distribution: tail and bound, by the GNU Scientific Library. */
#include "engram/statistics.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

double eg_student_tail(double t, size_t freedom)
{
    if (isnan(t) || freedom == 0) {
        return (double)NAN;
    }
    return isinf(t * t) ? 0 : 2 * gsl_cdf_tdist_Q(fabs(t), (double)freedom);
}

double eg_student_bound(double tail, size_t freedom)
{
    return gsl_cdf_tdist_Qinv(tail / 2, (double)freedom);
}
