/** Damaged and foreign checkpoints are refused, in words, and never crash. With ENGRAM_FULL_TESTS=1 in the
 *  environment they are cut at every byte and 10,000 bits are flipped. */
#include "saved_trials.h"
#include "testing.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "trial/checkpoint.h"

#include <string.h>

static void assert_refused(saved_scene *s, const void *data, size_t size, const char *part)
{
    eg_record *record = NULL;
    bool refused = false;
    eg_writer from = {0};
    eg_write_bytes(&from, data, size);
    if (size == 0) {
        eg_write_u8(&from, 0); /* so that there is something to point at */
        from.size = 0;
    }
    assert_fails(saved_scene_run(s, &from, ENDLESS, 0, &record, &refused), EG_INVALID, part);
    assert_true(refused);
    assert_null(record);
    assert_int_equal(s->polls, 0);
    assert_int_equal(s->continued, 0);
    eg_writer_clear(&from);
}

static void cut_anywhere(void **state)
{
    (void)state;
    saved_scene s = saved_scene_stopped(12);
    size_t stride = eg_test_full() ? 1 : 41;
    for (size_t size = 0; size < s.saved.size; size += size < 64 ? 1 : stride) {
        assert_refused(&s, s.saved.data, size, "");
    }
    assert_refused(&s, s.saved.data, s.saved.size - 1, "wrong checksum over");
    assert_refused(&s, s.saved.data, 3, "these 3 bytes are not a checkpoint");
    saved_scene_close(&s);
}

/** Single bits flipped: found by the checksum. The same with a checksum made right again: refused, or a
 *  trial of other numbers, but never a crash (what the sanitizers look for). */
static void bits_flipped(void **state)
{
    (void)state;
    saved_scene s = saved_scene_stopped(12);
    size_t flips = eg_test_full() ? 10000 : 300;
    unsigned char *bytes = NULL;
    assert_ok(eg_alloc(&bytes, s.saved.size, 1));
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    size_t refusals = 0;
    for (size_t i = 0; i < flips; i++) {
        memcpy(bytes, s.saved.data, s.saved.size);
        size_t bit = eg_rng_below(&rng, (uint32_t)(8 * s.saved.size));
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        assert_refused(&s, bytes, s.saved.size, "");
        eg_checkpoint_seal(bytes, s.saved.size);
        eg_writer from = {.data = bytes, .size = s.saved.size};
        eg_record *record = NULL;
        bool refused = false;
        saved_scene other = {.settings = s.settings, .cache = s.cache};
        eg_status status = saved_scene_run(&other, &from, 1, 0, &record, &refused);
        assert_true(refused ? status.code == EG_INVALID : status.code != EG_INVALID);
        refusals += refused;
        eg_record_free(record);
        eg_writer_clear(&other.saved);
    }
    assert_true(refusals < flips);
    eg_free(bytes);
    saved_scene_close(&s);
}

/** Offset of the first place where `text` is in the checkpoint. */
static size_t find(const saved_scene *s, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i + length <= s->saved.size; i++) {
        if (memcmp(s->saved.data + i, text, length) == 0) {
            return i;
        }
    }
    fail_msg("the checkpoint does not contain %s", text);
    return 0;
}

/** The checkpoint with byte `at` changed and the checksum right is refused with these words. */
static void refuse_changed(saved_scene *s, size_t at, const char *part)
{
    eg_writer other = {0};
    eg_write_bytes(&other, s->saved.data, s->saved.size);
    other.data[at] ^= 1;
    eg_checkpoint_seal(other.data, other.size);
    assert_refused(s, other.data, other.size, part);
    eg_writer_clear(&other);
}

/** Behind the name of the BLAS build. */
static size_t data_of(const saved_scene *s)
{
    const size_t name = find(s, "OpenBLAS");
    return name + s->saved.data[name - 4];
}

static void foreign_ones(void **state)
{
    (void)state;
    saved_scene s = saved_scene_stopped(12);
    const size_t id = 8;
    const size_t version = id + 8;
    const size_t compiler = version + 4;
    refuse_changed(&s, 0, "not a checkpoint");
    refuse_changed(&s, 4, "format 4, expected 5");
    refuse_changed(&s, id, "of trial ");
    refuse_changed(&s, version, "made with result version");
    refuse_changed(&s, compiler + 4, "made with compiler");
    refuse_changed(&s, compiler + 4 + strlen(__VERSION__) + 4, "made with BLAS kernel");
    refuse_changed(&s, find(&s, "OpenBLAS"), "made with BLAS build");
    refuse_changed(&s, data_of(&s) + 3, "made with other data (checksum ");
    refuse_changed(&s, find(&s, "examples_seen"), "made with curve");
    refuse_changed(&s, find(&s, "adagrad"), "saved state of optimizer");
    /* Another seed is another trial. */
    eg_settings *settings = s.settings;
    s.settings = saved_settings("optimizer.lr", "0.02");
    assert_refused(&s, s.saved.data, s.saved.size, "of trial ");
    eg_settings_free(settings);
    saved_scene_close(&s);
}

/** A place that does not exist in this stream. */
static void impossible_places(void **state)
{
    (void)state;
    saved_scene s = saved_scene_stopped(1);
    /* The data's checksum, then phase, minibatch, epochs of phase 0, pending. */
    const size_t phase = data_of(&s) + 8;
    refuse_changed(&s, phase + 1, "phase 256 does not exist");
    refuse_changed(&s, phase + 8 + 7, "of phase 0 does not exist");
    refuse_changed(&s, phase + 16, "of phase 0 does not exist");
    refuse_changed(&s, phase + 20, "1 cannot be pending after minibatch 1");
    saved_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(bits_flipped),
        cmocka_unit_test(foreign_ones),
        cmocka_unit_test(impossible_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
