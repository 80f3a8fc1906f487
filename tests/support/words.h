/** Settings from words of a test. */
#ifndef ENGRAM_TESTS_WORDS_H
#define ENGRAM_TESTS_WORDS_H

#include "testing.h"

#include "engram/settings.h"

/** "name", "value", "name", "value", …, NULL, completed with the defaults of the schema. */
static inline eg_status resolve_words(eg_settings **out, const eg_schema *schema,
                                      const char *const *words)
{
    eg_assignment all[32];
    size_t count = 0;
    for (; words[2 * count] != NULL; count++) {
        assert_true(count < EG_COUNT(all));
        all[count] = (eg_assignment){.name = words[2 * count], .value = words[2 * count + 1]};
    }
    return eg_settings_resolve(out, schema, all, count);
}

/** The same where the words are right. */
static inline eg_settings *settings_from(const eg_schema *schema, const char *const *words)
{
    eg_settings *settings = NULL;
    assert_ok(resolve_words(&settings, schema, words));
    return settings;
}

#endif
