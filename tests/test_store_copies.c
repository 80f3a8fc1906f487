/** Header and plan are in a journal twice: whatever becomes of one of the two, nothing is lost, and of both, the results
 *  file and the records that are intact make a journal again. */
#include "testing.h"

#include "engram/memory.h"
#include "plans.h"
#include "store/journal/journal.h"
#include "stores.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096 };

typedef struct sample {
    const char *file, *journal;
    eg_plan *plan;
    unsigned char *bytes; /* of the sound journal */
    size_t size;
    size_t twice; /* where what is there twice ends */
} sample;

static sample make(void)
{
    sample s = {.file = eg_test_path(eg_test_place, "t.h5"),
                .journal = eg_test_path(eg_test_place, "t.journal"),
                .plan = plan_of(eg_test_sweep, NULL)};
    eg_test_run(s.file, s.plan, 0, 3);
    eg_test_run(s.file, s.plan, 3, 6);
    s.bytes = eg_test_read_file(s.journal, &s.size);
    eg_journal journal;
    eg_frame frame = {0};
    eg_found found = EG_FOUND_FRAME;
    uint64_t offset = 0;
    assert_ok(eg_journal_open(&journal, s.journal, EG_JOURNAL_READ));
    while (frame.type != EG_FRAME_SESSION) {
        assert_ok(eg_journal_next(&journal, &frame, &found, &offset));
        s.twice = (size_t)frame.offset;
    }
    eg_journal_close(&journal);
    assert_true(s.twice >= 3 * BLOCK);
    return s;
}

static void release(sample *s)
{
    eg_plan_free(s->plan);
    eg_free(s->bytes);
}

/** All results are shown, with one warning that says `words`. */
static void shows_all(const sample *s, const char *words, bool padded)
{
    eg_results *results = eg_test_load(s->file);
    assert_int_equal(results->trial_count, 6);
    assert_int_equal(results->warning_count, words == NULL ? 0 : 1);
    assert_true(words == NULL || strstr(results->warnings[0], words) != NULL);
    for (size_t i = 0; i < 6; i++) {
        eg_test_compare(s->plan, i, eg_test_find(results, s->plan, i), padded);
    }
    eg_results_free(results);
}

static void changed(const sample *s, size_t at, size_t count)
{
    unsigned char *bytes = NULL;
    assert_ok(eg_alloc(&bytes, s->size, 1));
    memcpy(bytes, s->bytes, s->size);
    for (size_t i = at; i < at + count && i < s->size; i++) {
        bytes[i] ^= (unsigned char)(count == 1 ? 1U << at % 8 : 0xffU);
    }
    eg_test_write_file(s->journal, bytes, s->size);
    eg_free(bytes);
}

/** A changed byte: every seventh, in the long version every one. */
static void test_a_byte(void **state)
{
    (void)state;
    sample s = make();
    (void)unlink(s.file);
    for (size_t at = 0; at < s.twice; at += eg_test_full() ? 1 : 7 * eg_test_stride(5)) {
        changed(&s, at, 1);
        shows_all(&s, "nothing is lost", false);
    }
    release(&s);
}

/** A block of the disk that cannot be read. */
static void test_a_block(void **state)
{
    (void)state;
    sample s = make();
    (void)unlink(s.file);
    for (size_t at = 0; at + BLOCK <= s.twice; at += BLOCK) {
        changed(&s, at, BLOCK);
        shows_all(&s, "nothing is lost", false);
    }
    release(&s);
}

/** check finds it, and both commands that write repair it: the same records again, the old file beside them. */
static void test_repair(void **state)
{
    (void)state;
    sample s = make();
    const char *kept_as = eg_test_path(eg_test_place, "t.damaged.journal");
    for (size_t at = 30; at < s.twice; at += 2500) {
        char *report = NULL;
        char *kept = NULL;
        bool sound = true;
        changed(&s, at, 1);
        assert_ok(eg_store_check(&report, &sound, s.file));
        assert_false(sound);
        assert_non_null(strstr(report, "nothing is lost"));
        assert_non_null(strstr(report, "way out: `engram collect"));
        eg_free(report);
        if (at % 200 == 30) {
            assert_ok(eg_store_repair(&kept, s.file));
            assert_string_equal(kept, kept_as);
            eg_free(kept);
            size_t size = 0;
            unsigned char *now = eg_test_read_file(s.journal, &size);
            assert_int_equal(size, s.size);
            assert_memory_equal(now, s.bytes, size);
            eg_free(now);
        } else {
            eg_test_run(s.file, s.plan, 0, 0);
        }
        shows_all(&s, NULL, false);
        assert_ok(eg_store_check(&report, &sound, s.file));
        assert_true(sound);
        eg_free(report);
        size_t size = 0;
        unsigned char *old = eg_test_read_file(kept_as, &size);
        assert_int_equal(size, s.size);
        assert_true(memcmp(old, s.bytes, size) != 0);
        eg_free(old);
        assert_int_equal(unlink(kept_as), 0);
    }
    release(&s);
}

/** A run that was killed between the two writes: the next one completes it. */
static void test_interrupted(void **state)
{
    (void)state;
    sample s = make();
    const size_t ends[] = {50, 1000, BLOCK, BLOCK + 30, s.twice - 1, s.twice - 3000};
    for (size_t i = 0; i < EG_COUNT(ends); i++) {
        (void)unlink(s.file);
        eg_test_write_file(s.journal, s.bytes, ends[i]);
        eg_test_run(s.file, s.plan, 0, 6);
        size_t size = 0;
        unsigned char *now = eg_test_read_file(s.journal, &size);
        const unsigned char copy[] = {0x89, 'E', 'G', 'J', EG_FRAME_COPY};
        assert_memory_equal(now + BLOCK, copy, sizeof copy);
        eg_free(s.bytes);
        s.bytes = now;
        s.size = size;
        changed(&s, 5, 1);
        (void)unlink(s.file);
        shows_all(&s, "nothing is lost", false);
    }
    release(&s);
}

/** Damage behind header and plan is damage, in journals without copies too. */
static void test_results_are_not_spare(void **state)
{
    (void)state;
    sample s = make();
    changed(&s, s.twice + 40, 1); /* the session */
    eg_results *results = eg_test_load(s.file);
    assert_non_null(strstr(results->warnings[0], "count as not run"));
    eg_results_free(results);
    release(&s);
}

/** Two bytes, one in each: what is read is the results file; what is written is refused until it is repaired. */
static void lose_both(const sample *s, size_t first, size_t second)
{
    char *kept = NULL;
    char *report = NULL;
    bool sound = true;
    eg_store *store = NULL;
    eg_outcome outcomes[6];
    unsigned char *bytes = NULL;
    assert_ok(eg_alloc(&bytes, s->size, 1));
    memcpy(bytes, s->bytes, s->size);
    bytes[first] ^= 4;
    bytes[second] ^= 4;
    eg_test_write_file(s->journal, bytes, s->size);
    shows_all(s, "makes the journal anew from both", true);
    assert_ok(eg_store_check(&report, &sound, s->file));
    assert_false(sound);
    assert_non_null(strstr(report, "way out: `engram collect"));
    eg_free(report);
    assert_fails(eg_store_open(&store, s->file, s->plan, &eg_test_session, outcomes), EG_INVALID,
                 "says the way out");
    assert_ok(eg_store_repair(&kept, s->file));
    assert_non_null(kept);
    size_t size = 0;
    unsigned char *old = eg_test_read_file(kept, &size);
    assert_int_equal(size, s->size);
    assert_memory_equal(old, bytes, size);
    eg_free(old);
    eg_free(bytes);
    eg_free(kept);
    shows_all(s, NULL, false); /* records as they were, not as the file pads them */
    assert_ok(eg_store_check(&report, &sound, s->file));
    assert_true(sound);
    eg_free(report);
    eg_test_run(s->file, s->plan, 0, 0);
    shows_all(s, NULL, false);
}

static void test_both_lost(void **state)
{
    (void)state;
    sample s = make();
    lose_both(&s, 30, BLOCK + 40);             /* header */
    lose_both(&s, BLOCK + 300, s.twice - 100); /* plan */
    release(&s);
}

/** The journal is gone but for its name, or but for its last records; the file has what it held. */
static void test_from_the_file(void **state)
{
    (void)state;
    sample s = make();
    for (int i = 0; i < 3; i++) {
        char *kept = NULL;
        eg_store *store = NULL;
        eg_outcome outcomes[6];
        unsigned char *bytes = NULL;
        assert_ok(eg_alloc(&bytes, s.size, 1));
        if (i < 2) {
            eg_test_write_file(s.journal, bytes, i == 0 ? 0 : 300);
        } else {
            memcpy(bytes + s.size - 2000, s.bytes + s.size - 2000, 2000);
            eg_test_write_file(s.journal, bytes, s.size);
        }
        eg_free(bytes);
        shows_all(&s, "makes the journal anew from both", true);
        assert_int_equal(eg_store_open(&store, s.file, s.plan, &eg_test_session, outcomes).code,
                         EG_INVALID);
        assert_ok(eg_store_repair(&kept, s.file));
        assert_non_null(kept);
        eg_free(kept);
        shows_all(&s, NULL, true);
        eg_results *results = eg_test_load(s.file);
        for (size_t k = 0; k < 6; k++) {
            const eg_result *result = eg_test_find(results, s.plan, k);
            assert_true(result->session < results->session_count);
        }
        eg_results_free(results);
        assert_ok(eg_store_collect(s.file));
        eg_test_run(s.file, s.plan, 0, 0);
        shows_all(&s, NULL, true);
        eg_test_write_file(s.journal, s.bytes, s.size);
        assert_ok(eg_store_collect(s.file));
    }
    release(&s);
}

/** Somebody's file of that name is not a journal, and stays. */
static void test_not_ours(void **state)
{
    (void)state;
    sample s = make();
    char *kept = NULL;
    eg_test_write_file(s.journal, "dear diary", 10);
    assert_ok(eg_store_repair(&kept, s.file));
    assert_null(kept);
    release(&s);
}

/** A merge takes from a source that lost its plan what there is. */
static void test_merge(void **state)
{
    (void)state;
    sample s = make();
    const char *merged = eg_test_path(eg_test_place, "m.h5");
    char *notes = NULL;
    changed(&s, BLOCK + 300, s.twice - BLOCK - 300);
    assert_ok(eg_store_merge(&notes, merged, &s.file, 1));
    assert_non_null(strstr(notes, "lost its header or plan"));
    eg_free(notes);
    s.file = merged;
    shows_all(&s, NULL, false);
    struct stat info;
    assert_int_equal(stat(eg_test_path(eg_test_place, "m.journal.source.tmp"), &info), -1);
    release(&s);
}

#define copies_test(name) cmocka_unit_test_setup_teardown(name, eg_test_enter, eg_test_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        copies_test(test_a_byte),
        copies_test(test_a_block),
        copies_test(test_repair),
        copies_test(test_interrupted),
        copies_test(test_results_are_not_spare),
        copies_test(test_both_lost),
        copies_test(test_from_the_file),
        copies_test(test_not_ours),
        copies_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
