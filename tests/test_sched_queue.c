/** The queue between two threads, and the pause between two looks. */
#include "testing.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include "sched/backoff.h"
#include "sched/channel.h"

#include <pthread.h>

static void send_number(eg_channel *channel, uint64_t number)
{
    eg_writer bytes = {0};
    eg_write_u64(&bytes, number);
    assert_ok(channel->kind->send(channel, 0, &bytes));
    /* The memory now belongs to the queue. */
    assert_null(bytes.data);
}

static bool receive_number(eg_channel *channel, uint64_t *number)
{
    eg_packet packet = {0};
    bool have = false;
    assert_ok(channel->kind->receive(channel, &packet, &have));
    if (have) {
        eg_reader reader = eg_reader_make(packet.data, packet.size);
        *number = eg_read_u64(&reader);
        assert_ok(eg_reader_status(&reader, true));
        eg_free(packet.data);
    }
    return have;
}

static void test_both_ways_in_order(void **state)
{
    (void)state;
    eg_channel *one = NULL, *other = NULL;
    assert_ok(eg_queue_create(&one, &other));
    uint64_t got = 0;
    assert_false(receive_number(one, &got));
    for (uint64_t round = 0; round < 5; round++) {
        for (uint64_t i = 0; i < 20; i++) {
            send_number(one, i);
            send_number(other, 1000 + i);
        }
        for (uint64_t i = 0; i < 20; i++) {
            assert_true(receive_number(other, &got));
            assert_int_equal(got, i);
            assert_true(receive_number(one, &got));
            assert_int_equal(got, 1000 + i);
        }
        assert_false(receive_number(one, &got));
    }
    assert_false(one->kind->sending(one));
    assert_false(one->kind->gone(one, 0, true));
    one->kind->close(one);
    other->kind->close(other);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

/* Filled faster than emptied, so that the mailbox moves its contents down and grows. */
static void test_never_empty_queue_stays_in_order(void **state)
{
    (void)state;
    eg_channel *one = NULL, *other = NULL;
    assert_ok(eg_queue_create(&one, &other));
    uint64_t sent = 0, expected = 0, got = 0;
    for (size_t round = 0; round < 300; round++) {
        for (size_t i = 0; i < 3; i++) {
            send_number(one, sent++);
        }
        for (size_t i = 0; i < 2 + round % 2; i++) {
            assert_true(receive_number(other, &got));
            assert_int_equal(got, expected++);
        }
    }
    /* What is left in the queue is released with it, whichever end closes first. */
    other->kind->close(other);
    one->kind->close(one);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

enum { THREAD_MESSAGES = 20000 };

static void *echo(void *argument)
{
    eg_channel *channel = argument;
    uint64_t number = 0;
    for (size_t done = 0; done < THREAD_MESSAGES;) {
        if (receive_number(channel, &number)) {
            send_number(channel, number + 1);
            done++;
        } else {
            channel->kind->wait(channel, 0.01);
        }
    }
    channel->kind->close(channel);
    return NULL;
}

static void test_two_threads(void **state)
{
    (void)state;
    eg_channel *one = NULL, *other = NULL;
    pthread_t thread;
    assert_ok(eg_queue_create(&one, &other));
    assert_int_equal(pthread_create(&thread, NULL, echo, other), 0);
    uint64_t sent = 0, expected = 0, got = 0;
    while (expected < THREAD_MESSAGES) {
        if (sent < THREAD_MESSAGES && sent < expected + 50) {
            send_number(one, sent++);
        }
        if (receive_number(one, &got)) {
            assert_int_equal(got, ++expected);
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    one->kind->close(one);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void *send_later(void *argument)
{
    eg_sched_sleep(0.05);
    send_number(argument, 1);
    return NULL;
}

static void test_waiting_ends_with_a_message(void **state)
{
    (void)state;
    eg_channel *one = NULL, *other = NULL;
    pthread_t thread;
    uint64_t got = 0;
    assert_ok(eg_queue_create(&one, &other));
    double start = eg_clock();
    one->kind->wait(one, 0.02);
    assert_true(eg_clock() - start >= 0.02);
    assert_int_equal(pthread_create(&thread, NULL, send_later, other), 0);
    one->kind->wait(one, 60);
    assert_true(receive_number(one, &got));
    assert_true(eg_clock() - start < 60); /* the message ended it, not the time */
    /* Waiting with a message already there does not wait. */
    send_number(other, 2);
    one->kind->wait(one, 60);
    assert_true(receive_number(one, &got));
    assert_int_equal(pthread_join(thread, NULL), 0);
    one->kind->close(one);
    other->kind->close(other);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    eg_channel *one = NULL, *other = NULL;
    for (size_t n = 1; n <= 3; n++) {
        eg_memory_fail_after(n);
        assert_fails(eg_queue_create(&one, &other), EG_MEMORY, "out of memory");
        assert_null(one);
        assert_null(other);
        assert_int_equal(eg_memory_live_blocks(), 0);
    }
    eg_memory_fail_after(0);
    assert_ok(eg_queue_create(&one, &other));
    eg_writer bytes = {0};
    eg_write_u64(&bytes, 1);
    eg_memory_fail_after(1);
    assert_fails(one->kind->send(one, 0, &bytes), EG_MEMORY, "out of memory");
    eg_memory_fail_after(0);
    assert_null(bytes.data);
    one->kind->close(one);
    other->kind->close(other);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void test_pauses_double_up_to_five_milliseconds(void **state)
{
    (void)state;
    eg_backoff backoff = {0}; /* nothing ever happened */
    double expected = 20e-6;
    for (size_t i = 0; i < 12; i++) {
        assert_close(eg_backoff_next(&backoff), expected, 1e-12);
        expected = expected * 2 < 5e-3 ? expected * 2 : 5e-3;
    }
    eg_backoff_reset(&backoff);
    assert_close(backoff.pause, 0, 0);
    eg_sched_sleep(100e-6);
    assert_close(eg_backoff_next(&backoff), 20e-6, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways_in_order),
        cmocka_unit_test(test_never_empty_queue_stays_in_order),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_waiting_ends_with_a_message),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_pauses_double_up_to_five_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
