/** Fuzz target: a journal. Input that begins like a journal is the file; any other is a list of frames (u8 type,
 *  u16 length, payload), which get their checksums here. Both are read as `engram top` reads, checked as
 *  `engram check` does, and collected into a result file that must then tell the same. */
#include "changes.h"
#include "fuzz.h"

#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/store.h"
#include "store/journal/journal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const unsigned char magic[4] = {0x89, 'E', 'G', 'J'};

static void write_frames(eg_writer *out, eg_fuzz_bytes bytes)
{
    while (bytes.left > 0) {
        uint8_t type = eg_fuzz_u8(&bytes);
        size_t size = eg_fuzz_u16(&bytes);
        size = size < bytes.left ? size : bytes.left;
        eg_test_write_frame(out, type, 1e9, bytes.data, size);
        bytes.data += size;
        bytes.left -= size;
    }
}

static void collect(const char *path, const eg_results *results)
{
    eg_status status = eg_store_collect(path);
    fuzz_require(status.code == EG_OK || status.code == EG_INVALID);
    char journal[160];
    (void)snprintf(journal, sizeof journal, "%s/fuzz.journal", eg_fuzz_directory());
    (void)unlink(journal);
    if (status.code == EG_OK) {
        eg_results *picture = NULL;
        status = eg_results_load(&picture, path);
        fuzz_require(status.code == EG_OK);
        fuzz_require(picture->trial_count == results->trial_count);
        eg_results_free(picture);
    }
    (void)unlink(path);
}

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    eg_writer file = {0};
    if (size >= sizeof magic && memcmp(data, magic, sizeof magic) == 0) {
        eg_write_bytes(&file, data, size);
    } else {
        write_frames(&file, (eg_fuzz_bytes){data, size});
    }
    (void)eg_fuzz_file("fuzz.journal", file.data == NULL ? (const void *)"" : file.data, file.size);
    eg_writer_clear(&file);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/fuzz.h5", eg_fuzz_directory());
    eg_results *results = NULL;
    char *report = NULL;
    bool sound = false;
    eg_status status = eg_results_load(&results, path);
    eg_fuzz_check(&status, results);
    status = eg_store_check(&report, &sound, path);
    fuzz_require(status.code == EG_OK || status.code == EG_INVALID);
    eg_free(report);
    if (results != NULL) {
        collect(path, results);
    }
    eg_results_free(results);
}
