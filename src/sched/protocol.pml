/* The protocol of sched/message.h as a model for spin: one scheduler, WORKERS workers, TRIALS pieces of
 * work. Checked: every trial is recorded at most once, and exactly once unless the sweep was stopped; nothing is
 * acknowledged before it is committed; no trial is tried again after LOSSES_MAX losses; the sweep always
 * ends, and every worker that is not dead leaves.
 *
 * What may happen: worker 1 … die at any moment (KILLS times in all; worker 0 is rank 0's own thread); the
 * scheduler declares any of these lost although they live (HANGS times: what a long silence leads to);
 * a signal stops the sweep (SIGNALS times). Results of a worker that was declared lost arrive late. Of the
 * heartbeats (PROGRESS) only the one is modelled that shows the scheduler that a lost worker lives.
 *
 * Every trial pauses once, at a rung where all are compared: it comes back, and when all have come so far, or failed,
 * one of those that paused goes on (whichever: that is the stopping rule's business) and the others are recorded as
 * stopped.
 *
 * tests/sched_protocol.sh runs it, and again with each of these faults planted, which must be found:
 *   BUG_LATE      a late result is recorded
 *   BUG_EARLY     results are acknowledged before the commit
 *   BUG_FORGET    the work of a lost worker is not handed out again
 *   BUG_NO_LIMIT  a trial may take any number of workers with it
 *   BUG_WAIT      at the end the scheduler waits for the dead
 *   BUG_PAUSE     those that have paused wait for one that has failed
 *   BUG_RESET    a worker goes on after RESET with what it has, and any task of its trial counts */

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef TRIALS
#define TRIALS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef HANGS
#define HANGS 1
#endif
#ifndef SIGNALS
#define SIGNALS 1
#endif
#define DEPTH 2      /* pieces of work that a worker may hold */
#define LOSSES_MAX 2 /* eg_sched_options.losses_max */

mtype = {WORK, ACK, RESET, STOP, SHUTDOWN, READY, PROGRESS, RESULT, INTERRUPTED, BYE};
mtype = {PENDING, OUT, PAUSED, DONE};

/* What a piece of work is called that goes to its end, not to the rung: the attempt, and this. */
#define TO_THE_END 64

typedef list {
    byte trial[DEPTH], attempt[DEPTH], count
}

/* Messages keep their order, and none is lost while the receiver lives. */
chan down[WORKERS] = [8] of {mtype, byte, byte}; /* kind, trial, attempt */
chan up[WORKERS] = [8] of {mtype, byte, byte};

/* The world. */
bool dead[WORKERS];
byte kills, hangs, signals;

/* The client: plan and journal. */
mtype state[TRIALS];
byte attempts[TRIALS], losses[TRIALS];
bool recorded[TRIALS], committed[TRIALS], uncommitted;
bool arrived[TRIALS], safe[TRIALS]; /* at the rung; and that is on disk */

/* The scheduler's view of its workers. */
list in_flight[WORKERS];
bool ready[WORKERS], lost[WORKERS], reset_sent[WORKERS], gone[WORKERS];
bool unacknowledged[WORKERS * TRIALS]; /* finished there, to be acknowledged */
bool stopping, over;

/* Takes the first piece off a list. */
inline drop_first(list_)
{
    list_.trial[0] = list_.trial[1];
    list_.attempt[0] = list_.attempt[1];
    list_.trial[1] = 0;
    list_.attempt[1] = 0;
    list_.count--
}

inline append(list_, trial_, attempt_)
{
    list_.trial[list_.count] = trial_;
    list_.attempt[list_.count] = attempt_;
    list_.count++
}

inline send_message(kind_, trial_, attempt_)
{
    assert(nfull(up[me]));
    up[me]!kind_, trial_, attempt_
}

inline send_to(to_, kind_, trial_, attempt_)
{
    if
    :: !gone[to_] && !dead[to_] -> assert(nfull(down[to_])); down[to_]!kind_, trial_, attempt_
    :: else
    fi
}

inline record(trial_)
{
    assert(!recorded[trial_]);
    recorded[trial_] = true;
    state[trial_] = DONE;
    uncommitted = true
}

/* It has come to the rung; again, if what came of its way from there was lost. */
inline pause(trial_)
{
    assert(!recorded[trial_]);
    arrived[trial_] = true;
    state[trial_] = PAUSED;
    uncommitted = true
}

#ifdef BUG_PAUSE
#define THERE(i) arrived[i]
#else
#define THERE(i) (arrived[i] || recorded[i])
#endif

/* The stopping rule, once everybody is there: one of two goes on; alone it may go on or not. */
inline decide()
{
    if
    :: THERE(0) && THERE(TRIALS - 1) ->
        if
        :: state[0] == PAUSED && state[TRIALS - 1] == PAUSED && TRIALS > 1 ->
            if
            :: state[0] = PENDING; record(TRIALS - 1)
            :: state[TRIALS - 1] = PENDING; record(0)
            fi
        :: state[0] == PAUSED && (state[TRIALS - 1] != PAUSED || TRIALS == 1) ->
            if
            :: state[0] = PENDING
            :: record(0)
            fi
        :: state[0] != PAUSED && state[TRIALS - 1] == PAUSED ->
            if
            :: state[TRIALS - 1] = PENDING
            :: record(TRIALS - 1)
            fi
        :: else
        fi
    :: else
    fi
}

/* Takes a piece of work out of flight: found says whether (t, a) was there. A worker works in order, but a waiting piece may be
 * interrupted before the one that runs. */
inline take_back(from_)
{
    if
    :: in_flight[from_].count > 0 && in_flight[from_].trial[0] == t && in_flight[from_].attempt[0] == a ->
        drop_first(in_flight[from_]);
        found = true
    :: in_flight[from_].count > 1 && in_flight[from_].trial[1] == t && in_flight[from_].attempt[1] == a ->
        in_flight[from_].trial[1] = 0;
        in_flight[from_].attempt[1] = 0;
        in_flight[from_].count--;
        found = true
    :: else -> found = false
    fi
}

/* The first piece was running, the other one waited. */
inline lose(from_)
{
    ready[from_] = false;
    lost[from_] = true;
    reset_sent[from_] = false;
    running = true;
    do
    :: in_flight[from_].count > 0 ->
        t = in_flight[from_].trial[0];
        drop_first(in_flight[from_]);
        losses[t] = losses[t] + (running -> 1 : 0);
#ifdef BUG_FORGET
        skip;
#elif defined(BUG_NO_LIMIT)
        state[t] = PENDING;
#else
        if
        :: losses[t] >= LOSSES_MAX && running -> record(t) /* as failed */
        :: else -> state[t] = PENDING
        fi;
#endif
        running = false
    :: else -> break
    od;
    decide()
}

inline acknowledge()
{
    w = 0;
    do
    :: w < WORKERS * TRIALS ->
        if
        :: unacknowledged[w] -> unacknowledged[w] = false; send_to(w / TRIALS, ACK, w % TRIALS, 0)
        :: else
        fi;
        w++
    :: else -> break
    od;
    w = 0
}

inline commit()
{
    do
    :: w < TRIALS -> committed[w] = recorded[w]; safe[w] = arrived[w]; w++
    :: else -> break
    od;
    w = 0;
    uncommitted = false
}

/* A worker that was declared lost counts again once it has started over. */
inline handle_lost(from_)
{
#ifdef BUG_LATE
    if
    :: kind == RESULT -> record(t)
    :: else
    fi;
#endif
    if
    :: !reset_sent[from_] -> reset_sent[from_] = true; send_to(from_, RESET, 0, 0)
    :: else
    fi
}

inline handle(from_)
{
    up[from_]?kind, t, a;
    if
    :: kind == BYE -> gone[from_] = true
    :: kind == READY -> ready[from_] = true; lost[from_] = false; reset_sent[from_] = false
    :: else ->
        if
        :: lost[from_] -> handle_lost(from_)
        :: else ->
            take_back(from_);
#ifdef BUG_RESET
            found = found || kind == RESULT;
#endif
            if
            :: found && kind == RESULT && a < TO_THE_END -> pause(t); unacknowledged[from_ * TRIALS + t] = true
            :: found && kind == RESULT && a >= TO_THE_END -> record(t); unacknowledged[from_ * TRIALS + t] = true
            :: found && kind == INTERRUPTED -> state[t] = PENDING
            :: else
            fi
        fi
    fi;
    decide();
    kind = 0;
    t = 0;
    a = 0;
    found = false
}

inline hand_out(to_, trial_)
{
    attempts[trial_]++;
    state[trial_] = OUT;
    assert(losses[trial_] < LOSSES_MAX);
    a = attempts[trial_] + (arrived[trial_] -> TO_THE_END : 0);
    append(in_flight[to_], trial_, a);
    send_to(to_, WORK, trial_, a);
    a = 0
}

#define IDLE(w) (ready[w] && in_flight[w].count < DEPTH)

#define EVENTS(w)                                                                                  \
    :: atomic { nempty(up[w]) -> handle(w) }                                                         \
    :: atomic { dead[w] && empty(up[w]) && !gone[w] -> gone[w] = true; lose(w); t = 0 }            \
    :: atomic { w > 0 && ready[w] && hangs < HANGS -> hangs++; lose(w); t = 0 }

#define GIFTS(w)                                                                                   \
    :: atomic { !stopping && IDLE(w) && state[0] == PENDING -> hand_out(w, 0) }                        \
    :: atomic { !stopping && IDLE(w) && state[TRIALS - 1] == PENDING -> hand_out(w, TRIALS - 1) }

#define FAREWELL(w)                                                                                \
    :: atomic { nempty(up[w]) -> up[w]?kind, t, a; gone[w] = gone[w] || kind == BYE; kind = 0; t = 0; a = 0 } \
    :: atomic { dead[w] && empty(up[w]) && !gone[w] -> gone[w] = true }

#ifdef BUG_WAIT
#define AWAY(w) (gone[w] && !dead[w])
#else
#define AWAY(w) (gone[w] || lost[w])
#endif

#if WORKERS == 2
#define EACH(what) what(0) what(1)
#define ALL(what) (what(0) && what(1))
#else
#define EACH(what) what(0) what(1) what(2)
#define ALL(what) (what(0) && what(1) && what(2))
#endif
#define EMPTY_HANDED(w) (in_flight[w].count == 0)
#define DRY (state[0] != PENDING && state[TRIALS - 1] != PENDING)

proctype scheduler()
{
    byte w, t, a;
    mtype kind;
    bool found, running;

    do
    EACH(EVENTS)
    EACH(GIFTS)
    :: uncommitted ->
#ifdef BUG_EARLY
        atomic { acknowledge() };
        atomic { commit() }
#else
        atomic { commit() };
        atomic { acknowledge() }
#endif
    :: atomic { !stopping && signals < SIGNALS -> signals++; stopping = true;
        do
        :: w < WORKERS ->
            if
            :: in_flight[w].count > 0 -> send_to(w, STOP, 0, 0)
            :: else
            fi;
            w++
        :: else -> break
        od;
        w = 0 }
    :: atomic { !uncommitted && ALL(EMPTY_HANDED) && (stopping || DRY) -> break }
    od;
    atomic {
        do
        :: w < WORKERS -> send_to(w, SHUTDOWN, 0, 0); w++
        :: else -> break
        od;
        w = 0
    }
    do
    EACH(FAREWELL)
    :: ALL(AWAY) -> break
    od;
    atomic {
        do
        :: w < TRIALS ->
            assert(stopping || recorded[w]);
            assert(state[w] != OUT && (stopping || state[w] == DONE));
            assert(committed[w] == recorded[w]);
            w++
        :: else -> break
        od;
        over = true
    }
}

/* eg_worker_run. */
proctype worker(byte me)
{
    list waiting; /* the first one runs */
    bool stop, leave, reset, beat_sent;
    mtype kind;
    byte t, a;

    send_message(READY, 0, 0);
    do
    :: atomic { nempty(down[me]) && !reset && !leave -> down[me]?kind, t, a;
        if
        :: kind == WORK && !stop -> append(waiting, t, a)
        :: kind == WORK && stop -> send_message(INTERRUPTED, t, a)
        :: kind == ACK -> assert(committed[t] || safe[t])
        :: kind == RESET -> reset = true
        :: kind == STOP -> stop = true
        :: kind == SHUTDOWN -> stop = true; leave = true
        fi;
        kind = 0;
        t = 0;
        a = 0 }
    :: atomic { waiting.count > 0 && !stop && !reset ->
        send_message(RESULT, waiting.trial[0], waiting.attempt[0]);
        drop_first(waiting) }
    :: atomic { waiting.count > 0 && stop && !reset ->
        send_message(INTERRUPTED, waiting.trial[0], waiting.attempt[0]);
        drop_first(waiting) }
    :: atomic { reset ->
        reset = false;
        beat_sent = false;
#ifndef BUG_RESET
        do
        :: waiting.count > 0 -> drop_first(waiting)
        :: else -> break
        od;
#endif
        send_message(READY, 0, 0) }
    :: atomic { lost[me] && !reset_sent[me] && !beat_sent -> beat_sent = true; send_message(PROGRESS, 0, 0) }
    :: atomic { leave && waiting.count == 0 && !reset -> send_message(BYE, 0, 0); break }
    :: atomic { me > 0 && kills < KILLS && !over -> kills++; dead[me] = true;
        do
        :: nempty(down[me]) -> down[me]?kind, t, a
        :: empty(down[me]) -> break
        od;
        break }
    od
}

init {
    atomic {
        state[0] = PENDING;
        state[TRIALS - 1] = PENDING;
        run scheduler();
        run worker(0);
        run worker(1);
#if WORKERS > 2
        run worker(2);
#endif
    }
}
