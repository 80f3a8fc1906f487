/** The MPI channel by itself, run with 3 ranks: order, contents, and nobody blocks. */
#include "testing.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include "sched/backoff.h"
#include "sched/channel.h"
#include "sched/world.h"

#include <stdio.h>
#include <string.h>

static eg_world *world;

enum { ROUNDS = 60, LARGE = 3000000 };

/* Every other message is far too long to travel without the receiver's help. */
static size_t size_of(uint64_t number)
{
    return number % 2 == 0 ? LARGE + number : 8;
}

static void send_numbered(eg_channel *channel, uint32_t peer, uint64_t number)
{
    eg_writer bytes = {0};
    static unsigned char block[LARGE + ROUNDS];
    memset(block, (int)(number % 251), sizeof block);
    eg_write_u64(&bytes, number);
    eg_write_bytes(&bytes, block, size_of(number) - 8);
    assert_ok(channel->kind->send(channel, peer, &bytes));
    assert_null(bytes.data);
}

/* Receives one message if there is one and checks that it is peer's `*expected`-th. */
static bool receive_numbered(eg_channel *channel, uint64_t *expected)
{
    eg_packet packet = {0};
    bool have = false;
    assert_ok(channel->kind->receive(channel, &packet, &have));
    if (!have) {
        return false;
    }
    eg_reader reader = eg_reader_make(packet.data, packet.size);
    uint64_t number = eg_read_u64(&reader);
    assert_int_equal(number, expected[packet.peer]);
    expected[packet.peer]++;
    assert_int_equal(packet.size, size_of(number));
    for (size_t i = 8; i < packet.size; i++) {
        if (packet.data[i] != number % 251) {
            fail_msg("byte %zu of message %d", i, (int)number);
        }
    }
    eg_free(packet.data);
    return true;
}

/* All ranks send everything to all others at once, without anybody receiving meanwhile, then receive. */
static void test_all_to_all_in_order(void **state)
{
    (void)state;
    eg_channel *channel = NULL;
    uint64_t expected[16] = {0};
    uint32_t rank = (uint32_t)eg_world_rank(world);
    uint32_t ranks = (uint32_t)eg_world_size(world);
    assert_ok(eg_mpi_channel_create(&channel, world));
    for (uint64_t i = 0; i < ROUNDS; i++) {
        for (uint32_t peer = 0; peer < ranks; peer++) {
            if (peer != rank) {
                send_numbered(channel, peer, i);
            }
        }
    }
    assert_true(channel->kind->sending(channel));
    size_t missing = ROUNDS * (ranks - 1);
    double deadline = eg_clock() + 300; /* only ends what would wait for ever */
    while ((missing > 0 || channel->kind->sending(channel)) && eg_clock() < deadline) {
        bool have = receive_numbered(channel, expected);
        missing -= have ? 1 : 0;
        channel->kind->wait(channel, have ? 0 : 1e-5);
    }
    assert_int_equal(missing, 0);
    assert_false(channel->kind->sending(channel));
    channel->kind->close(channel);
    assert_false(world->lost);
}

static void test_who_is_gone(void **state)
{
    (void)state;
    eg_channel *channel = NULL;
    assert_ok(eg_mpi_channel_create(&channel, world));
    uint32_t peer = eg_world_rank(world) == 0 ? 1 : 0;
    /* On this host a living process is never gone, however silent. */
    assert_false(channel->kind->gone(channel, peer, false));
    assert_false(channel->kind->gone(channel, peer, true));
    eg_process_info saved = world->processes[peer];
    world->processes[peer].pid = 0x3fffffff; /* above every process number of Linux */
    assert_true(channel->kind->gone(channel, peer, false));
    /* On another host only the silence counts. */
    world->visible[peer] = false;
    assert_false(channel->kind->gone(channel, peer, false));
    assert_true(channel->kind->gone(channel, peer, true));
    world->visible[peer] = true;
    world->processes[peer] = saved;
    channel->kind->close(channel);
}

int main(int argc, char **argv)
{
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code != EG_OK || eg_world_size(world) != 3) {
        (void)fprintf(stderr, "needs 3 ranks: %s\n", status.message);
        eg_world_free(world, 1);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_to_all_in_order),
        cmocka_unit_test(test_who_is_gone),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)eg_world_agree(world, failed);
    eg_world_free(world, failed);
    return failed;
}
