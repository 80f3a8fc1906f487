/** Fuzz target: a message between the scheduler and a worker; as it is, and with the right checksum and
 *  protocol version, without which a fuzzer, or a corpus of an earlier version, would never come further. A message that is accepted is encoded to the same bytes. */
#include "fuzz.h"

#include "sched/message.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION_AT = 4 };

static void decode(const void *data, size_t size, bool has_checksum)
{
    eg_message message;
    eg_status status = eg_message_decode(&message, data, size);
    eg_fuzz_check(&status, status.code == EG_OK ? &message : NULL);
    if (status.code != EG_OK) {
        return;
    }
    eg_writer writer = {0};
    status = eg_message_encode(&message, &writer);
    fuzz_require(status.code == EG_OK);
    /* Values that are no numbers may lose bits of no meaning; the length tells of everything else. */
    fuzz_require(writer.size == size || !has_checksum);
    eg_writer_clear(&writer);
    eg_message_clear(&message);
}

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    unsigned char *copy = malloc(size == 0 ? 1 : size);
    fuzz_require(copy != NULL);
    memcpy(copy, data, size);
    decode(copy, size, false);
    if (size > VERSION_AT) {
        copy[VERSION_AT] = EG_PROTOCOL_VERSION;
        eg_message_set_checksum(copy, size);
        decode(copy, size, true);
    }
    free(copy);
}
