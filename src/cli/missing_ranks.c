/** The messages about ranks that are missing; see cli/missing_ranks.h. */
#include "cli/missing_ranks.h"

#include "cli/format.h"

void eg_name_ranks(char *text, size_t size, const eg_neighbours *here,
                   bool (*is_named)(const eg_neighbour *))
{
    enum { NAMED = 8 };
    size_t count = 0;
    for (size_t i = 0; i < here->count; i++) {
        count += is_named(&here->list[i]) ? 1 : 0;
    }
    size_t named = 0;
    eg_append(text, size, "rank%s", eg_plural(count));
    for (size_t i = 0; i < here->count && named < NAMED; i++) {
        if (is_named(&here->list[i])) {
            eg_append(text, size, "%s", named == 0 ? " " : named + 1 == count ? " and " : ", ");
            if (here->list[i].rank >= 0) {
                eg_append(text, size, "%ld", here->list[i].rank);
            } else {
                eg_append(text, size, "(number %zu of this host)", i + 1);
            }
            named++;
        }
    }
    if (count > NAMED) {
        eg_append(text, size, " and %zu others", count - NAMED);
    }
    eg_append(text, size, " on host %s", here->host);
}

bool eg_rank_is_missing(const eg_neighbour *one)
{
    return !one->there;
}

void eg_tell_missing(char *text, size_t size, const eg_neighbours *here)
{
    eg_name_ranks(text, size, here, eg_rank_is_missing);
    eg_append(text, size,
              " ended while the job started; nothing had begun, the same command starts again");
}
