/** The MPI link by itself, run with 3 ranks: order, contents, and nobody blocks. */
#include "testing.h"

#include "engram/memory.h"

#include "sched/backoff.h"
#include "sched/link.h"
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

static void send_numbered(eg_link *link, uint32_t peer, uint64_t number)
{
    eg_writer bytes = {0};
    static unsigned char block[LARGE + ROUNDS];
    memset(block, (int)(number % 251), sizeof block);
    eg_write_u64(&bytes, number);
    eg_write_bytes(&bytes, block, size_of(number) - 8);
    assert_ok(link->kind->send(link, peer, &bytes));
    assert_null(bytes.data);
}

/* Receives one message if there is one and checks that it is peer's `*expected`-th. */
static bool receive_numbered(eg_link *link, uint64_t *expected)
{
    eg_packet packet = {0};
    bool have = false;
    assert_ok(link->kind->receive(link, &packet, &have));
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
    eg_link *link = NULL;
    uint64_t expected[16] = {0};
    uint32_t rank = (uint32_t)eg_world_rank(world);
    uint32_t ranks = (uint32_t)eg_world_size(world);
    assert_ok(eg_mpi_link_create(&link, world));
    for (uint64_t i = 0; i < ROUNDS; i++) {
        for (uint32_t peer = 0; peer < ranks; peer++) {
            if (peer != rank) {
                send_numbered(link, peer, i);
            }
        }
    }
    assert_true(link->kind->sending(link));
    size_t missing = ROUNDS * (ranks - 1);
    double deadline = eg_sched_now() + 300; /* only ends what would wait for ever */
    while ((missing > 0 || link->kind->sending(link)) && eg_sched_now() < deadline) {
        bool have = receive_numbered(link, expected);
        missing -= have ? 1 : 0;
        link->kind->wait(link, have ? 0 : 1e-5);
    }
    assert_int_equal(missing, 0);
    assert_false(link->kind->sending(link));
    link->kind->close(link);
    assert_false(world->lost);
}

static void test_who_is_gone(void **state)
{
    (void)state;
    eg_link *link = NULL;
    assert_ok(eg_mpi_link_create(&link, world));
    uint32_t peer = eg_world_rank(world) == 0 ? 1 : 0;
    /* On this host a living process is never gone, however silent. */
    assert_false(link->kind->gone(link, peer, false));
    assert_false(link->kind->gone(link, peer, true));
    eg_place saved = world->places[peer];
    world->places[peer].pid = 0x3fffffff; /* above every process number of Linux */
    assert_true(link->kind->gone(link, peer, false));
    /* On another host only the silence counts. */
    world->visible[peer] = false;
    assert_false(link->kind->gone(link, peer, false));
    assert_true(link->kind->gone(link, peer, true));
    world->visible[peer] = true;
    world->places[peer] = saved;
    link->kind->close(link);
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
