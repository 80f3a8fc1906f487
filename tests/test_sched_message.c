/** Messages: round trips, and every kind of damage. */
#include "testing.h"

#include "engram/memory.h"

#include "sched/message.h"

#include <string.h>

static const eg_variable accuracy = {
    .name = "accuracy", .dims = {"eval"}, .unit = "1", .doc = "accuracy"};
static const eg_variable steps = {.name = "steps", .wide = true, .unit = "1", .doc = "steps"};

static eg_record *make_record(void)
{
    eg_record *record = NULL;
    eg_array *array = NULL;
    const size_t extent[1] = {3};
    assert_ok(eg_record_create(&record));
    assert_ok(eg_record_declare(record, &accuracy, extent, &array));
    array->data[0] = 0.25;
    array->data[1] = 0.5;
    assert_ok(eg_record_scalar(record, &steps, 123456789.0));
    eg_record_set_status(record, EG_TRIAL_DIVERGED, "loss is nan");
    return record;
}

/* One of each kind, all fields different from zero. */
enum { KINDS = 16 };

static const eg_attempt attempts[] = {{.trial = 7, .number = 8}, {.trial = 9, .number = 10}};

static void make_all(eg_message *all, const eg_record *record)
{
    const eg_message messages[KINDS] = {
        {.kind = EG_MESSAGE_READY, .as.ready = {"node17", 4711}},
        {.kind = EG_MESSAGE_PROGRESS, .as.progress = {true, {.trial = 9, .number = 2}, 100, 2000}},
        {.kind = EG_MESSAGE_RESULT,
         .as.result = {.attempt = {.trial = 1ull << 40,
                                   .number = 3,
                                   .start_time = 1.7e9,
                                   .wall_seconds = 0.125},
                       .status = EG_TRIAL_DIVERGED,
                       .message = "loss is nan",
                       .record = record}},
        {.kind = EG_MESSAGE_RESULT,
         .as.result = {.attempt = {.trial = 8, .number = 1},
                       .status = EG_TRIAL_FAILED,
                       .message = "no file"}},
        {.kind = EG_MESSAGE_INTERRUPTED, .as.interrupted = {.trial = 5, .number = 6}},
        {.kind = EG_MESSAGE_SIGNALLED, .as.signal = 15},
        {.kind = EG_MESSAGE_BYE, .as.reason = "out of memory"},
        {.kind = EG_MESSAGE_WORK,
         .as.work = {{.trial = 77, .number = 2},
                     UINT64_MAX,
                     "dataset=mnist\noptimizer.lr=0.1\n",
                     "final_accuracy",
                     "/data/x.checkpoints/0a",
                     60,
                     "/data/x.weights/0a.h5",
                     3,
                     9,
                     1,
                     0xfedcba9876543210u,
                     "00000000000000ab /data/wave.so\n"}},
        {.kind = EG_MESSAGE_ACK, .as.ack = {.attempts = attempts, .count = 2}},
        {.kind = EG_MESSAGE_HEARTBEAT, .as.heartbeat = {2.5, 7.5}},
        {.kind = EG_MESSAGE_STOP},
        {.kind = EG_MESSAGE_SHUTDOWN},
        {.kind = EG_MESSAGE_NOTE,
         .as.note = {.attempt = {.trial = 3, .number = 4}, .warning = true, .text = "no space"}},
        {.kind = EG_MESSAGE_RESET},
        {.kind = EG_MESSAGE_RESULT,
         .as.result = {.attempt = {.trial = 1, .number = 2},
                       .status = EG_TRIAL_PAUSED,
                       .message = "paused",
                       .record = record}},
        {.kind = EG_MESSAGE_REFUSED, .as.reason = "other data"},
    };
    memcpy(all, messages, sizeof messages);
}

static void test_round_trip(void **state)
{
    (void)state;
    eg_message all[KINDS], back[KINDS];
    eg_record *record = make_record();
    eg_writer bytes = {0};
    make_all(all, record);
    for (size_t i = 0; i < KINDS; i++) {
        assert_ok(eg_message_encode(&all[i], &bytes));
        assert_ok(eg_message_decode(&back[i], bytes.data, bytes.size));
        assert_int_equal(back[i].kind, all[i].kind);
        /* The same message again gives the same bytes: nothing was lost on the way. */
        eg_writer again = {0};
        assert_ok(eg_message_encode(&back[i], &again));
        assert_int_equal(again.size, bytes.size);
        assert_memory_equal(again.data, bytes.data, bytes.size);
        eg_writer_clear(&again);
    }
    assert_string_equal(back[0].as.ready.host, "node17");
    assert_int_equal(back[0].as.ready.pid, 4711);
    assert_true(back[1].as.progress.working);
    assert_int_equal(back[1].as.progress.attempt.trial, 9);
    assert_int_equal(back[1].as.progress.steps, 2000);
    assert_true(back[2].as.result.attempt.trial == 1ull << 40);
    assert_int_equal(back[2].as.result.attempt.number, 3);
    assert_close(back[2].as.result.attempt.wall_seconds, 0.125, 0);
    assert_close(eg_record_find(back[2].as.result.record, "accuracy")->data[1], 0.5, 0);
    assert_close(eg_record_value(back[2].as.result.record, "steps"), 123456789.0, 0);
    assert_null(back[3].as.result.record);
    assert_string_equal(back[3].as.result.message, "no file");
    assert_int_equal(back[4].as.interrupted.number, 6);
    assert_int_equal(back[5].as.signal, 15);
    assert_string_equal(back[6].as.reason, "out of memory");
    assert_true(back[7].as.work.seed == UINT64_MAX);
    assert_string_equal(back[7].as.work.settings, "dataset=mnist\noptimizer.lr=0.1\n");
    assert_string_equal(back[7].as.work.objective, "final_accuracy");
    assert_string_equal(back[7].as.work.checkpoint, "/data/x.checkpoints/0a");
    assert_string_equal(back[7].as.work.weights, "/data/x.weights/0a.h5");
    assert_close(back[7].as.work.checkpoint_every, 60.0, 0);
    assert_int_equal(back[7].as.work.from, 3);
    assert_int_equal(back[7].as.work.until, 9);
    assert_true(back[7].as.work.data == 0xfedcba9876543210u);
    assert_string_equal(back[7].as.work.plugins, "00000000000000ab /data/wave.so\n");
    assert_int_equal(back[8].as.ack.count, 2);
    assert_close(back[9].as.heartbeat.heartbeat_seconds, 2.5, 0);
    assert_close(back[9].as.heartbeat.silence_seconds, 7.5, 0);
    assert_int_equal(back[8].as.ack.attempts[1].trial, 9);
    assert_int_equal(back[8].as.ack.attempts[1].number, 10);
    assert_int_equal(back[12].as.note.attempt.trial, 3);
    assert_int_equal(back[12].as.note.attempt.number, 4);
    assert_true(back[12].as.note.warning);
    assert_string_equal(back[12].as.note.text, "no space");
    assert_int_equal(back[14].as.result.status, EG_TRIAL_PAUSED);
    assert_close(eg_record_value(back[14].as.result.record, "steps"), 123456789.0, 0);
    assert_string_equal(back[15].as.reason, "other data");
    for (size_t i = 0; i < KINDS; i++) {
        eg_message_clear(&back[i]);
    }
    eg_writer_clear(&bytes);
    eg_record_free(record);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* A copy of exactly `size` bytes, so that a sanitizer sees any read past its end. */
static eg_status decode_copy(const unsigned char *data, size_t size, bool fix_checksum)
{
    eg_message message;
    unsigned char *copy = NULL;
    assert_ok(eg_alloc(&copy, size, 1));
    memcpy(copy, data, size);
    if (fix_checksum) {
        eg_message_set_checksum(copy, size);
    }
    eg_status status = eg_message_decode(&message, copy, size);
    if (status.code == EG_OK) {
        eg_message_clear(&message);
    }
    eg_free(copy);
    return status;
}

static void test_every_truncation_is_an_error(void **state)
{
    (void)state;
    eg_message all[KINDS];
    eg_record *record = make_record();
    eg_writer bytes = {0};
    make_all(all, record);
    for (size_t i = 0; i < KINDS; i++) {
        assert_ok(eg_message_encode(&all[i], &bytes));
        for (size_t size = 0; size < bytes.size; size++) {
            assert_fails(decode_copy(bytes.data, size, false), EG_INVALID, "damaged message");
            /* With a checksum that fits, the body itself must be found too short. */
            if (size >= 4) {
                assert_fails(decode_copy(bytes.data, size, true), EG_INVALID, "damaged message");
            }
        }
        eg_write_u8(&bytes, 0);
        assert_fails(decode_copy(bytes.data, bytes.size, true), EG_INVALID, "unexpected bytes");
    }
    eg_writer_clear(&bytes);
    eg_record_free(record);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* Every single flipped bit is noticed; with a fresh checksum it may mean another valid message, but never harm. */
static void test_every_flipped_bit(void **state)
{
    (void)state;
    eg_message all[KINDS];
    eg_record *record = make_record();
    eg_writer bytes = {0};
    make_all(all, record);
    for (size_t i = 0; i < KINDS; i++) {
        assert_ok(eg_message_encode(&all[i], &bytes));
        for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
            unsigned char mask = (unsigned char)(1u << (bit % 8));
            bytes.data[bit / 8] ^= mask;
            assert_fails(decode_copy(bytes.data, bytes.size, false), EG_INVALID, "checksum");
            eg_status repaired = decode_copy(bytes.data, bytes.size, true);
            assert_true(repaired.code == EG_OK || repaired.code == EG_INVALID);
            bytes.data[bit / 8] ^= mask;
        }
    }
    eg_writer_clear(&bytes);
    eg_record_free(record);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void test_random_bytes(void **state)
{
    (void)state;
    unsigned char data[300];
    uint64_t x = 88172645463325252ull;
    for (size_t round = 0; round < 100000; round++) {
        for (size_t i = 0; i < sizeof data; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            data[i] = (unsigned char)x;
        }
        /* A valid start, so that the bodies are reached. */
        data[4] = EG_PROTOCOL_VERSION;
        data[5] = (unsigned char)(round % 24);
        size_t size = 6 + (size_t)(x >> 32) % (sizeof data - 6);
        eg_status status = decode_copy(data, size, true);
        assert_true(status.code == EG_OK || status.code == EG_INVALID);
    }
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void test_words_for_damage(void **state)
{
    (void)state;
    eg_message message = {.kind = EG_MESSAGE_STOP};
    eg_writer bytes = {0};
    assert_ok(eg_message_encode(&message, &bytes));
    bytes.data[4] = 9;
    assert_fails(decode_copy(bytes.data, bytes.size, true), EG_INVALID,
                 "protocol version 9, expected 8");
    bytes.data[4] = EG_PROTOCOL_VERSION;
    bytes.data[5] = 99;
    assert_fails(decode_copy(bytes.data, bytes.size, true), EG_INVALID, "unknown kind 99");
    message = (eg_message){.kind = EG_MESSAGE_RESULT,
                           .as.result = {.status = EG_TRIAL_FAILED, .message = ""}};
    assert_ok(eg_message_encode(&message, &bytes));
    bytes.data[34] = EG_TRIAL_PENDING; /* 6 + trial 8 + number 4 + two times 8 */
    assert_fails(decode_copy(bytes.data, bytes.size, true), EG_INVALID,
                 "a result cannot have status 0");
    eg_writer_clear(&bytes);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    eg_message all[KINDS];
    eg_record *record = make_record();
    eg_writer bytes = {0};
    make_all(all, record);
    size_t before = eg_memory_live_blocks();
    eg_memory_fail_after(1);
    assert_fails(eg_message_encode(&all[7], &bytes), EG_MEMORY, "out of memory");
    eg_memory_fail_after(0);
    eg_writer_clear(&bytes);
    assert_ok(eg_message_encode(&all[2], &bytes));
    eg_status status = {.code = EG_MEMORY};
    for (size_t n = 1; status.code == EG_MEMORY; n++) {
        eg_message back;
        eg_memory_fail_after(n);
        status = eg_message_decode(&back, bytes.data, bytes.size);
        eg_memory_fail_after(0);
        if (status.code == EG_OK) {
            assert_true(n > 3);
            eg_message_clear(&back);
        }
    }
    assert_ok(status);
    eg_writer_clear(&bytes);
    assert_int_equal(eg_memory_live_blocks(), before);
    eg_record_free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_truncation_is_an_error),
        cmocka_unit_test(test_every_flipped_bit),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_words_for_damage),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
