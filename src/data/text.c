/** A text in UTF-8, whatever file it is, as ids of characters or of byte pairs.
 *
 *  It is cut into blocks of `block` characters, which streams divide among what is learned and
 *  what is tested on; no sequence crosses a block. The vocabulary is learned from all of the text
 *  that is used, which is the same for all trials. Ids that no symbol has are outputs that never
 *  come. */
#include "data/common.h"
#include "data/symbols.h"
#include "data/utf8.h"
#include "engram/file.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <stdio.h>
#include <string.h>

typedef enum unit { UNIT_CHARACTER, UNIT_BYTE_PAIR } unit;

static const char *const unit_names[] = {
    [UNIT_CHARACTER] = "character", [UNIT_BYTE_PAIR] = "byte_pair", NULL};

static const eg_param params[] = {
    {.name = "file",
     .type = EG_TYPE_TEXT,
     .default_text = "tinyshakespeare.txt",
     .doc = "the text in the folder, in UTF-8; or the whole path of one"},
    {.name = "unit",
     .type = EG_TYPE_NAME,
     .default_text = "character",
     .names = unit_names,
     .doc = "what a symbol is: a character, or a byte or pair of symbols that is common in the "
            "text"},
    {.name = "vocabulary",
     .type = EG_TYPE_INT,
     .default_text = "128",
     .min = 2,
     .max = 16777216,
     .unit = "symbols",
     .doc = "outputs of a network: the commonest characters and one symbol for all others, or 256 "
            "bytes and merged pairs"},
    {.name = "block",
     .type = EG_TYPE_INT,
     .default_text = "2048",
     .min = 2,
     .max = 1e9,
     .unit = "characters",
     .doc = "that stay together when a stream divides the text"},
    {.name = "sequence",
     .type = EG_TYPE_INT,
     .default_text = "64",
     .min = 1,
     .max = 1e6,
     .unit = "symbols",
     .doc = "of an example; each is to be predicted from those before it"},
    {.name = "characters",
     .type = EG_TYPE_INT,
     .default_text = "1000000",
     .min = 1,
     .max = 1e12,
     .keeps_results = true,
     .doc = "of the text, for estimates of time and memory before the file is opened"},
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Characters that are used: of whole blocks, as many as have `limit` sequences of characters. */
static size_t used_of(const eg_view *view, size_t characters)
{
    const size_t limit = eg_view_size(view, "limit");
    const size_t block = eg_view_size(view, "block");
    const size_t wanted = limit * eg_view_size(view, "sequence");
    return limit == 0 ? characters : least(characters, (wanted + block - 1) / block * block);
}

static eg_status check_settings(const eg_view *view)
{
    const size_t length = eg_view_size(view, "sequence");
    const size_t block = eg_view_size(view, "block");
    const size_t vocabulary = eg_view_size(view, "vocabulary");
    if (eg_view_name(view, "scale") != 0) { /* the default is the first */
        return eg_fail_setting(view->prefix, "scale",
                               "%sscale = %s: a text is made of ids, which are not scaled; leave "
                               "it out",
                               view->prefix, eg_view_value(view, "scale")->text);
    }
    if (eg_view_name(view, "unit") == UNIT_BYTE_PAIR) {
        return vocabulary >= EG_SYMBOLS_BYTES
                   ? eg_ok()
                   : eg_fail_setting(view->prefix, "vocabulary unit",
                                     "%svocabulary = %zu with %sunit = byte_pair; expected at "
                                     "least %d, the bytes that pairs are made of",
                                     view->prefix, vocabulary, view->prefix, EG_SYMBOLS_BYTES);
    }
    return length < block
               ? eg_ok()
               : eg_fail_setting(view->prefix, "sequence block",
                                 "%ssequence = %zu: a sequence and the character after it do not "
                                 "fit into blocks of %sblock = %zu characters",
                                 view->prefix, length, view->prefix, block);
}

static eg_status read_characters(uint32_t **out, size_t *count, const char *path)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    EG_TRY(eg_load_file(&bytes, &size, path, "the text"));
    eg_status status = eg_utf8_read(out, count, bytes, size, path);
    if (eg_is_ok(&status) && *count == 0) {
        status = eg_fail(EG_INVALID, "%s: the file is empty; expected a text", path);
    }
    eg_free(bytes);
    return status;
}

/* Takes the symbols over. */
static void take(eg_dataset *out, eg_symbols *symbols, size_t blocks)
{
    out->text = (eg_tokens){.blocks = blocks,
                            .begin = symbols->begin,
                            .id = symbols->id,
                            .symbols = symbols->count,
                            .spelled = symbols->spelled,
                            .bytes = symbols->bytes,
                            .pair = (const uint32_t(*)[2])symbols->pair};
    out->storage[EG_STORAGE_BEGIN] = symbols->begin;
    out->storage[EG_STORAGE_ID] = symbols->id;
    out->storage[EG_STORAGE_SPELLED] = symbols->spelled;
    out->storage[EG_STORAGE_BYTES] = symbols->bytes;
    out->storage[EG_STORAGE_PAIR] = symbols->pair;
    *symbols = (eg_symbols){0};
}

static eg_status check_length(const eg_dataset *data, const char *path)
{
    size_t sequences = 0;
    for (size_t b = 0; b < data->text.blocks; b++) {
        sequences += eg_tokens_sequences(&data->text, b, data->shape.height);
    }
    return sequences > 0
               ? eg_ok()
               : eg_fail(EG_INVALID,
                         "%s: no block of the text has dataset.sequence = %zu symbols and one "
                         "after them; expected a longer text, larger blocks or shorter sequences",
                         path, data->shape.height);
}

static eg_status text_open(const eg_view *view, eg_dataset *out)
{
    char *path = NULL;
    uint32_t *code = NULL;
    size_t count = 0;
    eg_symbols symbols = {0};
    eg_status status = eg_ok();
    out->shape = (eg_shape){eg_view_size(view, "sequence"), 1, 1};
    out->features = eg_shape_size(out->shape);
    out->classes = eg_view_size(view, "vocabulary");
    EG_TRY_DONE(status, check_settings(view));
    EG_TRY_DONE(status, eg_data_file(&path, "text", view, "expected a text in UTF-8"));
    EG_TRY_DONE(status, read_characters(&code, &count, path));
    const eg_symbols_source text = {
        .code = code, .count = used_of(view, count), .block = eg_view_size(view, "block")};
    EG_TRY_DONE(status, eg_view_name(view, "unit") == UNIT_BYTE_PAIR
                            ? eg_symbols_byte_pairs(&symbols, &text, out->classes)
                            : eg_symbols_characters(&symbols, &text, out->classes));
    take(out, &symbols, eg_symbols_blocks(&text));
    EG_TRY_DONE(status, check_length(out, path));
done:
    eg_symbols_clear(&symbols);
    eg_free(code);
    eg_free(path);
    return status;
}

/* Training examples stand for all sequences of the text. */
static void text_sizes(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                       size_t *classes)
{
    *shape = (eg_shape){eg_view_size(view, "sequence"), 1, 1};
    *train = used_of(view, eg_view_size(view, "characters")) / shape->height;
    *test = 0;
    *classes = eg_view_size(view, "vocabulary");
}

const eg_dataset_kind eg_dataset_text = {
    .component = {.name = "text",
                  .doc = "any text in UTF-8 as characters or byte pairs, of which a network "
                         "predicts the next one; for streams of text",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .is_text = true,
    .open = text_open,
    .sizes = text_sizes,
};

static void write_words(eg_writer *writer, const char *words)
{
    eg_write_bytes(writer, words, strlen(words));
}

/* A string of JSON. */
static void write_symbol(eg_writer *writer, const eg_tokens *text, size_t symbol)
{
    write_words(writer, symbol == 0 ? "\"" : ",\"");
    for (size_t i = text->spelled[symbol]; i < text->spelled[symbol + 1]; i++) {
        const unsigned char byte = (unsigned char)text->bytes[i];
        char escaped[8];
        if (byte < 0x20 || byte == 0x7f) {
            (void)snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            write_words(writer, escaped);
            continue;
        }
        write_words(writer, byte == '"' || byte == '\\' ? "\\" : "");
        eg_write_u8(writer, byte);
    }
    write_words(writer, "\"");
}

static void write_pair(eg_writer *writer, const eg_tokens *text, size_t symbol)
{
    char words[64];
    (void)snprintf(words, sizeof words, "%s[%u,%u]", symbol == EG_SYMBOLS_BYTES ? "" : ",",
                   text->pair[symbol][0], text->pair[symbol][1]);
    write_words(writer, words);
}

eg_status eg_dataset_vocabulary(char **out, const eg_dataset *dataset)
{
    const eg_tokens *text = &dataset->text;
    const bool pairs = text->pair != NULL;
    eg_writer writer = {0};
    *out = NULL;
    if (text->blocks == 0) {
        return eg_ok();
    }
    write_words(&writer, pairs ? "{\"unit\":\"byte_pair\",\"pairs\":["
                               : "{\"unit\":\"character\",\"symbols\":[");
    for (size_t s = pairs ? EG_SYMBOLS_BYTES : 0; s < text->symbols; s++) {
        (pairs ? write_pair : write_symbol)(&writer, text, s);
    }
    write_words(&writer, "]}");
    eg_write_u8(&writer, 0);
    eg_status status = eg_writer_status(&writer);
    if (eg_is_ok(&status)) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}
