/** Files in memory, whose pages all processes of a node share. */
#ifndef DATA_MAPPING_H
#define DATA_MAPPING_H

#include "engram/dataset.h"

/** Maps the first `size` bytes of a file that has them, for reading. It must not change while it is
 *  in use. Errors name the file: EG_INVALID if it cannot be read, EG_SYSTEM. Release with
 *  eg_mapping_clear. */
eg_status eg_mapping_open(eg_mapping *out, const char *path, size_t size) EG_WARN_UNUSED;

/** A key for eg_mapping_make of what is made of the file at `path` as it is now: facts [count] say
 *  how. EG_INVALID if it cannot be read. */
eg_status eg_mapping_key(uint64_t *key, const char *path, const uint64_t *facts,
                         size_t count) EG_WARN_UNUSED;

/** Makes `size` >= 1 bytes at `out`. */
typedef eg_status (*eg_bytes_maker)(void *user, uint8_t *out);

/** Bytes that take long to make: they are made once on a node and then shared, by processes of this
 *  and later runs. They lie in a file engram-UID-KEY.bytes in $TMPDIR (default /tmp), which the
 *  first one makes while the others wait for its lock; one that dies meanwhile loses the lock, and
 *  the next begins anew. What is in the file counts only once it is complete. Files that nobody has
 *  opened for a day are removed when another is made; removing one by hand does no harm at any
 *  time, also while it is in use.
 *
 *  `key` says what the bytes are: the same key, the same bytes. They are at *data [size], inside
 *  *out. Errors: those of `make`; EG_SYSTEM naming the file (no space, not this user's). */
eg_status eg_mapping_make(eg_mapping *out, const uint8_t **data, uint64_t key, size_t size,
                          eg_bytes_maker make, void *user) EG_WARN_UNUSED;

#endif
