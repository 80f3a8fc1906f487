/** Reading the path of a training run; see stream/order_file.h. */
#include "stream/order_file.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

/** --- The file as lines and columns ----------------------------------------------------------- */

/** A stretch of the file. */
typedef struct text {
    const char *at, *end;
} text;

/** Takes what stands before the next `separator`, which is skipped; all that is left if there is
 *  none. */
static text take(text *rest, char separator)
{
    text out = *rest;
    const char *found =
        out.at == out.end ? NULL : memchr(out.at, separator, (size_t)(out.end - out.at));
    rest->at = found == NULL ? out.end : found + 1;
    out.end = found == NULL ? out.end : found;
    return out;
}

static text take_line(text *rest)
{
    text line = take(rest, '\n');
    line.end -= line.end > line.at && line.end[-1] == '\r' ? 1 : 0;
    return line;
}

static bool is(text word, const char *name)
{
    size_t length = strlen(name);
    return (size_t)(word.end - word.at) == length && memcmp(word.at, name, length) == 0;
}

/** Where a line is, for messages, and which columns matter. */
typedef struct place {
    const char *path;
    size_t line;
    size_t phase_column, examples_column, columns;
} place;

static eg_status refuse(const place *at, const char *why, text word)
{
    enum { SHOWN = 40 };
    int length = (int)(word.end - word.at < SHOWN ? word.end - word.at : SHOWN);
    return eg_fail(EG_INVALID, "%s:%zu: %s, not \"%.*s\"", at->path, at->line, why, length,
                   word.at);
}

static eg_status read_header(place *at, text line)
{
    text rest = line;
    at->phase_column = SIZE_MAX;
    at->examples_column = SIZE_MAX;
    do {
        text name = take(&rest, ',');
        if (is(name, "phase")) {
            at->phase_column = at->columns;
        } else if (is(name, "examples")) {
            at->examples_column = at->columns;
        }
        at->columns++;
    } while (rest.at < rest.end);
    if (at->phase_column == SIZE_MAX || at->examples_column == SIZE_MAX) {
        return refuse(at, "the first line must name the columns, among them phase and examples",
                      line);
    }
    return eg_ok();
}

/** --- Minibatches ----------------------------------------------------------------------------- */

/** Takes a whole number from the beginning of `rest`; false if there is none, or it is more than
 *  `most`. */
static bool take_number(text *rest, uint64_t most, uint64_t *out)
{
    const char *begin = rest->at;
    uint64_t value = 0;
    for (; rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9'; rest->at++) {
        value = value * 10 + (uint64_t)(*rest->at - '0');
        if (value > most) {
            return false;
        }
    }
    *out = value;
    return rest->at > begin;
}

static eg_status add_examples(eg_order_file *out, const place *at, text field)
{
    size_t count = out->begin[out->batches];
    text rest = field;
    while (rest.at < rest.end) {
        text word = take(&rest, ' ');
        text digits = word;
        uint64_t number = 0;
        if (!take_number(&digits, UINT32_MAX, &number) || digits.at < digits.end) {
            return refuse(at, "examples must be whole numbers with one blank between them", word);
        }
        EG_TRY(eg_grow(&out->number, &out->capacity, count + 1, sizeof *out->number));
        out->number[count++] = (uint32_t)number;
    }
    size_t size = count - out->begin[out->batches];
    if (size == 0) {
        return refuse(at, "a minibatch has at least one example", field);
    }
    out->largest = size > out->largest ? size : out->largest;
    EG_TRY(eg_grow(&out->begin, &out->room, out->batches + 2, sizeof *out->begin));
    out->begin[++out->batches] = count;
    return eg_ok();
}

/** The phase of a minibatch is that of the one before or the next. */
static eg_status note_phase(eg_order_file *out, const place *at, text field)
{
    text digits = field;
    uint64_t phase = 0;
    if (!take_number(&digits, UINT32_MAX, &phase) || digits.at < digits.end) {
        return refuse(at, "phase must be a whole number", field);
    }
    if (phase != out->phases && phase + 1 != out->phases) {
        return eg_fail(EG_INVALID,
                       "%s:%zu: phase %llu comes %s; expected all phases in order, from 0, each "
                       "with at least one minibatch",
                       at->path, at->line, (unsigned long long)phase,
                       out->phases == 0 ? "first" : "after another one");
    }
    if (phase == out->phases) {
        out->phases++;
        size_t *grown = NULL;
        EG_TRY(eg_alloc(&grown, out->phases + 1, sizeof *grown));
        if (out->phase != NULL) {
            memcpy(grown, out->phase, out->phases * sizeof *grown);
        }
        eg_free(out->phase);
        out->phase = grown;
    }
    out->phase[out->phases] = out->batches + 1;
    return eg_ok();
}

static eg_status read_line(eg_order_file *out, const place *at, text line)
{
    text rest = line;
    text phase = {line.end, line.end};
    text examples = {line.end, line.end};
    for (size_t column = 0; column < at->columns; column++) {
        if (column > 0 && rest.at == rest.end && rest.end[-1] != ',') {
            return refuse(at, "this line has fewer columns than the first", line);
        }
        text field = take(&rest, ',');
        if (column == at->phase_column) {
            phase = field;
        } else if (column == at->examples_column) {
            examples = field;
        }
    }
    if (rest.at < rest.end) {
        return refuse(at, "this line has more columns than the first", line);
    }
    EG_TRY(note_phase(out, at, phase));
    return add_examples(out, at, examples);
}

static eg_status read_all(eg_order_file *out, const char *path, text file)
{
    place at = {.path = path, .line = 1};
    EG_TRY(read_header(&at, take_line(&file)));
    EG_TRY(eg_grow(&out->begin, &out->room, 1, sizeof *out->begin));
    while (file.at < file.end) {
        at.line++;
        EG_TRY(read_line(out, &at, take_line(&file)));
    }
    return out->batches > 0 ? eg_ok() : eg_fail(EG_INVALID, "%s: no minibatch in it", path);
}

eg_status eg_order_file_read(eg_order_file *out, const char *path)
{
    *out = (eg_order_file){0};
    unsigned char *bytes = NULL;
    size_t size = 0;
    EG_TRY(eg_load_file(&bytes, &size, path, "the order of examples"));
    if (bytes == NULL) {
        return eg_fail(EG_INVALID, "%s: no such file; stream.order_file names it", path);
    }
    text file = {(const char *)bytes, (const char *)bytes + size};
    eg_status status = read_all(out, path, file);
    eg_free(bytes);
    return status;
}

void eg_order_file_clear(eg_order_file *order)
{
    eg_free(order->number);
    eg_free(order->begin);
    eg_free(order->phase);
    *order = (eg_order_file){0};
}

const uint32_t *eg_order_file_batch(const eg_order_file *order, size_t batch, size_t *size)
{
    *size = order->begin[batch + 1] - order->begin[batch];
    return order->number + order->begin[batch];
}

/** --- What it says ---------------------------------------------------------------------------- */

eg_status eg_order_file_hash(uint64_t *out, const eg_order_file *order)
{
    eg_writer writer = {0};
    for (size_t p = 0; p <= order->phases; p++) {
        eg_write_u64(&writer, order->phase[p]);
    }
    for (size_t b = 0; b <= order->batches; b++) {
        eg_write_u64(&writer, order->begin[b]);
    }
    for (size_t i = 0; i < order->begin[order->batches]; i++) {
        eg_write_u32(&writer, order->number[i]);
    }
    eg_status status = eg_writer_status(&writer);
    *out = status.code == EG_OK ? eg_hash64(writer.data, writer.size) : 0;
    eg_writer_clear(&writer);
    return status;
}

eg_status eg_order_file_fits(const eg_order_file *order, const char *path, size_t phases,
                             size_t epochs)
{
    if (order->phases != phases) {
        return eg_fail(EG_INVALID, "%s has %zu phase%s; expected the %zu of the stream", path,
                       order->phases, order->phases == 1 ? "" : "s", phases);
    }
    for (size_t p = 0; p < phases; p++) {
        size_t batches = order->phase[p + 1] - order->phase[p];
        if (batches % epochs != 0) {
            return eg_fail(EG_INVALID,
                           "%s: phase %zu has %zu minibatches; expected a multiple of "
                           "stream.epochs = %zu",
                           path, p, batches, epochs);
        }
    }
    return eg_ok();
}

static eg_status check_batch(const eg_order_file *order, const char *path, size_t batch,
                             size_t phase, const uint8_t *allowed, size_t train)
{
    const size_t line = batch + 2; /* after the names of the columns, counted from 1 */
    for (size_t i = order->begin[batch]; i < order->begin[batch + 1]; i++) {
        uint32_t number = order->number[i];
        if (number >= train) {
            return eg_fail(EG_INVALID,
                           "%s:%zu: example %u; expected 0 to %zu, the training "
                           "examples of the dataset",
                           path, line, number, train - 1);
        }
        if (allowed[number] == 0) {
            return eg_fail(EG_INVALID,
                           "%s:%zu: training example %u is not one of phase %zu: its class belongs "
                           "to another phase, or the protocol holds it out for validation",
                           path, line, number, phase);
        }
    }
    return eg_ok();
}

eg_status eg_order_file_within(const eg_order_file *order, const char *path, size_t phase,
                               const uint32_t *list, size_t count, size_t train)
{
    uint8_t *allowed = NULL;
    EG_TRY(eg_alloc(&allowed, train, 1));
    for (size_t i = 0; i < count; i++) {
        allowed[list[i]] = 1;
    }
    eg_status status = eg_ok();
    for (size_t b = order->phase[phase]; b < order->phase[phase + 1] && status.code == EG_OK; b++) {
        status = check_batch(order, path, b, phase, allowed, train);
    }
    eg_free(allowed);
    return status;
}
