/** Links, members and the compute thread; see sched/crew.h. */
#include "sched/crew.h"

#include "engram/memory.h"

#include <signal.h>
#include <string.h>

/* How long a worker may take to leave. */
static const double leave_seconds = 8;

static void *compute(void *argument)
{
    eg_crew *crew = argument;
    bool goodbye = false;
    crew->thread_status =
        eg_worker_run(crew->far_end, crew->members[0].host, crew->runner, &crew->options, &goodbye);
    atomic_store(&crew->thread_ended, true);
    return NULL;
}

/* The thread handles no signals: all go to the main thread. */
static eg_status start_thread(eg_crew *crew)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
        error = pthread_create(&crew->thread, NULL, compute, crew);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (error != 0) {
        return eg_fail_errno(error, "cannot start the compute thread");
    }
    crew->thread_started = true;
    return eg_ok();
}

eg_status eg_crew_send(eg_member *member, const eg_message *message)
{
    if (member->left) {
        return eg_ok();
    }
    eg_writer bytes = {0};
    eg_status status = eg_message_encode(message, &bytes);
    if (status.code != EG_OK) {
        eg_writer_free(&bytes);
        return status;
    }
    return member->link->kind->send(member->link, member->rank, &bytes);
}

eg_status eg_crew_greet(const eg_crew *crew, eg_member *member)
{
    const eg_message alive = {.kind = EG_MESSAGE_ALIVE,
                              .as.alive = {.heartbeat_seconds = crew->options.heartbeat_seconds,
                                           .silence_seconds = crew->options.silence_seconds}};
    return eg_crew_send(member, &alive);
}

eg_status eg_crew_open(eg_crew *crew, eg_world *world, const eg_sched_options *options,
                       const eg_runner *runner)
{
    memset(crew, 0, sizeof *crew);
    crew->world = world;
    crew->options = eg_sched_complete(options);
    crew->runner = runner;
    atomic_init(&crew->thread_ended, false);
    EG_TRY(eg_alloc(&crew->members, (size_t)world->size, sizeof *crew->members));
    crew->count = (size_t)world->size;
    if (world->size > 1) {
        EG_TRY(eg_mpi_link_create(&crew->mpi, world));
    }
    double now = eg_sched_now();
    for (size_t i = 0; i < crew->count; i++) {
        eg_member *member = &crew->members[i];
        *member = (eg_member){.link = i > 0 ? crew->mpi : NULL, .rank = (uint32_t)i, .heard = now};
        memcpy(member->host, world->places[i].host, sizeof member->host);
    }
    if (runner != NULL) {
        EG_TRY(eg_queue_create(&crew->queue, &crew->far_end));
        crew->members[0].link = crew->queue;
        EG_TRY(start_thread(crew));
    }
    for (size_t i = 0; i < crew->count; i++) {
        if (crew->members[i].link != NULL) {
            EG_TRY(eg_crew_greet(crew, &crew->members[i]));
        }
    }
    return eg_ok();
}

eg_status eg_crew_receive(eg_crew *crew, eg_link *link, eg_member **member, eg_message *message,
                          bool *have)
{
    eg_packet packet = {0};
    EG_TRY(link->kind->receive(link, &packet, have));
    if (!*have) {
        return eg_ok();
    }
    eg_pacer_touch(&crew->pacer);
    *member = &crew->members[packet.peer];
    (*member)->heard = crew->pacer.touched;
    eg_status status = eg_message_decode(message, packet.data, packet.size);
    eg_free(packet.data);
    *have = status.code == EG_OK;
    return eg_status_wrap(status, "rank %u on host %s", (*member)->rank, (*member)->host);
}

void eg_crew_wait(eg_crew *crew, double gather)
{
    double pause = eg_pacer_next(&crew->pacer);
    if (pause < gather) {
        eg_sched_sleep(gather);
    } else if (crew->queue != NULL) {
        crew->queue->kind->wait(crew->queue, pause);
    } else {
        eg_sched_sleep(pause);
    }
}

bool eg_crew_gone(const eg_member *member)
{
    return member->link->kind->gone(member->link, member->rank, false);
}

bool eg_crew_silent(const eg_crew *crew, const eg_member *member, double now)
{
    return now - member->heard > crew->options.timeout_seconds;
}

/* Takes in what arrives until everybody on `link` has left or `deadline` has passed (0: no
 * deadline). */
static eg_status see_off(eg_crew *crew, eg_link *link, double deadline)
{
    while (true) {
        bool have = true;
        while (have) {
            eg_member *member = NULL;
            eg_message message;
            EG_TRY(eg_crew_receive(crew, link, &member, &message, &have));
            if (have) {
                member->left = member->left || message.kind == EG_MESSAGE_LEFT;
                eg_message_clear(&message);
            }
        }
        size_t missing = 0;
        for (size_t i = 0; i < crew->count; i++) {
            const eg_member *member = &crew->members[i];
            missing += member->link == link && !member->left && !member->lost ? 1 : 0;
        }
        bool late = deadline > 0 && eg_sched_now() > deadline;
        if (missing == 0 || late || (link == crew->queue && atomic_load(&crew->thread_ended))) {
            return eg_ok();
        }
        eg_crew_wait(crew, 0);
    }
}

void eg_crew_dismiss(eg_crew *crew)
{
    const eg_message leave = {.kind = EG_MESSAGE_LEAVE};
    eg_status status = eg_ok();
    for (size_t i = 0; i < crew->count; i++) {
        if (crew->members[i].link != NULL) {
            eg_status sent = eg_crew_send(&crew->members[i], &leave);
            if (sent.code != EG_OK) {
                crew->members[i].left = true; /* it cannot be asked, so it is not waited for */
            }
            eg_status_keep(&status, sent);
        }
    }
    double deadline = eg_sched_now() + leave_seconds;
    if (crew->mpi != NULL) {
        eg_status_keep(&status, see_off(crew, crew->mpi, deadline));
    } else if (crew->world->size > 1) {
        crew->world->lost = true; /* opening failed before anybody could be reached */
    }
    if (crew->queue != NULL && crew->thread_started) {
        eg_status_keep(&status, see_off(crew, crew->queue, 0));
    }
    if (status.code != EG_OK) {
        crew->world->lost = crew->world->lost || crew->world->size > 1;
    }
    for (size_t i = 0; i < crew->count; i++) {
        if (crew->mpi != NULL && crew->members[i].link == crew->mpi && !crew->members[i].left) {
            crew->world->presence[i] = EG_HANGS;
            crew->world->lost = true;
        }
    }
}

void eg_crew_close(eg_crew *crew)
{
    /* Closing this end makes the thread leave even if it could not be asked. */
    if (crew->queue != NULL) {
        crew->queue->kind->close(crew->queue);
    }
    if (crew->thread_started) {
        (void)pthread_join(crew->thread, NULL);
    }
    if (crew->queue != NULL) {
        crew->far_end->kind->close(crew->far_end);
    }
    if (crew->mpi != NULL) {
        crew->mpi->kind->close(crew->mpi);
    }
    for (size_t i = 0; i < crew->count; i++) {
        eg_free(crew->members[i].held);
        eg_free(crew->members[i].kept);
    }
    eg_free(crew->members);
}
