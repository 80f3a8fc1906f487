/** See fake_sched.h. */
#include "fake_sched.h"

#include "engram/memory.h"
#include "sched/backoff.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const eg_variable curve = {
    .name = "curve", .dims = {"eval"}, .wide = true, .unit = "1", .doc = "a curve"};

double fake_value(uint64_t seed, size_t i)
{
    return (double)(seed * 1000003 + i * 7919 % 10007) / 13;
}

static eg_status open_fake(void **state)
{
    return eg_alloc(state, 1, 1);
}

static void close_fake(void *state)
{
    eg_free(state);
}

atomic_size_t fake_begun, fake_ended;

/* Work in steps of a millisecond, a "minibatch" each. */
typedef struct fake_work {
    char kind[16], file[200];
    int milliseconds;
} fake_work;

static bool is_kind(const fake_work *work, const char *kind)
{
    return strcmp(work->kind, kind) == 0;
}

static bool read_settings(fake_work *work, const char *settings)
{
    return sscanf(settings, "%15s %199s", work->kind, work->file) == 2 &&
           (work->file[0] == '/' || sscanf(work->file, "%d", &work->milliseconds) == 1);
}

static bool is_over(const fake_work *work, int step)
{
    return is_kind(work, "until") ? access(work->file, F_OK) == 0
                                  : !is_kind(work, "endless") && step >= work->milliseconds;
}

static bool train(const fake_work *work, eg_run_hooks *hooks)
{
    eg_progress progress = {.steps = (size_t)work->milliseconds};
    while (!is_over(work, (int)progress.step)) {
        eg_sched_sleep(1e-3);
        progress.step++;
        if (!hooks->poll(hooks->user, &progress)) {
            return false;
        }
    }
    return true;
}

static void await_file(const char *file)
{
    while (access(file, F_OK) != 0) {
        eg_sched_sleep(1e-3);
    }
}

/* Stops the whole process, all its threads; a child continues it. */
static void suspend_until(const char *file)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        await_file(file);
        (void)kill(parent, SIGCONT);
        _exit(0);
    }
    (void)kill(parent, SIGSTOP);
    (void)waitpid(child, NULL, 0);
}

static void make_file(const char *file)
{
    FILE *made = file == NULL ? NULL : fopen(file, "w");
    if (made != NULL) {
        (void)fclose(made);
    }
}

static eg_status run_fake(void *state, const eg_work *work, eg_run_hooks *hooks, eg_record **out)
{
    (void)state;
    fake_work fake = {0};
    *out = NULL;
    if (!read_settings(&fake, work->settings) || strcmp(work->objective, "curve") != 0) {
        return eg_fail(EG_INTERNAL, "unknown fake work '%s'", work->settings);
    }
    atomic_fetch_add(&fake_begun, 1);
    if (is_kind(&fake, "signal")) {
        (void)kill(getpid(), SIGUSR1);
    }
    if (is_kind(&fake, "death")) {
        (void)kill(getpid(), SIGKILL);
    }
    if (is_kind(&fake, "hang") && work->attempt.number == 1) {
        suspend_until(fake.file);
    }
    if (!train(&fake, hooks)) {
        return eg_fail(EG_STOPPED, "told to stop");
    }
    atomic_fetch_add(&fake_ended, 1);
    if (is_kind(&fake, "failed")) {
        return eg_fail(EG_INVALID, "trial %llu is broken", (unsigned long long)work->attempt.trial);
    }
    if (is_kind(&fake, "memory")) {
        return eg_fail_memory(1234567);
    }
    if (is_kind(&fake, "stopped")) {
        return eg_fail(EG_STOPPED, "nobody asked");
    }
    eg_record *record = NULL;
    eg_array *array = NULL;
    const size_t extent[1] = {FAKE_CURVE};
    EG_TRY(eg_record_create(&record));
    eg_status status = eg_record_declare(record, &curve, extent, &array);
    if (status.code != EG_OK) {
        eg_record_free(record);
        return status;
    }
    for (size_t i = 0; i < FAKE_CURVE; i++) {
        array->data[i] = fake_value(work->seed, i);
    }
    bool diverged = is_kind(&fake, "diverged");
    eg_record_set_status(record, diverged ? EG_TRIAL_DIVERGED : EG_TRIAL_DONE,
                         diverged ? "the loss is not finite" : "");
    *out = record;
    return eg_ok();
}

const eg_runner fake_runner = {.open = open_fake, .run = run_fake, .close = close_fake};

static void hand_out(fake_ledger *ledger, uint64_t trial, eg_work *out)
{
    /* Overwritten by the next call, as the contract allows. */
    (void)snprintf(ledger->text, sizeof ledger->text, "%s", ledger->settings(trial));
    *out = (eg_work){.attempt = {.trial = trial, .number = 1 + ledger->lost[trial]},
                     .seed = trial * trial + 17,
                     .settings = ledger->text,
                     .objective = "curve",
                     .losses = ledger->losses[trial]};
}

/* The second stage, which idle brings. */
static bool is_to_come(const fake_ledger *ledger)
{
    return ledger->idle_brings && ledger->next_trial >= ledger->stage && !ledger->brought;
}

static bool fake_expects(void *user)
{
    const fake_ledger *ledger = user;
    return is_to_come(ledger) && ledger->finishes == ledger->stage;
}

static eg_status fake_next(void *user, eg_work *out, bool *have)
{
    fake_ledger *ledger = user;
    while (ledger->pile > 0 && ledger->starts == ledger->pile &&
           atomic_load(&fake_ended) < ledger->ended_before + ledger->pile) {
        eg_sched_sleep(1e-3);
    }
    if (++ledger->nexts == ledger->fail_next) {
        return eg_fail(EG_INTERNAL, "no idea what is next");
    }
    if (ledger->again_count > 0) {
        *have = true;
        hand_out(ledger, ledger->again[--ledger->again_count], out);
        return eg_ok();
    }
    bool later = ledger->stage > 0 && ledger->next_trial >= ledger->stage &&
                 ledger->finishes < ledger->stage;
    *have = ledger->next_trial < ledger->trials && !later && !is_to_come(ledger);
    if (!*have) {
        return eg_ok();
    }
    hand_out(ledger, ledger->next_trial++, out);
    return eg_ok();
}

static bool are_all_busy(const fake_ledger *ledger)
{
    for (size_t rank = 0; rank < ledger->ranks; rank++) {
        if (ledger->out_most[rank] < ledger->all_busy) {
            return false;
        }
    }
    return true;
}

static eg_status fake_started(void *user, const eg_attempt *attempt)
{
    fake_ledger *ledger = user;
    if (ledger->starts + 1 == ledger->fail_started) {
        return eg_fail(EG_SYSTEM, "cannot note the start");
    }
    ledger->starts++;
    uint32_t rank = attempt->rank;
    ledger->started[attempt->trial]++;
    ledger->rank_of[attempt->trial] = rank;
    ledger->wrong += attempt->host[0] == '\0' || attempt->start_time < 1e9 ||
                     attempt->number != 1 + ledger->lost[attempt->trial];
    size_t out = ++ledger->out_now[rank];
    ledger->out_most[rank] = out > ledger->out_most[rank] ? out : ledger->out_most[rank];
    if (are_all_busy(ledger)) {
        make_file(ledger->all_busy_file);
    }
    if (ledger->starts == ledger->signal_after) {
        (void)kill(getpid(), ledger->signal);
    }
    return eg_ok();
}

static bool is_right(const eg_work_result *result, const char *settings)
{
    char words[64];
    if (strncmp(settings, "death", 5) == 0) {
        return result->status == EG_TRIAL_FAILED && result->record == NULL &&
               strstr(result->message, "workers were lost while they ran it") != NULL;
    }
    if (strncmp(settings, "failed", 6) == 0) {
        (void)snprintf(words, sizeof words, "trial %llu is broken",
                       (unsigned long long)result->attempt.trial);
        return result->status == EG_TRIAL_FAILED && result->record == NULL &&
               strcmp(result->message, words) == 0;
    }
    if (strncmp(settings, "memory", 6) == 0 || strncmp(settings, "stopped", 7) == 0) {
        return result->status == EG_TRIAL_FAILED && result->record == NULL &&
               strstr(result->message, settings[0] == 'm' ? "1234567" : "nobody asked") != NULL;
    }
    if (result->record == NULL) {
        return false;
    }
    bool diverged = strncmp(settings, "diverged", 8) == 0;
    const eg_array *array = eg_record_find(result->record, "curve");
    bool right = result->status == (diverged ? EG_TRIAL_DIVERGED : EG_TRIAL_DONE) &&
                 (result->message[0] != '\0') == diverged && array != NULL &&
                 array->count == FAKE_CURVE;
    for (size_t i = 0; right && i < FAKE_CURVE; i++) {
        uint64_t seed = result->attempt.trial * result->attempt.trial + 17;
        right = array->data[i] == fake_value(seed, i);
    }
    return right;
}

static eg_status fake_finished(void *user, const eg_work_result *result)
{
    fake_ledger *ledger = user;
    ledger->finishes++;
    ledger->uncommitted++;
    ledger->finished[result->attempt.trial]++;
    ledger->out_now[result->attempt.rank]--;
    ledger->by_rank[result->attempt.rank]++;
    size_t blocks = eg_memory_live_blocks();
    ledger->most_blocks = blocks > ledger->most_blocks ? blocks : ledger->most_blocks;
    ledger->wrong += result->attempt.number != 1 + ledger->lost[result->attempt.trial] ||
                     result->attempt.rank != ledger->rank_of[result->attempt.trial] ||
                     result->attempt.host[0] == '\0' || result->attempt.wall_seconds < 0 ||
                     result->attempt.start_time < 1e9 ||
                     !is_right(result, ledger->settings(result->attempt.trial));
    if (ledger->finishes == ledger->fail_finished) {
        return eg_fail(EG_SYSTEM, "no space left on device");
    }
    return eg_ok();
}

static eg_status fake_commit(void *user)
{
    fake_ledger *ledger = user;
    if (++ledger->commits == ledger->fail_commit) {
        return eg_fail(EG_SYSTEM, "cannot force to disk");
    }
    ledger->wrong += ledger->uncommitted == 0;
    ledger->uncommitted = 0;
    return eg_ok();
}

static void fake_note(void *user, const eg_work_note *note)
{
    fake_ledger *ledger = user;
    ledger->notes++;
    ledger->wrong += note->attempt.trial >= ledger->trials || note->attempt.host[0] == '\0' ||
                     note->attempt.rank != ledger->rank_of[note->attempt.trial];
}

static void fake_progress(void *user, const eg_work_progress *progress)
{
    fake_ledger *ledger = user;
    ledger->reports++;
    ledger->wrong += progress->attempt.rank != ledger->rank_of[progress->attempt.trial] ||
                     progress->step > progress->steps || progress->steps == 0 ||
                     progress->attempt.number != 1 + ledger->lost[progress->attempt.trial];
}

static eg_status fake_worker_lost(void *user, const eg_worker_loss *loss)
{
    fake_ledger *ledger = user;
    ledger->workers_lost++;
    make_file(ledger->lost_file);
    ledger->wrong += loss->host[0] == '\0' || loss->why[0] == '\0' || loss->host_losses == 0;
    return eg_ok();
}

static eg_status fake_lost(void *user, const eg_work_loss *loss)
{
    fake_ledger *ledger = user;
    ledger->wrong += loss->attempt.rank != ledger->rank_of[loss->attempt.trial] ||
                     loss->attempt.start_time < 1e9 ||
                     loss->attempt.number != 1 + ledger->lost[loss->attempt.trial];
    ledger->lost[loss->attempt.trial]++;
    ledger->losses[loss->attempt.trial] += loss->was_running ? 1 : 0;
    ledger->again[ledger->again_count++] = loss->attempt.trial;
    ledger->out_now[loss->attempt.rank]--;
    return eg_ok();
}

static void fake_worker_back(void *user, uint32_t rank, const char *host)
{
    fake_ledger *ledger = user;
    ledger->workers_back++;
    make_file(ledger->back_file);
    ledger->wrong += rank == 0 || host[0] == '\0';
}

static void fake_interrupted(void *user, const eg_attempt *attempt)
{
    fake_ledger *ledger = user;
    ledger->interrupts++;
    ledger->interrupted[attempt->trial]++;
    ledger->out_now[ledger->rank_of[attempt->trial]]--;
}

static eg_status fake_idle(void *user)
{
    fake_ledger *ledger = user;
    ledger->brought = ledger->brought || fake_expects(ledger);
    if (++ledger->idles == ledger->fail_idle) {
        return eg_fail(EG_SYSTEM, "cannot draw");
    }
    return eg_ok();
}

static double fake_mean(void *user)
{
    const fake_ledger *ledger = user;
    return ledger->mean_seconds;
}

static size_t fake_out_max(void *user)
{
    const fake_ledger *ledger = user;
    return ledger->out_max == 0 ? SIZE_MAX : ledger->out_max;
}

eg_sched_client fake_client(fake_ledger *ledger)
{
    return (eg_sched_client){.user = ledger,
                             .next = fake_next,
                             .started = fake_started,
                             .finished = fake_finished,
                             .commit = fake_commit,
                             .note = fake_note,
                             .progress = fake_progress,
                             .worker_lost = fake_worker_lost,
                             .lost = fake_lost,
                             .worker_back = fake_worker_back,
                             .interrupted = fake_interrupted,
                             .idle = fake_idle,
                             .mean_seconds = fake_mean,
                             .out_max = fake_out_max,
                             .expects = fake_expects};
}
