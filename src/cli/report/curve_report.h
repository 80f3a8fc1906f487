/** The learning curve of one trial as text. */
#ifndef CLI_CURVE_REPORT_H
#define CLI_CURVE_REPORT_H

#include "engram/record.h"

#include <stdint.h>

eg_status eg_curve_report(const eg_record *record, const char *objective, uint64_t seed,
                          double seconds) EG_WARN_UNUSED;

#endif
