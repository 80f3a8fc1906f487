/** Links, members and the compute thread; see sched/crew.h. */
#include "sched/crew.h"

#include "engram/memory.h"

#include <string.h>

/* How long a worker may take to leave. */
static const double leave_seconds = 6;
static const double leave_seconds_here = 2;

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
        EG_TRY(eg_compute_start(&crew->compute, crew->members[0].host, runner, &crew->options));
        crew->queue = crew->members[0].link = crew->compute->link;
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

/* Takes in what arrives until everybody on `link` has left or `deadline` has passed. Who left in the middle of something
 * will not leave MPI in an orderly way. */
static eg_status see_off(eg_crew *crew, eg_link *link, double deadline)
{
    while (true) {
        bool have = true;
        while (have) {
            eg_member *member = NULL;
            eg_message message;
            EG_TRY(eg_crew_receive(crew, link, &member, &message, &have));
            if (have) {
                bool left = message.kind == EG_MESSAGE_LEFT;
                member->left = member->left || left;
                crew->world->lost = crew->world->lost ||
                                    (left && link == crew->mpi && message.as.reason[0] != '\0');
                eg_message_clear(&message);
            }
        }
        size_t missing = 0;
        for (size_t i = 0; i < crew->count; i++) {
            const eg_member *member = &crew->members[i];
            missing += member->link == link && !member->left && !member->lost ? 1 : 0;
        }
        bool late = eg_sched_now() > deadline;
        if (missing == 0 || late || (link == crew->queue && atomic_load(&crew->compute->ended))) {
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
    if (crew->queue != NULL) {
        eg_status_keep(&status, see_off(crew, crew->queue, eg_sched_now() + leave_seconds_here));
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
    if (!eg_compute_end(crew->compute)) {
        crew->world->computes = true;
        crew->world->lost = crew->world->lost || crew->world->size > 1;
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
