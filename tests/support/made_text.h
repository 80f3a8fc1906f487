/** Texts that tests make themselves, as files and as datasets. */
#ifndef ENGRAM_TESTS_MADE_TEXT_H
#define ENGRAM_TESTS_MADE_TEXT_H

#include "testing.h"

#include "engram/file.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_PATH_SIZE = 4096 };

/** Writes bytes to a file in a directory of the test's own; path [TEXT_PATH_SIZE]. */
static inline void write_text_file(char *path, const char *directory, const void *bytes,
                                   size_t size)
{
    (void)snprintf(path, TEXT_PATH_SIZE, "%s/text.txt", directory);
    assert_ok(eg_replace_file(path, "new", bytes, size, "the text"));
}

/** A text of words in no order, of `size` characters; text [size + 1]. */
static inline void write_words(char *text, size_t size)
{
    static const char *const words[] = {"the ",  "sea ",   "and ", "sand, ",
                                        "then ", "sees\n", "ash. "};
    unsigned draw = 1;
    size_t used = 0;
    while (used < size) {
        draw = draw * 1103515245U + 12345U;
        const char *word = words[(draw >> 16) % (sizeof words / sizeof *words)];
        for (size_t i = 0; word[i] != '\0' && used < size; i++) {
            text[used++] = word[i];
        }
    }
    text[size] = '\0';
}

#endif
