/** Datasets shared by the trials of one worker; see engram/dataset.h.
 *
 *  Two trials share a dataset if all their settings inside `dataset` agree, those that keep results
 * too: another path may hold other files. */
#include "engram/dataset.h"

#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

typedef struct entry {
    char *key;
    eg_dataset *dataset;
} entry;

struct eg_dataset_cache {
    entry *entries;
    size_t count, capacity;
};

eg_status eg_dataset_cache_create(eg_dataset_cache **out)
{
    return eg_alloc(out, 1, sizeof **out);
}

void eg_dataset_cache_free(eg_dataset_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->count; i++) {
        eg_free(cache->entries[i].key);
        eg_dataset_free(cache->entries[i].dataset);
    }
    eg_free(cache->entries);
    eg_free(cache);
}

/* "name=value" lines of the setting `dataset` and of everything inside it; with out == NULL only
 * counts the characters. */
static size_t write_key(char *out, size_t size, const eg_view *root)
{
    char name[EG_PREFIX_SIZE + 8];
    size_t length = (size_t)snprintf(name, sizeof name, "%sdataset", root->prefix);
    size_t used = 0;
    for (size_t i = 0; i < eg_settings_count(root->settings); i++) {
        const eg_setting *setting = eg_settings_at(root->settings, i);
        if (strncmp(setting->name, name, length) == 0 &&
            (setting->name[length] == '\0' || setting->name[length] == '.')) {
            used += (size_t)snprintf(out == NULL ? NULL : out + used, out == NULL ? 0 : size - used,
                                     "%s=%s\n", setting->name, setting->value.text);
        }
    }
    return used;
}

eg_status eg_dataset_cache_get(eg_dataset_cache *cache, const eg_view *root, const eg_dataset **out)
{
    *out = NULL;
    size_t size = write_key(NULL, 0, root) + 1;
    entry new = {NULL, NULL};
    EG_TRY(eg_alloc(&new.key, size, 1));
    (void)write_key(new.key, size, root);
    eg_status status = eg_ok();
    for (size_t i = 0; i < cache->count; i++) {
        if (strcmp(cache->entries[i].key, new.key) == 0) {
            *out = cache->entries[i].dataset;
            goto done;
        }
    }
    EG_TRY_DONE(status, eg_grow(&cache->entries, &cache->capacity, cache->count + 1, sizeof new));
    EG_TRY_DONE(status, eg_dataset_open(&new.dataset, root));
    cache->entries[cache->count++] = new;
    *out = new.dataset;
    return status;
done:
    eg_free(new.key);
    return status;
}
