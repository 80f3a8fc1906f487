/** Links, workers and the compute thread; see sched/worker_pool.h. */
#include "sched/worker_pool.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <string.h>

/* How long a worker may take to leave. */
static const double leave_seconds = 6;
static const double leave_seconds_here = 2;

eg_status eg_worker_send(eg_worker *worker, const eg_message *message)
{
    if (worker->left) {
        return eg_ok();
    }
    eg_writer bytes = {0};
    eg_status status = eg_message_encode(message, &bytes);
    if (status.code != EG_OK) {
        eg_writer_clear(&bytes);
        return status;
    }
    return worker->channel->kind->send(worker->channel, worker->rank, &bytes);
}

eg_status eg_worker_pool_send_heartbeat(const eg_worker_pool *pool, eg_worker *worker)
{
    const eg_message alive = {.kind = EG_MESSAGE_HEARTBEAT,
                              .as.heartbeat = {.heartbeat_seconds = pool->options.heartbeat_seconds,
                                               .silence_seconds = pool->options.silence_seconds}};
    return eg_worker_send(worker, &alive);
}

eg_status eg_worker_pool_open(eg_worker_pool *pool, eg_world *world,
                              const eg_sched_options *options, const eg_runner *runner)
{
    memset(pool, 0, sizeof *pool);
    pool->world = world;
    pool->options = eg_sched_complete(options);
    pool->runner = runner;
    EG_TRY(eg_alloc(&pool->workers, (size_t)world->size, sizeof *pool->workers));
    pool->count = (size_t)world->size;
    if (world->size > 1) {
        EG_TRY(eg_mpi_channel_create(&pool->mpi, world));
    }
    double now = eg_clock();
    for (size_t i = 0; i < pool->count; i++) {
        eg_worker *worker = &pool->workers[i];
        *worker =
            (eg_worker){.channel = i > 0 ? pool->mpi : NULL, .rank = (uint32_t)i, .heard = now};
        memcpy(worker->host, world->processes[i].host, sizeof worker->host);
    }
    if (runner != NULL) {
        EG_TRY(eg_compute_start(&pool->compute, pool->workers[0].host, runner, &pool->options));
        pool->queue = pool->workers[0].channel = pool->compute->channel;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->workers[i].channel != NULL) {
            EG_TRY(eg_worker_pool_send_heartbeat(pool, &pool->workers[i]));
        }
    }
    return eg_ok();
}

eg_status eg_worker_pool_receive(eg_worker_pool *pool, eg_channel *channel, eg_worker **worker,
                                 eg_message *message, bool *have)
{
    eg_packet packet = {0};
    EG_TRY(channel->kind->receive(channel, &packet, have));
    if (!*have) {
        return eg_ok();
    }
    eg_backoff_reset(&pool->backoff);
    *worker = &pool->workers[packet.peer];
    (*worker)->heard = pool->backoff.touched;
    eg_status status = eg_message_decode(message, packet.data, packet.size);
    eg_free(packet.data);
    *have = status.code == EG_OK;
    return eg_status_wrap(status, "rank %u on host %s", (*worker)->rank, (*worker)->host);
}

void eg_worker_pool_wait(eg_worker_pool *pool, double gather)
{
    double pause = eg_backoff_next(&pool->backoff);
    if (pause < gather) {
        eg_sched_sleep(gather);
    } else if (pool->queue != NULL) {
        pool->queue->kind->wait(pool->queue, pause);
    } else {
        eg_sched_sleep(pause);
    }
}

bool eg_worker_is_gone(const eg_worker *worker)
{
    return worker->channel->kind->gone(worker->channel, worker->rank, false);
}

bool eg_worker_pool_silent(const eg_worker_pool *pool, const eg_worker *worker, double now)
{
    return now - worker->heard > pool->options.timeout_seconds;
}

/* Takes in what arrives until everybody on `channel` has left or `deadline` has passed. Who left in
 * the middle of something will not leave MPI in an orderly way. */
static eg_status wait_for_bye(eg_worker_pool *pool, eg_channel *channel, double deadline)
{
    while (true) {
        bool have = true;
        while (have) {
            eg_worker *worker = NULL;
            eg_message message;
            EG_TRY(eg_worker_pool_receive(pool, channel, &worker, &message, &have));
            if (have) {
                bool left = message.kind == EG_MESSAGE_BYE;
                worker->left = worker->left || left;
                pool->world->lost = pool->world->lost ||
                                    (left && channel == pool->mpi && message.as.reason[0] != '\0');
                eg_message_clear(&message);
            }
        }
        size_t missing = 0;
        for (size_t i = 0; i < pool->count; i++) {
            const eg_worker *worker = &pool->workers[i];
            missing += worker->channel == channel && !worker->left && !worker->lost ? 1 : 0;
        }
        bool late = eg_clock() > deadline;
        if (missing == 0 || late ||
            (channel == pool->queue && atomic_load(&pool->compute->ended))) {
            return eg_ok();
        }
        eg_worker_pool_wait(pool, 0);
    }
}

void eg_worker_pool_shut_down(eg_worker_pool *pool)
{
    const eg_message leave = {.kind = EG_MESSAGE_SHUTDOWN};
    eg_status status = eg_ok();
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->workers[i].channel != NULL) {
            eg_status sent = eg_worker_send(&pool->workers[i], &leave);
            if (sent.code != EG_OK) {
                pool->workers[i].left = true; /* it cannot be asked, so it is not waited for */
            }
            eg_status_keep(&status, sent);
        }
    }
    double deadline = eg_clock() + leave_seconds;
    if (pool->mpi != NULL) {
        eg_status_keep(&status, wait_for_bye(pool, pool->mpi, deadline));
    } else if (pool->world->size > 1) {
        pool->world->lost = true; /* opening failed before anybody could be reached */
    }
    if (pool->queue != NULL) {
        eg_status_keep(&status, wait_for_bye(pool, pool->queue, eg_clock() + leave_seconds_here));
    }
    if (status.code != EG_OK) {
        pool->world->lost = pool->world->lost || pool->world->size > 1;
    }
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->mpi != NULL && pool->workers[i].channel == pool->mpi && !pool->workers[i].left) {
            pool->world->presence[i] = EG_HANGS;
            pool->world->lost = true;
        }
    }
}

void eg_worker_pool_close(eg_worker_pool *pool)
{
    /* Closing this end makes the thread leave even if it could not be asked. */
    if (!eg_compute_end(pool->compute)) {
        pool->world->computes = true;
        pool->world->lost = pool->world->lost || pool->world->size > 1;
    }
    if (pool->mpi != NULL) {
        pool->mpi->kind->close(pool->mpi);
    }
    for (size_t i = 0; i < pool->count; i++) {
        eg_free(pool->workers[i].in_flight);
        eg_free(pool->workers[i].kept);
    }
    eg_free(pool->workers);
}
