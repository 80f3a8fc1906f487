/** attack_mutate KIND SEED IN OUT: writes OUT, which is IN with damage that follows from SEED.
 *
 *      bytes        wrong, missing, repeated and inserted bytes
 *      text         the same, or lines and words removed, repeated, exchanged, replaced by troublesome ones
 *      frames       frames of a journal changed, cut, repeated, exchanged; their checksums are right
 *      checkpoint   bytes of a checkpoint; its checksum is right
 *      footer         bytes of a results file; the checksum behind it is right
 *      bare         bytes of a results file without the checksum behind it */
#include "changes.h"

#include "engram/pack.h"
#include "store/hdf5/checksum_footer.h"
#include "store/journal/journal.h"
#include "trial/checkpoint.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 1 << 26, ROOM = 4096, FRAMES_MAX = 4096, LINES_MAX = 65536 };

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    return eg_test_draw(state++) % below;
}

/** Bytes in a buffer with room for ROOM more. */
typedef struct buffer {
    uint8_t *data;
    size_t size;
} buffer;

static void insert(buffer *b, size_t at, const void *bytes, size_t size)
{
    if (b->size + size <= SIZE_LIMIT) {
        memmove(b->data + at + size, b->data + at, b->size - at);
        memcpy(b->data + at, bytes, size);
        b->size += size;
    }
}

static void change_bytes(buffer *b)
{
    static const uint64_t values[] = {
        0,          1,         UINT64_MAX,          INT64_MAX,           (uint64_t)1 << 63,
        UINT32_MAX, INT32_MAX, 0x7ff8000000000000u, 0x7ff0000000000000u, 255};
    for (uint64_t n = 1 + draw(6); n > 0 && b->size > 0; n--) {
        uint64_t value = values[draw(sizeof values / sizeof values[0])];
        size_t at = (size_t)draw(b->size);
        size_t size = (size_t)1 << draw(4);
        switch (draw(8)) {
        case 0:
            insert(b, at, &value, size);
            break;
        case 1:
            memcpy(b->data + at, &value, size < b->size - at ? size : b->size - at);
            break;
        default:
            b->size = eg_test_change(b->data, b->size, state + (draw(UINT32_MAX) << 20));
        }
    }
}

/** Where a word or a line begins, at random, and how long it is. */
static size_t choose(const buffer *b, bool line, size_t *length)
{
    size_t at = (size_t)draw(b->size);
    size_t end = at;
    const char *ends = line ? "\n" : " \t\n:,=[]{}\"'";
    while (at > 0 && strchr(ends, b->data[at - 1]) == NULL) {
        at--;
    }
    while (end < b->size && strchr(ends, b->data[end]) == NULL) {
        end++;
    }
    *length = end - at + (line && end < b->size ? 1 : 0);
    return at;
}

static void erase(buffer *b, size_t at, size_t size)
{
    memmove(b->data + at, b->data + at + size, b->size - at - size);
    b->size -= size;
}

/* What text is changed to: numbers at the border, the syntax of YAML, names of settings. */
static const char *const words[] = {"0",
                                    "-1",
                                    "1e999",
                                    "-1e308",
                                    "nan",
                                    "inf",
                                    "1e-320",
                                    "18446744073709551616",
                                    "4294967296",
                                    "[]",
                                    "{}",
                                    "[",
                                    "}",
                                    "~",
                                    "null",
                                    "true",
                                    "''",
                                    "\"",
                                    "\\",
                                    "&a",
                                    "*a",
                                    "!!python/object",
                                    "<<",
                                    "? ",
                                    "- ",
                                    ": ",
                                    "#",
                                    "|",
                                    ">",
                                    "%YAML 1.1",
                                    "---",
                                    "\t",
                                    "\r",
                                    "\xff",
                                    "\xed\xa0\x80",
                                    "\xc0\x80",
                                    "$(id)",
                                    "../../x",
                                    "/dev/zero",
                                    "seeds",
                                    "grid",
                                    "include",
                                    "dataset",
                                    "optimizer.lr",
                                    "linspace",
                                    "[1, 2, 1000000000]",
                                    "{range: [0, 1e9, 1e-9]}",
                                    "{logspace: [0, 1, 3]}",
                                    "model.hidden",
                                    "adam"};

static void change_text(buffer *b)
{
    for (uint64_t n = 1 + draw(4); n > 0 && b->size > 0; n--) {
        uint8_t piece[ROOM];
        size_t length = 0;
        bool line = draw(2) == 0;
        size_t at = choose(b, line, &length);
        size_t kept = length < ROOM ? length : ROOM;
        memcpy(piece, b->data + at, kept);
        switch (draw(6)) {
        case 0:
            erase(b, at, length);
            break;
        case 1:
            insert(b, at, piece, kept);
            break;
        case 2: /* to another place */
            erase(b, at, length);
            insert(b, b->size == 0 ? 0 : choose(b, line, &length), piece, kept);
            break;
        case 3:
            insert(b, at, "        ", 1 + draw(8));
            break;
        case 4:
            change_bytes(b);
            break;
        default: {
            const char *word = words[draw(sizeof words / sizeof words[0])];
            if (!line) {
                erase(b, at, length);
            }
            insert(b, at, word, strlen(word));
        }
        }
    }
}

typedef struct frame {
    uint32_t type;
    double time;
    buffer payload;
} frame;

/** With room for what is inserted. */
static buffer copy(const uint8_t *data, size_t size)
{
    buffer out = {malloc(size + ROOM), size};
    memcpy(out.data, data, size);
    return out;
}

/** The frames at the beginning of a journal, up to what is none. */
static size_t read_frames(frame *out, const buffer *b)
{
    size_t count = 0;
    eg_reader reader = {.data = b->data, .size = b->size};
    while (count < FRAMES_MAX && b->size - reader.at >= EG_FRAME_HEADER_SIZE + EG_FRAME_CRC_SIZE) {
        (void)eg_read_u32(&reader);
        out[count].type = eg_read_u32(&reader);
        uint64_t size = eg_read_u64(&reader);
        out[count].time = eg_read_f64(&reader);
        if (size + EG_FRAME_CRC_SIZE > b->size - reader.at) {
            break;
        }
        out[count].payload = copy(b->data + reader.at, (size_t)size);
        reader.at += (size_t)size + EG_FRAME_CRC_SIZE;
        count++;
    }
    return count;
}

static void change_frames(buffer *b)
{
    static frame frames[FRAMES_MAX];
    size_t count = read_frames(frames, b);
    for (uint64_t n = 1 + draw(3); n > 0 && count > 1; n--) {
        frame *one = &frames[draw(count)];
        frame *other = &frames[draw(count)];
        switch (draw(10)) {
        case 0: {
            frame kept = *one;
            *one = *other;
            *other = kept;
            break;
        }
        case 1: /* the same twice */
            if (one != other) {
                free(one->payload.data);
                *one = *other;
                one->payload = copy(other->payload.data, other->payload.size);
            }
            break;
        case 2:
            free(one->payload.data);
            *one = frames[--count];
            break;
        case 3:
            one->type = (uint32_t)draw(14);
            break;
        case 4:
            one->time = draw(2) == 0 ? NAN : -1e300;
            break;
        default:
            if (one->payload.size > 0 && one->payload.size < SIZE_LIMIT) {
                change_bytes(&one->payload);
            }
        }
    }
    eg_writer out = {0};
    for (size_t i = 0; i < count; i++) {
        eg_test_write_frame(&out, frames[i].type, frames[i].time, frames[i].payload.data,
                            frames[i].payload.size);
        free(frames[i].payload.data);
    }
    b->size = out.size < SIZE_LIMIT ? out.size : SIZE_LIMIT;
    memcpy(b->data, out.data == NULL ? (const void *)"" : out.data, b->size);
    eg_writer_clear(&out);
}

static void change_results(buffer *b, bool footer)
{
    unsigned char made[EG_FOOTER_SIZE];
    b->size -= b->size < EG_FOOTER_SIZE ? b->size : EG_FOOTER_SIZE;
    change_bytes(b);
    eg_footer_make(made, b->data, b->size);
    if (footer) {
        insert(b, b->size, made, sizeof made);
    }
}

static bool change(buffer *b, const char *kind)
{
    if (strcmp(kind, "bytes") == 0) {
        change_bytes(b);
    } else if (strcmp(kind, "text") == 0) {
        change_text(b);
    } else if (strcmp(kind, "frames") == 0) {
        change_frames(b);
    } else if (strcmp(kind, "footer") == 0 || strcmp(kind, "bare") == 0) {
        change_results(b, kind[0] == 's');
    } else if (strcmp(kind, "checkpoint") == 0) {
        change_bytes(b);
        if (b->size >= EG_CHECKPOINT_CHECKSUM) {
            eg_checkpoint_seal(b->data, b->size);
        }
    } else {
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    buffer b = {malloc((size_t)SIZE_LIMIT + ROOM), 0};
    FILE *in = argc == 5 ? fopen(argv[3], "rb") : NULL;
    if (b.data == NULL || in == NULL) {
        (void)fprintf(stderr, "usage: attack_mutate KIND SEED IN OUT\n");
        free(b.data);
        return 2;
    }
    b.size = fread(b.data, 1, SIZE_LIMIT, in);
    (void)fclose(in);
    state = strtoull(argv[2], NULL, 10) << 16;
    bool changed = change(&b, argv[1]);
    FILE *out = changed ? fopen(argv[4], "wb") : NULL;
    bool written = out != NULL && fwrite(b.data, 1, b.size, out) == b.size;
    written = out != NULL && fclose(out) == 0 && written;
    free(b.data);
    return written ? 0 : changed ? 1 : 2;
}
