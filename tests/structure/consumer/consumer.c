/** The smallest program on top of the installed libraries: resolves the settings of a trial, all
 *  defaults but a few, runs it to its end, and prints what it asked for and how it went. */
#include <engram/sched.h>
#include <engram/settings.h>
#include <engram/trial.h>

#include <stdio.h>

static eg_status run(const eg_settings *settings)
{
    eg_dataset_cache *cache = NULL;
    eg_record *record = NULL;
    const eg_trial_options options = {.objective = "final_accuracy"};
    eg_status status = eg_dataset_cache_create(&cache);
    if (status.code == EG_OK) {
        status = eg_trial_run(&record, settings, 0, cache, &options);
    }
    if (status.code == EG_OK) {
        printf("%s, %zu evaluations\n", eg_trial_status_name(eg_record_status(record)),
               eg_trial_evaluations(record));
    }
    eg_record_free(record);
    eg_dataset_cache_free(cache);
    return status;
}

int main(int argc, char **argv)
{
    eg_world *world = NULL;
    eg_settings *settings = NULL;
    const eg_assignment wishes[] = {{.name = "optimizer.lr", .value = "0.5"},
                                    {.name = "dataset", .value = "synthetic"},
                                    {.name = "dataset.examples", .value = "60"},
                                    {.name = "model.hidden", .value = "[4]"},
                                    {.name = "dataset.test_examples", .value = "20"}};
    int code = 0;
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code == EG_OK) {
        status = eg_settings_resolve(&settings, eg_trial_schema(), wishes,
                                     sizeof wishes / sizeof wishes[0]);
    }
    if (status.code == EG_OK) {
        const eg_setting *found = eg_settings_find(settings, "optimizer.lr");
        printf("%s %g\n", found->name, found->value.real);
        status = run(settings);
    }
    if (status.code != EG_OK) {
        printf("%s\n", status.message);
        code = 1;
    }
    eg_settings_free(settings);
    eg_world_free(world, code);
    return code;
}
