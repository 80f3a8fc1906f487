/** The dataset of texts: characters and byte pairs worked by hand, blocks, and files that are none. */
#include "data_settings.h"
#include "made_text.h"

#include "data/symbols.h"
#include "data/utf8.h"

static char path[TEXT_PATH_SIZE];
static const char *directory;

static int make_directory(void **state)
{
    (void)state;
    directory = eg_test_directory();
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    eg_test_remove(directory);
    return 0;
}

/* Opens a text of these bytes with further settings. */
static eg_status open_bytes(eg_dataset **out, const void *bytes, size_t size,
                            const char *const *more)
{
    const char *pairs[32] = {"dataset", "text", "dataset.file", path};
    size_t count = 4;
    write_text_file(path, directory, bytes, size);
    for (size_t i = 0; more[i] != NULL; i++) {
        pairs[count++] = more[i];
    }
    assert_true(count < EG_COUNT(pairs) - 2);
    eg_settings *settings = settings_of(pairs);
    const eg_view root = eg_settings_root(settings);
    const eg_status status = eg_dataset_open(out, &root);
    eg_settings_free(settings);
    return status;
}

#define OPEN(out, text, ...)                                                                       \
    open_bytes(out, text, strlen(text), (const char *const[]){__VA_ARGS__, NULL, NULL})

static void assert_ids(const eg_tokens *text, size_t count, const uint32_t *ids)
{
    assert_int_equal(text->begin[text->blocks], count);
    assert_memory_equal(text->id, ids, count * sizeof *ids);
}

/* "hello, é!" : l twice, then by code point ' ' '!' ',' 'e' 'h' 'o' 'é'. */
static void characters(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    char *vocabulary = NULL;
    assert_ok(OPEN(&data, "hello, é!", "dataset.sequence", "2", "dataset.vocabulary", "10"));
    const uint32_t ids[] = {6, 5, 1, 1, 7, 4, 2, 8, 3};
    assert_ids(&data->text, EG_COUNT(ids), ids);
    assert_int_equal(data->text.blocks, 1);
    assert_int_equal(data->text.symbols, 9);
    assert_int_equal(data->classes, 10);
    assert_true(eg_shape_equal(data->shape, (eg_shape){2, 1, 1}));
    assert_ok(eg_dataset_vocabulary(&vocabulary, data));
    assert_string_equal(vocabulary,
                        "{\"unit\":\"character\",\"symbols\":[\"\xef\xbf\xbd\",\"l\",\" "
                        "\",\"!\",\",\",\"e\",\"h\",\"o\",\"é\"]}");
    eg_free(vocabulary);
    eg_dataset_free(data);
}

/* With three symbols all but l and the space are unknown. */
static void rare_characters_are_one_symbol(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    assert_ok(OPEN(&data, "hello, é!", "dataset.sequence", "2", "dataset.vocabulary", "3"));
    const uint32_t ids[] = {0, 0, 1, 1, 0, 0, 2, 0, 0};
    assert_ids(&data->text, EG_COUNT(ids), ids);
    assert_int_equal(data->text.symbols, 3);
    eg_dataset_free(data);
}

/* aaabdaaabac. Pairs: aa 4, ab 2, and others once: aa = 256 gives  Z a b d Z a b a c.  Za and ab stand
 * twice, and ab, of lower ids, becomes 257:  Z Y d Z Y a c.  Then ZY = 258:  X d X a c. */
static void byte_pairs_by_hand(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    char *vocabulary = NULL;
    assert_ok(OPEN(&data, "aaabdaaabac", "dataset.sequence", "2", "dataset.unit", "byte_pair",
                   "dataset.vocabulary", "259"));
    const uint32_t ids[] = {258, 'd', 258, 'a', 'c'};
    const eg_tokens *text = &data->text;
    assert_ids(text, EG_COUNT(ids), ids);
    assert_int_equal(text->symbols, 259);
    assert_int_equal(text->spelled[259] - text->spelled[258], 4);
    assert_memory_equal(text->bytes + text->spelled[258], "aaab", 4);
    assert_ok(eg_dataset_vocabulary(&vocabulary, data));
    assert_string_equal(vocabulary,
                        "{\"unit\":\"byte_pair\",\"pairs\":[[97,97],[97,98],[256,257]]}");
    eg_free(vocabulary);
    eg_dataset_free(data);
}

/* No pair stands twice in XdXac: more symbols than that are not made. */
static void byte_pairs_end_where_none_is_common(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    assert_ok(OPEN(&data, "aaabdaaabac", "dataset.sequence", "2", "dataset.unit", "byte_pair",
                   "dataset.vocabulary", "300"));
    assert_int_equal(data->text.symbols, 259);
    assert_int_equal(data->classes, 300);
    eg_dataset_free(data);
}

/* Blocks of four characters: abab|abéa|ba. In the second é is two bytes. ab stands twice, once and not
 * at all within blocks, ba once in each of the first and the last. */
static void pairs_do_not_cross_blocks(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    assert_ok(OPEN(&data, "abababéaba", "dataset.sequence", "1", "dataset.unit", "byte_pair",
                   "dataset.vocabulary", "257", "dataset.block", "4"));
    const uint32_t ids[] = {256, 256, 256, 0xc3, 0xa9, 'a', 'b', 'a'};
    const size_t begin[] = {0, 2, 6, 8};
    assert_ids(&data->text, EG_COUNT(ids), ids);
    assert_int_equal(data->text.blocks, 3);
    assert_memory_equal(data->text.begin, begin, sizeof begin);
    eg_dataset_free(data);
}

/* The commonest pair counted anew: of `count` ids, the lowest of equals. */
static size_t count_anew(const uint32_t *id, size_t count, uint32_t pair[2])
{
    size_t most = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t times = 0;
        for (size_t k = 0; k + 1 < count; k++) {
            times += id[k] == id[i] && id[k + 1] == id[i + 1];
        }
        bool lower = id[i] < pair[0] || (id[i] == pair[0] && id[i + 1] < pair[1]);
        if (times > most || (times == most && lower)) {
            most = times;
            pair[0] = id[i];
            pair[1] = id[i + 1];
        }
    }
    return most;
}

/* Counts that are kept true while pairs are merged are those of counting anew; runs included. */
static void byte_pairs_as_counted_anew(void **state)
{
    (void)state;
    enum { LENGTH = 400, MOST = 280 };
    uint32_t code[LENGTH];
    uint32_t id[LENGTH];
    size_t count = LENGTH;
    unsigned draw = 7;
    for (size_t i = 0; i < LENGTH; i++) {
        draw = draw * 1103515245U + 12345U;
        id[i] = code[i] = 'a' + (draw >> 16) % 3 * ((draw >> 20) % 2);
    }
    const eg_symbols_source text = {.code = code, .count = LENGTH, .block = LENGTH};
    eg_symbols symbols = {0};
    assert_ok(eg_symbols_byte_pairs(&symbols, &text, MOST));
    assert_int_equal(symbols.count, MOST);
    for (uint32_t merged = EG_SYMBOLS_BYTES; merged < MOST; merged++) {
        uint32_t pair[2] = {UINT32_MAX, UINT32_MAX};
        assert_true(count_anew(id, count, pair) > 1);
        assert_memory_equal(symbols.pair[merged], pair, sizeof pair);
        size_t written = 0;
        for (size_t i = 0; i < count;) {
            bool here = i + 1 < count && id[i] == pair[0] && id[i + 1] == pair[1];
            id[written++] = here ? merged : id[i];
            i += here ? 2 : 1;
        }
        count = written;
    }
    assert_int_equal(symbols.length, count);
    assert_memory_equal(symbols.id, id, count * sizeof *id);
    eg_symbols_clear(&symbols);
}

/* What is spelled symbol by symbol is the text. */
static void symbols_spell_the_text(void **state)
{
    (void)state;
    static const char *const units[] = {"character", "byte_pair"};
    enum { SIZE = 900 };
    char text[SIZE + 1];
    write_words(text, SIZE);
    for (size_t u = 0; u < 2; u++) {
        eg_dataset *data = NULL;
        char spelled[SIZE];
        size_t used = 0;
        assert_ok(OPEN(&data, text, "dataset.unit", units[u], "dataset.vocabulary", "300",
                       "dataset.block", "100", "dataset.sequence", "8"));
        for (size_t i = 0; i < data->text.begin[data->text.blocks]; i++) {
            const uint32_t id = data->text.id[i];
            const size_t at = data->text.spelled[id];
            const size_t length = data->text.spelled[id + 1] - at;
            assert_true(used + length <= SIZE);
            memcpy(spelled + used, data->text.bytes + at, length);
            used += length;
        }
        assert_int_equal(used, SIZE);
        assert_memory_equal(spelled, text, SIZE);
        assert_int_equal(data->text.blocks, 9);
        eg_dataset_free(data);
    }
}

/* 900 characters in blocks of 100; 20 sequences of 8 are 160 characters, so 2 blocks. */
static void a_limit_keeps_whole_blocks(void **state)
{
    (void)state;
    char text[901];
    write_words(text, 900);
    eg_dataset *all = NULL;
    eg_dataset *data = NULL;
    assert_ok(OPEN(&all, text, "dataset.block", "100", "dataset.sequence", "8"));
    assert_ok(
        OPEN(&data, text, "dataset.block", "100", "dataset.sequence", "8", "dataset.limit", "20"));
    assert_int_equal(data->text.blocks, 2);
    assert_int_equal(eg_tokens_sequences(&data->text, 0, 8), 12);
    assert_true(all->checksum != data->checksum);
    eg_dataset_free(data);
    eg_dataset_free(all);
}

/* The same text elsewhere is the same; one character, or another length of sequences, is not. */
static void checksums(void **state)
{
    (void)state;
    eg_dataset *data[4] = {NULL};
    assert_ok(OPEN(&data[0], "one text of words", "dataset.sequence", "4"));
    assert_ok(OPEN(&data[1], "one text of words", "dataset.sequence", "4"));
    assert_ok(OPEN(&data[2], "one text of wards", "dataset.sequence", "4"));
    assert_ok(OPEN(&data[3], "one text of words", "dataset.sequence", "5"));
    assert_true(data[0]->checksum == data[1]->checksum);
    assert_true(data[0]->checksum != data[2]->checksum);
    assert_true(data[0]->checksum != data[3]->checksum);
    for (size_t i = 0; i < EG_COUNT(data); i++) {
        eg_dataset_free(data[i]);
    }
}

static void utf8(void **state)
{
    (void)state;
    static const uint32_t codes[] = {0,      0x7f,   0x80,   0x7ff,   0x800,
                                     0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
    unsigned char bytes[EG_COUNT(codes) * EG_UTF8_BYTES_MAX];
    size_t size = 0;
    uint32_t *read = NULL;
    size_t count = 0;
    for (size_t i = 0; i < EG_COUNT(codes); i++) {
        size += eg_utf8_write(codes[i], bytes + size);
    }
    assert_int_equal(size, 1 + 1 + 2 + 2 + 3 + 3 + 3 + 3 + 4 + 4);
    assert_ok(eg_utf8_read(&read, &count, bytes, size, "here"));
    assert_int_equal(count, EG_COUNT(codes));
    assert_memory_equal(read, codes, sizeof codes);
    eg_free(read);
    /* overlong, surrogate, too large, cut short, a byte that begins nothing, one that goes on */
    static const char *const wrong[] = {
        "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
        "\xff",     "\x80",         "\xc3(",        "\xf0\x8f\xbf\xbf"};
    for (size_t i = 0; i < EG_COUNT(wrong); i++) {
        assert_fails(
            eg_utf8_read(&read, &count, (const unsigned char *)wrong[i], strlen(wrong[i]), "here"),
            EG_INVALID, "here: line 1: byte 0 of the file");
        assert_null(read);
    }
}

static void files_that_are_none(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    assert_fails(OPEN(&data, "a\nb\n\xff", "dataset.sequence", "2"), EG_INVALID,
                 "text.txt: line 3: byte 4 of the file (0xff) is not UTF-8");
    assert_fails(OPEN(&data, "", "dataset.sequence", "2"), EG_INVALID,
                 "text.txt: the file is empty; expected a text");
    assert_fails(OPEN(&data, "abc", "dataset.sequence", "3"), EG_INVALID,
                 "no block of the text has dataset.sequence = 3 symbols and one after them");
    assert_fails(OPEN(&data, "abc", "dataset.file", "/nowhere/at all.txt"), EG_INVALID,
                 "dataset text: no /nowhere/at all.txt; expected a text in UTF-8");
    assert_fails(OPEN(&data, "abc", "dataset.file", "none.txt", "dataset.path", directory),
                 EG_INVALID, "dataset text: no none.txt in ");
    assert_null(data);
}

static void settings_that_do_not_fit(void **state)
{
    (void)state;
    eg_dataset *data = NULL;
    assert_fails(OPEN(&data, "abc", "dataset.sequence", "8", "dataset.block", "8"), EG_INVALID,
                 "do not fit into blocks of dataset.block = 8 characters");
    assert_fails(OPEN(&data, "abc", "dataset.unit", "byte_pair"), EG_INVALID,
                 "dataset.vocabulary = 128 with dataset.unit = byte_pair; expected at least 256");
    assert_fails(OPEN(&data, "abc", "dataset.scale", "unit"), EG_INVALID,
                 "dataset.scale = unit: a text is made of ids");
}

/* Wherever memory ends while a text is opened, all of it is released. */
static void out_of_memory(void **state)
{
    (void)state;
    static const char *const units[] = {"character", "byte_pair"};
    char text[301];
    write_words(text, 300);
    write_text_file(path, directory, text, 300);
    for (size_t u = 0; u < 2; u++) {
        eg_settings *settings =
            SETTINGS("dataset", "text", "dataset.file", path, "dataset.unit", units[u],
                     "dataset.vocabulary", "270", "dataset.block", "60", "dataset.sequence", "8");
        const eg_view root = eg_settings_root(settings);
        const size_t before = eg_memory_live_blocks();
        size_t failures = 0;
        eg_dataset *data = NULL;
        eg_status status = {.code = EG_MEMORY};
        while (status.code == EG_MEMORY) {
            eg_memory_fail_after(++failures);
            status = eg_dataset_open(&data, &root);
            eg_memory_fail_after(0);
            assert_true(status.code == EG_OK || eg_memory_live_blocks() == before);
        }
        assert_ok(status);
        assert_true(failures > 8);
        for (size_t n = 1; n < 3; n++) {
            char *vocabulary = NULL;
            eg_memory_fail_after(n);
            status = eg_dataset_vocabulary(&vocabulary, data);
            eg_memory_fail_after(0);
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(vocabulary);
        }
        eg_dataset_free(data);
        assert_int_equal(eg_memory_live_blocks(), before);
        eg_settings_free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters),
        cmocka_unit_test(rare_characters_are_one_symbol),
        cmocka_unit_test(byte_pairs_by_hand),
        cmocka_unit_test(byte_pairs_end_where_none_is_common),
        cmocka_unit_test(pairs_do_not_cross_blocks),
        cmocka_unit_test(byte_pairs_as_counted_anew),
        cmocka_unit_test(symbols_spell_the_text),
        cmocka_unit_test(a_limit_keeps_whole_blocks),
        cmocka_unit_test(checksums),
        cmocka_unit_test(utf8),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(settings_that_do_not_fit),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
