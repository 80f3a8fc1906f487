/** Looking up components, and the nearest valid spelling; see engram/params.h. */
#include "engram/params.h"

#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 96 };

const eg_component *eg_family_find(const eg_family *family, const char *name)
{
    for (size_t i = 0; i < family->member_count; i++) {
        const eg_component *member = family->members[i];
        if (strcmp(member->name, name) == 0 ||
            (member->alias != NULL && strcmp(member->alias, name) == 0)) {
            return member;
        }
    }
    return NULL;
}

const eg_component *eg_family_beginning(const eg_family *family, const char *name)
{
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < family->member_count && name[length] == '.'; i++) {
        if (strlen(family->members[i]->name) == length &&
            memcmp(family->members[i]->name, name, length) == 0) {
            return family->members[i];
        }
    }
    return NULL;
}

const eg_family *eg_schema_family(const eg_schema *schema, const char *name)
{
    for (size_t i = 0; name != NULL && i < schema->family_count; i++) {
        if (strcmp(schema->families[i]->name, name) == 0) {
            return schema->families[i];
        }
    }
    return NULL;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/** Levenshtein distance with transpositions of neighbours counted once; SIZE_MAX for overlong
 * words. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n >= WORD_MAX || m >= WORD_MAX) {
        return SIZE_MAX;
    }
    size_t rows[3][WORD_MAX];
    size_t *before = rows[0];
    size_t *previous = rows[1];
    size_t *current = rows[2];
    for (size_t j = 0; j <= m; j++) {
        previous[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        current[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t differs = a[i - 1] == b[j - 1] ? 0 : 1;
            current[j] = smallest(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + differs);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < current[j]) {
                current[j] = before[j - 2] + 1;
            }
        }
        size_t *kept = before;
        before = previous;
        previous = current;
        current = kept;
    }
    return previous[m];
}

void eg_nearest_offer(eg_nearest *nearest, const char *word, const char *candidate)
{
    size_t distance = edit_distance(word, candidate);
    size_t longest = strlen(word) > strlen(candidate) ? strlen(word) : strlen(candidate);
    /* Worth suggesting: at most a third of the letters wrong (and one in short words). */
    size_t limit = longest / 3 > 1 ? longest / 3 : 1;
    if (distance <= limit && (nearest->best == NULL || distance < nearest->distance)) {
        nearest->best = candidate;
        nearest->distance = distance;
    }
}
