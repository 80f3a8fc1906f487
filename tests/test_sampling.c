/** Sampling: a small transformer learns 2000 characters by heart and writes them; what is drawn follows the
 *  predicted distribution; prompts as symbols and symbols as text; what cannot be sampled. */
#include "made_text.h"
#include "words.h"

#include "engram/memory.h"
#include "engram/trial.h"
#include "trial/sampling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Ten blocks of the same 2000 characters, so that the test set is what was learned; 27 sequences of 74
 * characters in each, with the one that follows. */
enum { SIZE = 2000, COPIES = 10, T = 74, SEQUENCES = 27, PROMPT = 8, DRAWN = T + 1 - PROMPT };

static char path[TEXT_PATH_SIZE];
static const char *directory;
static char text[COPIES * SIZE + 1];
static eg_dataset_cache *cache;

/* Words of letters in no order: none can be guessed, all has to be remembered. */
static int make_file(void **state)
{
    (void)state;
    unsigned draw = 1;
    for (size_t i = 0; i < SIZE; i++) {
        draw = draw * 1103515245U + 12345U;
        text[i] = "abcdefghijklmno "[(draw >> 16) % 16];
    }
    for (size_t copy = 1; copy < COPIES; copy++) {
        memcpy(text + copy * SIZE, text, SIZE);
    }
    directory = eg_test_directory();
    write_text_file(path, directory, text, COPIES * SIZE);
    assert_ok(eg_dataset_cache_create(&cache));
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    eg_dataset_cache_free(cache);
    eg_test_remove(directory);
    return 0;
}

/* Of an ensemble: of one. */
static eg_settings *settings_with(const char *steps, const char *learner)
{
    const char *const words[] = {"dataset",
                                 "text",
                                 "dataset.file",
                                 path,
                                 "dataset.block",
                                 "2000",
                                 "dataset.sequence",
                                 "74",
                                 "dataset.vocabulary",
                                 "20",
                                 "stream",
                                 "text_mega_batches",
                                 "stream.chunks",
                                 "1",
                                 "stream.steps",
                                 steps,
                                 "stream.batch",
                                 "9",
                                 "model",
                                 "switch_transformer",
                                 "model.width",
                                 "64",
                                 "model.depth",
                                 "2",
                                 "model.experts",
                                 "2",
                                 "optimizer",
                                 "adam",
                                 "optimizer.lr",
                                 "0.004",
                                 "optimizer.schedule",
                                 "exponential",
                                 "optimizer.clip_norm",
                                 "1",
                                 "learner",
                                 learner,
                                 "protocol",
                                 "test",
                                 strcmp(learner, "ensemble") == 0 ? "learner.members" : NULL,
                                 "1",
                                 NULL};
    return settings_from(eg_trial_schema(), words);
}

/* What a trial has learned. */
typedef struct learned {
    const eg_settings *settings;
    void (*look)(const eg_settings *settings, eg_predictor *predictor, const eg_tokens *vocabulary);
} learned;

static eg_status look(void *user, const eg_predictor *predictor)
{
    const learned *self = user;
    const eg_view root = eg_settings_root(self->settings);
    const eg_dataset *dataset = NULL;
    eg_predictor with = *predictor;
    EG_TRY(eg_dataset_cache_get(cache, &root, &dataset));
    self->look(self->settings, &with, &dataset->text);
    return eg_ok();
}

static eg_record *train(learned *self)
{
    eg_record *record = NULL;
    const eg_trial_options options = {
        .objective = "final_accuracy", .learned = look, .learned_user = self};
    assert_ok(eg_trial_run(&record, self->settings, 1, cache, &options));
    return record;
}

/* Every sequence, from its first characters on. */
static void write_all(const eg_settings *settings, eg_predictor *predictor,
                      const eg_tokens *vocabulary)
{
    for (size_t s = 0; s < SEQUENCES; s++) {
        uint32_t drawn[DRAWN];
        char *written = NULL;
        const char *from = text + s * T;
        const eg_sampling how = {.prompt = vocabulary->id + s * T,
                                 .prompt_count = PROMPT,
                                 .count = DRAWN,
                                 .symbols = vocabulary->symbols};
        assert_ok(eg_trial_sample(drawn, settings, cache, predictor, &how));
        assert_ok(eg_tokens_spell(&written, vocabulary, drawn, DRAWN));
        assert_int_equal(strlen(written), DRAWN);
        assert_memory_equal(written, from + PROMPT, DRAWN);
        eg_free(written);
    }
}

static void two_thousand_characters_by_heart(void **state)
{
    (void)state;
    eg_settings *settings = settings_with("600", "plain");
    learned self = {settings, write_all};
    eg_record *record = train(&self);
    assert_true(log(eg_record_find(record, "final_perplexity")->data[0]) < 0.1);
    eg_record_free(record);
    eg_settings_free(settings);
}

/* Weights 1, 2, 5; at half the temperature their squares, 1, 4, 25. */
static void one_output_by_hand(void **state)
{
    (void)state;
    const eg_real score[] = {(eg_real)log(1.0), (eg_real)log(2.0), (eg_real)log(5.0)};
    const eg_real equal[] = {-1, 3, 3};
    const struct {
        double temperature, uniform;
        size_t output;
    } cases[] = {{1, 0, 0},     {1, 0.12, 0},   {1, 0.13, 1},   {1, 0.37, 1},   {1, 0.38, 2},
                 {1, 0.999, 2}, {0.5, 0.03, 0}, {0.5, 0.04, 1}, {0.5, 0.16, 1}, {0.5, 0.17, 2},
                 {0, 0, 2},     {0, 0.999, 2},  {1e-9, 0, 2},   {1e9, 0.33, 0}, {1e9, 0.34, 1}};
    for (size_t i = 0; i < EG_COUNT(cases); i++) {
        assert_int_equal(eg_draw_output(score, 3, cases[i].temperature, cases[i].uniform),
                         cases[i].output);
    }
    assert_int_equal(eg_draw_output(equal, 3, 0, 0.9), 1);
}

enum { LONG = 2 * T };

static uint32_t kept[2][LONG];
static size_t which; /* of them is written next */

/* More than a window, with the trial's seed, again, with another one, and cold. */
static void draw_long(const eg_settings *settings, eg_predictor *predictor,
                      const eg_tokens *vocabulary)
{
    uint32_t other[LONG];
    eg_sampling how = {.prompt = vocabulary->id,
                       .prompt_count = T + 3,
                       .count = LONG,
                       .symbols = vocabulary->symbols,
                       .temperature = 1};
    uint32_t *mine = kept[which];
    assert_ok(eg_trial_sample(mine, settings, cache, predictor, &how));
    assert_ok(eg_trial_sample(other, settings, cache, predictor, &how));
    assert_memory_equal(mine, other, sizeof other);
    predictor->seed++;
    assert_ok(eg_trial_sample(other, settings, cache, predictor, &how));
    assert_memory_not_equal(mine, other, sizeof other);
    for (size_t i = 0; i < LONG; i++) {
        assert_true(mine[i] < vocabulary->symbols);
    }
}

/* An ensemble of one predicts probabilities, a network logits: the same is drawn. */
static void probabilities_are_drawn_from_as_logits(void **state)
{
    (void)state;
    const char *const learners[] = {"plain", "ensemble"};
    for (which = 0; which < EG_COUNT(learners); which++) {
        eg_settings *settings = settings_with("3", learners[which]);
        learned self = {settings, draw_long};
        eg_record_free(train(&self));
        eg_settings_free(settings);
    }
    assert_memory_equal(kept[0], kept[1], sizeof kept[0]);
}

/* Characters that the vocabulary has; the rest is symbol 0, U+FFFD. */
static void characters_and_back(void **state)
{
    (void)state;
    eg_settings *settings = settings_with("1", "plain");
    const eg_view root = eg_settings_root(settings);
    const eg_dataset *data = NULL;
    uint32_t *id = NULL;
    char *written = NULL;
    size_t count = 0;
    assert_ok(eg_dataset_cache_get(cache, &root, &data));
    assert_ok(eg_tokens_encode(&id, &count, &data->text, "a bé", "the prompt"));
    assert_int_equal(count, 4);
    assert_int_equal(id[3], 0);
    assert_ok(eg_tokens_spell(&written, &data->text, id, count));
    assert_string_equal(written, "a b\xef\xbf\xbd");
    eg_free(written);
    eg_free(id);
    assert_fails(eg_tokens_encode(&id, &count, &data->text, "a\xff", "the prompt"), EG_INVALID,
                 "the prompt: line 1: byte 1");
    eg_settings_free(settings);
}

/* The text that byte pairs were learned from is its own prompt: a block of it becomes the same ids. Bytes
 * that are no character alone are spelled as U+FFFD. */
static void byte_pairs_and_back(void **state)
{
    (void)state;
    static const uint32_t pair[][2] = {[256] = {'a', 'a'}, [257] = {'a', 'b'}, [258] = {256, 257}};
    const eg_tokens tokens = {.symbols = 259, .pair = pair, .blocks = 1};
    const uint32_t expected[] = {258, 'd', 258, 'a', 'c'};
    uint32_t *id = NULL;
    char *written = NULL;
    size_t count = 0;
    assert_ok(eg_tokens_encode(&id, &count, &tokens, "aaabdaaabac", "the prompt"));
    assert_int_equal(count, EG_COUNT(expected));
    assert_memory_equal(id, expected, sizeof expected);
    eg_free(id);
    static const char bytes[] = "\xc3\xa9\0";
    const size_t split[] = {0, 1, 2, 3};
    const uint32_t halves[] = {0, 0, 1, 2, 1};
    const eg_tokens broken = {.symbols = 3, .spelled = split, .bytes = bytes};
    assert_ok(eg_tokens_spell(&written, &broken, halves, EG_COUNT(halves)));
    assert_string_equal(written, "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
    eg_free(written);
}

static void what_cannot_be_sampled(void **state)
{
    (void)state;
    const char *const words[] = {"dataset", "synthetic", NULL};
    eg_settings *settings = settings_from(eg_trial_schema(), words);
    assert_fails(eg_trial_check_sampling(settings), EG_INVALID,
                 "stream = split, dataset = synthetic: sampling needs examples of several "
                 "positions and a vocabulary");
    eg_settings_free(settings);
    settings = settings_with("1", "plain");
    assert_ok(eg_trial_check_sampling(settings));
    eg_settings_free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_output_by_hand),
        cmocka_unit_test(characters_and_back),
        cmocka_unit_test(byte_pairs_and_back),
        cmocka_unit_test(what_cannot_be_sampled),
        cmocka_unit_test(probabilities_are_drawn_from_as_logits),
        cmocka_unit_test(two_thousand_characters_by_heart),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
