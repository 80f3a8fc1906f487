/** Journals written anew; see store/journal/journal_repair.h. */
#define _XOPEN_SOURCE 700 /* realpath */

#include "store/journal/journal_repair.h"

#include "engram/file.h"
#include "engram/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES = 100 };

eg_status eg_remade_init(eg_remade *out, const eg_paths *paths)
{
    *out = EG_REMADE_NONE;
    char *real = realpath(paths->journal, NULL);
    if (real == NULL) {
        return eg_fail_errno(errno, "%s", paths->journal);
    }
    eg_status status = eg_strdup(&out->path, real);
    free(real);
    EG_TRY(status);
    char *name = NULL;
    EG_TRY(eg_format(&name, "%s.tmp", out->path));
    status = eg_journal_open(&out->journal, name, EG_JOURNAL_REMAKE);
    if (status.code == EG_OK) {
        out->temporary = name; /* ours to remove */
    } else {
        eg_free(name);
    }
    return status;
}

void eg_remade_clear(eg_remade *remade)
{
    eg_journal_close(&remade->journal);
    if (remade->temporary != NULL) {
        (void)unlink(remade->temporary);
    }
    eg_free(remade->temporary);
    eg_free(remade->path);
    *remade = EG_REMADE_NONE;
}

/** Gives the old journal a second name. A new string. */
static eg_status keep(char **kept, const eg_remade *remade)
{
    int stem = (int)(strlen(remade->path) - strlen(".journal"));
    int error = EEXIST;
    for (int i = 1; i <= NAMES && error == EEXIST; i++) {
        char number[16] = "";
        if (i > 1) {
            (void)snprintf(number, sizeof number, "-%d", i);
        }
        eg_free(*kept);
        *kept = NULL;
        EG_TRY(eg_format(kept, "%.*s.damaged%s.journal", stem, remade->path, number));
        error = link(remade->path, *kept) == 0 ? 0 : errno;
        if (error != 0 && error != EEXIST) {
            /* A file system without links: for a moment there is no journal. */
            error = eg_rename_new(remade->path, *kept);
        }
    }
    return error == 0 ? eg_ok()
                      : eg_fail_errno(error, "%s: cannot keep the damaged journal as %s",
                                      remade->path, *kept);
}

static eg_status sync_directory(const char *path)
{
    char *directory = NULL;
    EG_TRY(eg_format(&directory, "%.*s", (int)(strrchr(path, '/') - path) + 1, path));
    eg_status status = eg_sync_directory(directory);
    eg_free(directory);
    return status;
}

eg_status eg_remade_put(eg_remade *remade, char **kept)
{
    *kept = NULL;
    EG_TRY(eg_journal_sync(&remade->journal));
    eg_status status = keep(kept, remade);
    if (status.code == EG_OK && rename(remade->temporary, remade->path) != 0) {
        status = eg_fail_errno(errno, "%s: cannot give the journal its name", remade->path);
        if (eg_rename_new(*kept, remade->path) == EEXIST) {
            (void)unlink(*kept);
        }
    }
    if (status.code == EG_OK) {
        eg_free(remade->temporary);
        remade->temporary = NULL;
        status = sync_directory(remade->path);
    }
    if (status.code != EG_OK) {
        eg_free(*kept);
        *kept = NULL;
    }
    return status;
}

/** Everything that is read of the journal, in its order. */
static eg_status copy_frames(eg_journal *to, eg_journal *from)
{
    eg_writer payload = {0};
    eg_status status = eg_ok();
    eg_found found = EG_FOUND_FRAME;
    while (found == EG_FOUND_FRAME) {
        eg_frame frame = {0};
        uint64_t offset = 0;
        EG_TRY_DONE(status, eg_journal_next(from, &frame, &found, &offset));
        if (found == EG_FOUND_DAMAGE) {
            status = eg_fail(EG_INVALID, "%s is damaged at byte %llu", from->path,
                             (unsigned long long)offset);
            goto done;
        }
        if (found == EG_FOUND_FRAME) {
            eg_writer_reset(&payload);
            eg_write_bytes(&payload, frame.payload, frame.size);
            EG_TRY_DONE(status, eg_journal_append(to, (eg_frame_type)frame.type, &payload,
                                                  frame.time, false, &frame));
        }
    }
done:
    eg_writer_clear(&payload);
    return status;
}

eg_status eg_journal_repair(char **kept, const eg_paths *paths)
{
    eg_journal old = EG_JOURNAL_NONE;
    eg_remade remade = EG_REMADE_NONE;
    eg_status status = eg_ok();
    *kept = NULL;
    EG_TRY_DONE(status, eg_journal_open(&old, paths->journal, EG_JOURNAL_WRITE));
    EG_TRY_DONE(status, eg_remade_init(&remade, paths));
    EG_TRY_DONE(status, copy_frames(&remade.journal, &old));
    status = eg_remade_put(&remade, kept);
done:
    eg_remade_clear(&remade);
    eg_journal_close(&old);
    return status;
}
