/** The last bytes of a results file: a checksum of all before them.
 *
 *  HDF5 checks little of what it reads, and may crash on damage; so it is given nothing that was
 *  damaged. Readers of HDF5 do not look behind the end that the file itself declares, and a program
 *  that writes to the file cuts the footer off: then the file is read as it is.
 *
 *  32 bytes: "engram checksum\n", u64 size of what is before, u32 CRC-32C of it, u32 CRC-32C of
 *  these 28 bytes; little endian. */
#ifndef ENGRAM_STORE_CHECKSUM_FOOTER_H
#define ENGRAM_STORE_CHECKSUM_FOOTER_H

#include "engram/status.h"

#include <stddef.h>

enum { EG_FOOTER_SIZE = 32 };

void eg_footer_make(unsigned char out[EG_FOOTER_SIZE], const void *data, size_t size);

typedef enum eg_footer { EG_FOOTER_NONE, EG_FOOTER_GOOD, EG_FOOTER_BROKEN } eg_footer;

/** Reads the file and compares. Errors: EG_SYSTEM if it cannot be read. */
eg_status eg_footer_check(eg_footer *out, const char *path) EG_WARN_UNUSED;

#endif
