/** Keeps a handle of every rank's process; see cli/rank_ends.h. The kernel queues what becomes
 *  ready in an epoll set in that order, so that looking now and then is enough. */
#define _GNU_SOURCE /* syscall */
#include "cli/rank_ends.h"

#include "engram/memory.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

void eg_rank_ends_open(eg_rank_ends *out, long launcher)
{
    *out = (eg_rank_ends){.queue = epoll_create1(EPOLL_CLOEXEC)};
    eg_neighbours_below(&out->ranks, launcher);
}

void eg_rank_ends_close(eg_rank_ends *me)
{
    for (size_t i = 0; me->handles != NULL && i < me->ranks.count; i++) {
        if (me->handles[i] >= 0) {
            (void)close(me->handles[i]);
        }
    }
    if (me->queue >= 0) {
        (void)close(me->queue);
    }
    eg_free(me->handles);
    eg_neighbours_clear(&me->ranks);
    *me = (eg_rank_ends){.queue = -1};
}

/** From here on the end of this rank is queued. */
static void take_handle(eg_rank_ends *me, size_t i)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = i}};
    if (me->queue < 0) {
        return;
    }
    me->handles[i] = (int)syscall(SYS_pidfd_open, (pid_t)me->ranks.list[i].pid, 0);
    if (me->handles[i] >= 0 && epoll_ctl(me->queue, EPOLL_CTL_ADD, me->handles[i], &event) != 0) {
        (void)close(me->handles[i]);
        me->handles[i] = -1;
    }
}

static void find_first(eg_rank_ends *me)
{
    struct epoll_event event;
    if (me->queue >= 0 && epoll_wait(me->queue, &event, 1, 0) == 1) {
        me->found = true;
        me->first = (size_t)event.data.u64;
    }
    for (size_t i = 0; i < me->ranks.count && !me->found; i++) {
        me->found = me->ranks.list[i].pid != 0 && !me->ranks.list[i].there && me->handles[i] < 0;
        me->first = i;
    }
}

eg_status eg_rank_ends_look(eg_rank_ends *me)
{
    EG_TRY(eg_neighbours_count(&me->ranks));
    if (me->ranks.list == NULL) {
        return eg_ok();
    }
    if (me->handles == NULL) {
        EG_TRY(eg_alloc(&me->handles, me->ranks.count, sizeof *me->handles));
        for (size_t i = 0; i < me->ranks.count; i++) {
            me->handles[i] = -1;
        }
    }
    if (!eg_neighbours_look(&me->ranks)) {
        return eg_ok();
    }
    me->seen = 0;
    for (size_t i = 0; i < me->ranks.count; i++) {
        const eg_neighbour *one = &me->ranks.list[i];
        me->seen += one->pid != 0 ? 1 : 0;
        if (one->there && me->handles[i] < 0) {
            take_handle(me, i);
        }
    }
    if (!me->found) {
        find_first(me);
    }
    return eg_ok();
}

bool eg_rank_ends_all_seen(const eg_rank_ends *me)
{
    return me->ranks.list != NULL && me->seen == me->ranks.count;
}

bool eg_rank_ends_first(eg_rank_ends *me)
{
    if (me->seen == 0) {
        return false;
    }
    if (!me->found) {
        find_first(me);
    }
    for (size_t i = 0; i < me->ranks.count; i++) {
        me->ranks.list[i].there = me->ranks.list[i].pid != 0 && !(me->found && i == me->first);
    }
    return me->found || me->seen < me->ranks.count;
}
