/** The journal survives being cut anywhere, and never tells a lie when bytes are changed. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "store/journal/journal.h"
#include "stores.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES_MAX = 64 };

/** A finished sweep's journal, and where its frames end. */
typedef struct sample {
    char directory[64];
    const char *file, *journal;
    eg_plan *plan;
    unsigned char *bytes;
    size_t size;
    uint64_t begin[FRAMES_MAX]; /* behind the copy of the frame before, if it has one */
    uint64_t end[FRAMES_MAX];
    uint32_t type[FRAMES_MAX];
    size_t frames;
} sample;

static int set_up(void **state)
{
    sample *s = calloc(1, sizeof *s);
    strcpy(s->directory, eg_test_directory());
    s->file = strdup(eg_test_path(s->directory, "tiny.h5"));
    s->journal = strdup(eg_test_path(s->directory, "tiny.journal"));
    s->plan = plan_of(eg_test_sweep, NULL);
    eg_test_run(s->file, s->plan, 0, 3);
    eg_test_run(s->file, s->plan, 3, 6);
    s->bytes = eg_test_read_file(s->journal, &s->size);
    eg_journal journal;
    eg_found found = EG_FOUND_FRAME;
    assert_ok(eg_journal_open(&journal, s->journal, EG_JOURNAL_READ));
    while (found == EG_FOUND_FRAME) {
        eg_frame frame;
        uint64_t offset = 0;
        assert_ok(eg_journal_next(&journal, &frame, &found, &offset));
        if (found == EG_FOUND_FRAME) {
            s->begin[s->frames] = frame.offset;
            s->end[s->frames] = journal.end;
            s->type[s->frames++] = frame.type;
        }
    }
    assert_int_equal(found, EG_FOUND_END);
    eg_journal_close(&journal);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    sample *s = *state;
    eg_test_remove(s->directory);
    eg_plan_free(s->plan);
    eg_free(s->bytes);
    free((void *)(uintptr_t)s->file);
    free((void *)(uintptr_t)s->journal);
    free(s);
    return 0;
}

/** Results and plans that are complete in the first `size` bytes. */
static size_t count_type(const sample *s, size_t size, eg_frame_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < s->frames; i++) {
        count += s->end[i] <= size && s->type[i] == (uint32_t)type ? 1 : 0;
    }
    return count;
}

static bool is_boundary(const sample *s, size_t size)
{
    for (size_t i = 0; i < s->frames; i++) {
        if (s->end[i] == size || s->begin[i] == size) {
            return true;
        }
    }
    return false;
}

static void test_frames(void **state)
{
    const sample *s = *state;
    /* header, plan, two sessions with an end each, six trials that start and finish */
    assert_int_equal(s->frames, 2 + 4 + 12);
    assert_int_equal(s->end[s->frames - 1], s->size);
    assert_int_equal(count_type(s, s->size, EG_FRAME_RESULT), 6);
    assert_int_equal(count_type(s, s->size, EG_FRAME_PLAN), 1);
    assert_memory_equal(s->bytes,
                        "\x89"
                        "EGJ\1\0\0\0",
                        8);
}

static void check_prefix(const sample *s, size_t size)
{
    eg_results *results = NULL;
    eg_test_write_file(s->journal, s->bytes, size);
    eg_status status = eg_results_load(&results, s->file);
    if (count_type(s, size, EG_FRAME_PLAN) == 0) {
        assert_int_equal(status.code, EG_INVALID);
        assert_non_null(strstr(status.message, "holds no sweep yet"));
        return;
    }
    assert_ok(status);
    size_t finished = count_type(s, size, EG_FRAME_RESULT);
    assert_int_equal(results->trial_count, 6);
    for (size_t i = 0; i < 6; i++) {
        if (i < finished) {
            eg_test_compare(s->plan, i, &results->trials[i], false);
        } else {
            assert_int_equal(results->trials[i].status, EG_TRIAL_PENDING);
            assert_null(results->trials[i].record);
        }
    }
    assert_int_equal(results->complete, finished == 6);
    assert_int_equal(results->warning_count, is_boundary(s, size) ? 0 : 1);
    eg_results_free(results);
}

/** How far `size` is from the nearest end of a frame. */
static size_t from_boundary(const sample *s, size_t size)
{
    size_t nearest = size;
    for (size_t i = 0; i < s->frames; i++) {
        size_t end = (size_t)s->end[i];
        size_t distance = end > size ? end - size : size - end;
        nearest = distance < nearest ? distance : nearest;
    }
    return nearest;
}

/** `size` is in padding or in a copy, of which test_store_copies says more. */
static bool in_copy(const sample *s, size_t size)
{
    bool in = false;
    for (size_t i = 0; i + 1 < s->frames && !in; i++) {
        in = size > s->end[i] && size < s->begin[i + 1];
    }
    return in;
}

/** At every byte; under the sanitizers at every byte of the heads of frames, and some of what they hold. */
static void test_cut_at_every_byte(void **state)
{
    const sample *s = *state;
    size_t stride = eg_test_stride(61);
    (void)unlink(s->file); /* the journal alone */
    for (size_t size = 0; size <= s->size; size++) {
        if (size % (in_copy(s, size) ? 61 : stride) == 0 ||
            from_boundary(s, size) <= EG_FRAME_HEADER_SIZE) {
            check_prefix(s, size);
        }
    }
}

/** After a cut the same sweep goes on, and ends with the same results. */
static void test_goes_on_after_a_cut(void **state)
{
    const sample *s = *state;
    for (size_t size = 0; size <= s->size; size += s->size / 37) {
        (void)unlink(s->file); /* which would have the results that are cut off */
        eg_test_write_file(s->journal, s->bytes, size);
        size_t finished = count_type(s, size, EG_FRAME_RESULT);
        eg_test_run(s->file, s->plan, finished, 6);
        eg_results *results = NULL;
        assert_ok(eg_results_load(&results, s->file));
        assert_int_equal(results->warning_count, 0);
        for (size_t i = 0; i < 6; i++) {
            eg_test_compare(s->plan, i, &results->trials[i], false);
        }
        eg_results_free(results);
        size_t length = 0;
        unsigned char *now = eg_test_read_file(s->journal, &length);
        size_t kept = 0;
        for (size_t i = 0; i < s->frames; i++) {
            kept = s->end[i] <= size ? (size_t)s->end[i] : kept;
        }
        assert_true(length > kept);
        assert_memory_equal(now, s->bytes, kept); /* nothing before the cut was touched */
        eg_free(now);
    }
}

/** A tail that is longer than what comes next is gone afterwards. */
static void test_long_torn_tail(void **state)
{
    const sample *s = *state;
    enum { TAIL = 200000 };
    unsigned char *bytes = NULL;
    assert_ok(eg_alloc(&bytes, s->size + TAIL, 1));
    memcpy(bytes, s->bytes, s->size);
    memcpy(bytes + s->size, s->bytes, 8);
    eg_test_write_file(s->journal, bytes, s->size + TAIL);
    eg_test_run(s->file, s->plan, 0, 0);
    eg_results *results = NULL;
    assert_ok(eg_results_load(&results, s->file));
    assert_int_equal(results->warning_count, 0);
    assert_int_equal(results->session_count, 3);
    eg_results_free(results);
    eg_free(bytes);
}

/** A changed byte gives an error, or a warning and no wrong value. */
static void test_changed_bytes(void **state)
{
    const sample *s = *state;
    unsigned char *bytes = NULL;
    size_t refused = 0;
    size_t warned = 0;
    assert_ok(eg_alloc(&bytes, s->size, 1));
    memcpy(bytes, s->bytes, s->size);
    for (size_t at = s->end[1]; at < s->size; at += 11 * eg_test_stride(4)) {
        bytes[at] ^= (unsigned char)(1u << at % 8);
        eg_test_write_file(s->journal, bytes, s->size);
        bytes[at] = s->bytes[at];
        eg_results *results = NULL;
        eg_status status = eg_results_load(&results, s->file);
        if (status.code != EG_OK) {
            assert_int_equal(status.code, EG_INVALID);
            assert_non_null(strstr(status.message, "tiny.journal"));
            refused++;
            continue;
        }
        assert_int_equal(results->warning_count, 1);
        warned++;
        for (size_t i = 0; i < 6; i++) {
            if (results->trials[i].status != EG_TRIAL_PENDING) {
                eg_test_compare(s->plan, i, &results->trials[i], false);
            }
        }
        eg_results_free(results);
    }
    assert_int_equal(refused, 0);
    assert_true(warned > 100);
    eg_free(bytes);
}

/** Damage with sound records behind it: reading skips it and says so, writing is refused. */
static void test_damage_in_the_middle(void **state)
{
    const sample *s = *state;
    unsigned char *bytes = NULL;
    assert_ok(eg_alloc(&bytes, s->size, 1));
    memcpy(bytes, s->bytes, s->size);
    size_t victim = 0;
    while (s->type[victim] != EG_FRAME_RESULT) {
        victim++;
    }
    bytes[s->end[victim] - 10] ^= 0x40;
    eg_test_write_file(s->journal, bytes, s->size);
    eg_results *results = NULL;
    assert_ok(eg_results_load(&results, s->file));
    assert_int_equal(results->warning_count, 1);
    assert_non_null(strstr(results->warnings[0], "is damaged at byte"));
    assert_int_equal(results->trials[0].status, EG_TRIAL_PENDING);
    eg_test_compare(s->plan, 1, &results->trials[1], false);
    eg_results_free(results);

    eg_store *store = NULL;
    eg_outcome outcomes[6];
    assert_fails(eg_store_open(&store, s->file, s->plan, &eg_test_session, outcomes), EG_INVALID,
                 "is damaged at byte");
    size_t size = 0;
    unsigned char *now = eg_test_read_file(s->journal, &size);
    assert_int_equal(size, s->size);
    assert_memory_equal(now, bytes, size);
    char *report = NULL;
    bool sound = true;
    assert_ok(eg_store_check(&report, &sound, s->file));
    assert_false(sound);
    assert_non_null(strstr(report, "DAMAGED at byte"));
    eg_free(report);
    eg_free(now);
    eg_free(bytes);
}

/** A length that points beyond the end is not a torn tail when records follow. */
static void test_wrong_length_in_the_middle(void **state)
{
    const sample *s = *state;
    unsigned char *bytes = NULL;
    assert_ok(eg_alloc(&bytes, s->size, 1));
    memcpy(bytes, s->bytes, s->size);
    bytes[s->end[3] + 8 + 5] = 1; /* a length of some terabytes */
    eg_test_write_file(s->journal, bytes, s->size);
    eg_results *results = NULL;
    assert_ok(eg_results_load(&results, s->file));
    assert_non_null(strstr(results->warnings[0], "is damaged at byte"));
    eg_results_free(results);
    eg_free(bytes);
}

/** The same result twice (a copied block): the first counts, check says so. */
static void test_repeated_record(void **state)
{
    const sample *s = *state;
    unsigned char *bytes = NULL;
    size_t victim = 0;
    while (s->type[victim] != EG_FRAME_RESULT) {
        victim++;
    }
    size_t length = (size_t)(s->end[victim] - s->end[victim - 1]);
    assert_ok(eg_alloc(&bytes, s->size + length, 1));
    memcpy(bytes, s->bytes, s->size);
    memcpy(bytes + s->size, s->bytes + s->end[victim - 1], length);
    eg_test_write_file(s->journal, bytes, s->size + length);
    char *report = NULL;
    bool sound = true;
    assert_ok(eg_store_check(&report, &sound, s->file));
    assert_false(sound);
    assert_non_null(strstr(report, "1 results of trials that had one already"));
    eg_free(report);
    eg_free(bytes);
}

static void test_not_a_journal(void **state)
{
    const sample *s = *state;
    eg_results *results = NULL;
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    (void)unlink(s->file);
    const char *const texts[] = {"hello", "hello, this is a text of some length, not a journal"};
    for (size_t i = 0; i < 2; i++) {
        eg_test_write_file(s->journal, texts[i], strlen(texts[i]));
        assert_fails(eg_results_load(&results, s->file), EG_INVALID, "is not an engram journal");
        assert_fails(eg_store_open(&store, s->file, s->plan, &eg_test_session, outcomes),
                     EG_INVALID, "is not an engram journal");
        size_t size = 0;
        unsigned char *now = eg_test_read_file(s->journal, &size);
        assert_int_equal(size, strlen(texts[i]));
        eg_free(now);
    }
}

static void test_newer_format(void **state)
{
    const sample *s = *state;
    (void)unlink(s->journal);
    eg_journal journal;
    eg_writer payload = {0};
    eg_frame frame;
    eg_results *results = NULL;
    assert_ok(eg_journal_open(&journal, s->journal, EG_JOURNAL_CREATE));
    eg_write_text(&payload, EG_JOURNAL_WORDS);
    eg_write_u32(&payload, EG_JOURNAL_FORMAT_EXCHANGES + 1);
    assert_ok(eg_journal_append(&journal, EG_FRAME_HEADER, &payload, 0, true, &frame));
    eg_journal_close(&journal);
    eg_writer_clear(&payload);
    assert_fails(eg_results_load(&results, s->file), EG_INVALID, "written by a newer engram");
}

/* A pipe takes a sync as little as a disk that fails. */
static void test_failed_sync(void **state)
{
    const sample *s = *state;
    int ends[2];
    eg_journal journal;
    eg_writer payload = {0};
    eg_frame frame;
    assert_ok(eg_journal_open(&journal, s->journal, EG_JOURNAL_WRITE));
    journal.end = journal.size;
    eg_write_u64(&payload, 1);
    assert_ok(eg_journal_append(&journal, EG_FRAME_REDO, &payload, 0, false, &frame));
    int fd = journal.fd;
    assert_int_equal(pipe(ends), 0);
    journal.fd = ends[0];
    assert_fails(eg_journal_sync(&journal), EG_SYSTEM, "cannot force the journal to disk");
    /* What is on the disk now is anybody's guess: no second try may call it safe. */
    journal.fd = fd;
    assert_fails(eg_journal_sync(&journal), EG_SYSTEM, "takes no more");
    assert_fails(eg_journal_append(&journal, EG_FRAME_REDO, &payload, 0, false, &frame), EG_SYSTEM,
                 "takes no more");
    (void)close(ends[0]);
    (void)close(ends[1]);
    eg_journal_close(&journal);
    eg_writer_clear(&payload);
}

#define journal_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        journal_test(test_frames),
        journal_test(test_cut_at_every_byte),
        journal_test(test_goes_on_after_a_cut),
        journal_test(test_long_torn_tail),
        journal_test(test_changed_bytes),
        journal_test(test_damage_in_the_middle),
        journal_test(test_wrong_length_in_the_middle),
        journal_test(test_repeated_record),
        journal_test(test_not_a_journal),
        journal_test(test_newer_format),
        journal_test(test_failed_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
