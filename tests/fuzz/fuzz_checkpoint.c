/** Fuzz target: a checkpoint that a trial is to go on from.
 *
 *  The input is a byte that chooses the learner and a list of edits (u16 place, u8 what, u8 value) to a sound
 *  checkpoint of a small trial, which gets its checksum right again; or, with a first byte of 255, the
 *  checkpoint itself, byte by byte. What is accepted must be a place in the trial, which then runs on to its
 *  end. */
#include "fuzz.h"

#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "told_tasks.h"
#include "trial/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEARNERS_MAX = 64, RAW = 255, STOP_AFTER = 3 };

/** One learner's trial, and its checkpoint after a few minibatches. Made once each. */
typedef struct scene {
    eg_settings *settings;
    eg_writer checkpoint;
} scene;

static scene scenes[LEARNERS_MAX];
static eg_dataset_cache *cache;

static bool stop_soon(void *user, const eg_progress *progress)
{
    (void)progress;
    size_t *left = user;
    return (*left)-- > 1;
}

static bool go_on(void *user, const eg_progress *progress)
{
    (void)user;
    fuzz_require(progress->step <= progress->steps);
    return true;
}

static void keep(void *user, const eg_writer *checkpoint)
{
    eg_writer *copy = user;
    eg_write_bytes(copy, checkpoint->data, checkpoint->size);
}

static void continued(void *user, size_t step, size_t steps)
{
    (void)user;
    fuzz_require(step <= steps);
}

/* A text that the dataset cache has read when the scene is made. */
static char text_path[] = "/tmp/engram-fuzz-XXXXXX";

static void write_text(void)
{
    int file = mkstemp(text_path);
    fuzz_require(file >= 0);
    for (size_t i = 0; i < 16; i++) {
        static const char line[] = "she sells sea shells\nby the sea";
        fuzz_require(write(file, line, sizeof line - 1) == sizeof line - 1);
    }
    fuzz_require(close(file) == 0);
}

/* What learns pictures, and what learns a text. */
static void put_problem(char *out, size_t size, const char *learner)
{
    if (strcmp(learner, "growing_experts") == 0) {
        (void)snprintf(out, size,
                       "dataset=text\ndataset.file=%s\ndataset.block=16\ndataset.sequence=4\n"
                       "dataset.vocabulary=16\nstream=text_mega_batches\nstream.chunks=2\n"
                       "stream.steps=6\nstream.batch=2\nstream.validation=0.25\n"
                       "model=switch_transformer\nmodel.width=8\nmodel.depth=2\nmodel.heads=2\n"
                       "model.hidden=16\nmodel.experts=2\n",
                       text_path);
        return;
    }
    const char *model = strcmp(learner, "firefly") == 0
                            ? "model=vgg\nmodel.blocks=[1]\nmodel.width=2\nmodel.bias=false\n"
                              "model.head=conv\nlearner.candidates=2\n"
                            : "model.hidden=[4]\n";
    (void)snprintf(out, size,
                   "dataset=synthetic\ndataset.examples=60\ndataset.test_examples=20\n"
                   "stream.tasks=2\nstream.batch=5\n%s",
                   model);
}

static void make_scene(scene *s, const char *learner)
{
    char problem[500];
    char text[700];
    put_problem(problem, sizeof problem, learner);
    (void)snprintf(text, sizeof text,
                   "eval.every=4\nprotocol.fraction=0.25\noptimizer=adam\nlearner=%s\n%s%s",
                   learner, problem, settings_for(learner));
    eg_status status = eg_settings_parse(&s->settings, eg_trial_schema(), text);
    fuzz_require(status.code == EG_OK);
    size_t left = STOP_AFTER;
    eg_checkpointing checkpointing = {.save = keep, .continued = continued, .user = &s->checkpoint};
    const eg_trial_options options = {.objective = "final_accuracy",
                                      .poll = stop_soon,
                                      .user = &left,
                                      .checkpointing = &checkpointing};
    eg_record *record = NULL;
    status = eg_trial_run(&record, s->settings, 0, cache, &options);
    fuzz_require(status.code == EG_STOPPED && s->checkpoint.size > 0);
}

static void make_scenes(void)
{
    eg_status status = eg_dataset_cache_create(&cache);
    fuzz_require(status.code == EG_OK);
    fuzz_require(eg_learner_family.member_count <= LEARNERS_MAX);
    write_text();
    for (size_t i = 0; i < eg_learner_family.member_count; i++) {
        make_scene(&scenes[i], eg_learner_family.members[i]->name);
    }
    (void)unlink(text_path);
}

static void go_on_from(const scene *s, const void *from, size_t size)
{
    eg_writer saved = {0};
    eg_checkpointing checkpointing = {
        .from = from, .from_size = size, .save = keep, .continued = continued, .user = &saved};
    const eg_trial_options options = {
        .objective = "final_accuracy", .poll = go_on, .checkpointing = &checkpointing};
    eg_record *record = NULL;
    eg_status status = eg_trial_run(&record, s->settings, 0, cache, &options);
    eg_fuzz_check(&status, record);
    fuzz_require(checkpointing.refused == (status.code != EG_OK));
    eg_record_free(record);
    eg_writer_clear(&saved);
}

/** Returns the new size. */
static size_t edit(unsigned char *data, size_t size, eg_fuzz_bytes *bytes)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   UINT64_MAX,
                                   UINT64_MAX / 2,
                                   UINT32_MAX,
                                   (uint64_t)1 << 32,
                                   0x7ff0000000000000,
                                   0x7ff8000000000000};
    size_t at = eg_fuzz_u16(bytes) % size;
    uint8_t what = eg_fuzz_u8(bytes);
    uint8_t value = eg_fuzz_u8(bytes);
    if (what % 4 == 0) {
        data[at] = value;
    } else if (what % 4 == 1) {
        data[at] = (uint8_t)(data[at] + value - 128);
    } else if (what % 4 == 2 && at + 8 <= size) {
        memcpy(data + at, &odd[value % (sizeof odd / sizeof odd[0])], 8);
    } else if (at + value < size && size - value >= 4) { /* cut out */
        memmove(data + at, data + at + value, size - at - value);
        size -= value;
    }
    return size;
}

void eg_fuzz_one(const uint8_t *data, size_t size)
{
    if (cache == NULL) {
        make_scenes();
    }
    eg_fuzz_bytes bytes = {data, size};
    uint8_t choice = eg_fuzz_u8(&bytes);
    const scene *s = &scenes[choice % eg_learner_family.member_count];
    if (choice == RAW) {
        go_on_from(s, bytes.data, bytes.left);
        return;
    }
    unsigned char *changed = malloc(s->checkpoint.size);
    fuzz_require(changed != NULL);
    memcpy(changed, s->checkpoint.data, s->checkpoint.size);
    size_t left = s->checkpoint.size;
    while (bytes.left > 0) {
        left = edit(changed, left, &bytes);
    }
    eg_checkpoint_seal(changed, left);
    go_on_from(s, changed, left);
    free(changed);
}
