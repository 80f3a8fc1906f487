/** The scalar type of all learning arithmetic.
 *
 *  The core rooms are built twice from the same sources: as float (what runs) and, with
 * EG_REAL_DOUBLE defined for the whole target, as double (what gradient checks link to). */
#ifndef ENGRAM_REAL_H
#define ENGRAM_REAL_H

#ifdef EG_REAL_DOUBLE
typedef double eg_real;
#else
typedef float eg_real;
#endif

#endif
