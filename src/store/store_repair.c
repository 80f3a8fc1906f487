/** Damaged journals of which something else has what they lost; see engram/store.h. */
#include "engram/store.h"

#include "engram/file.h"
#include "store/hdf5/h5_read.h"
#include "store/journal/journal_read.h"
#include "store/journal/journal_rebuild.h"
#include "store/journal/journal_repair.h"
#include "store/store_lock.h"

/** Without any sound record it is a journal still if its beginning may have been one: somebody's
 *  text is not. */
static bool is_ours(const eg_reading *reading)
{
    unsigned char byte = 0;
    size_t got = 0;
    int error = eg_read_fully(reading->journal.fd, &byte, 1, 0, &got);
    return reading->replay.damaged || reading->replay.frames > 0 ||
           (error == 0 && (got == 0 || byte == 0 || byte == 0x89));
}

static eg_status put_together(char **kept, const eg_paths *paths, const eg_results *file)
{
    eg_journal damaged = EG_JOURNAL_NONE;
    eg_remade remade = EG_REMADE_NONE;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_journal_open(&damaged, paths->journal, EG_JOURNAL_WRITE));
    EG_TRY_DONE(status, eg_remade_init(&remade, paths));
    EG_TRY_DONE(status, eg_status_wrap(eg_journal_rebuild(&remade.journal, &damaged, file),
                                       "%s and %s", paths->journal, paths->file));
    status = eg_remade_put(&remade, kept);
done:
    eg_remade_clear(&remade);
    eg_journal_close(&damaged);
    return status;
}

/** Out of the results file, where that has results. */
static eg_status rebuild(char **kept, const eg_paths *paths)
{
    eg_results_owner *file = NULL;
    eg_status status = eg_h5_load(&file, paths->file, false);
    if (status.code == EG_OK && eg_results_with_results(&file->results) > 0) {
        status = put_together(kept, paths, &file->results);
    } else if (status.code == EG_INVALID) {
        status = eg_ok(); /* nothing can be done */
    }
    eg_results_free(file == NULL ? NULL : &file->results);
    return status;
}

eg_status eg_store_repair(char **kept, const char *path)
{
    eg_paths paths = {0};
    eg_lock lock = EG_LOCK_NONE;
    eg_reading reading = EG_READING_NONE;
    eg_path_kind journal = EG_PATH_NONE;
    eg_path_kind file = EG_PATH_NONE;
    eg_status status = eg_ok();
    *kept = NULL;
    EG_TRY_DONE(status, eg_paths_init(&paths, path));
    EG_TRY_DONE(status, eg_path_look(paths.journal, &journal));
    EG_TRY_DONE(status, eg_path_look(paths.file, &file));
    if (journal != EG_PATH_FILE) {
        goto done;
    }
    eg_status read = eg_journal_reading_init(&reading, &paths);
    const eg_replay *replay = &reading.replay;
    bool copies = read.code == EG_OK && replay->spare_count > 0 && !replay->damaged;
    bool lost = replay->lost && file == EG_PATH_FILE && is_ours(&reading);
    if ((!copies && !lost) || reading.writer != NULL) {
        goto done; /* what else is wrong, the next one to read says */
    }
    EG_TRY_DONE(status, eg_store_lock_take(&lock, paths.lock, paths.file));
    status = lost ? rebuild(kept, &paths) : eg_journal_repair(kept, &paths);
done:
    eg_store_lock_release(&lock);
    eg_journal_reading_clear(&reading);
    eg_paths_clear(&paths);
    return status;
}
