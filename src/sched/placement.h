/** Which rank runs where, and on which cores. */
#ifndef ENGRAM_SCHED_PLACEMENT_H
#define ENGRAM_SCHED_PLACEMENT_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

enum { EG_HOST_SIZE = 64, EG_CPU_WORDS = 64 /**< 4096 processors */ };

/** One process; exchanged between ranks as plain bytes (all ranks run the same program). */
typedef struct eg_process_info {
    char host[EG_HOST_SIZE];
    uint64_t pid;
    uint64_t online;             /**< processors of the host */
    uint64_t cpus[EG_CPU_WORDS]; /**< those the process may use, a bit each */
} eg_process_info;

/** Where this process is. */
eg_status eg_process_info_get(eg_process_info *out) EG_WARN_UNUSED;

/** See eg_world_describe; ranks below `first` do not compute. */
eg_status eg_process_info_describe(const eg_process_info *processes, size_t count, size_t first,
                                   char **line, char **warnings) EG_WARN_UNUSED;

#endif
