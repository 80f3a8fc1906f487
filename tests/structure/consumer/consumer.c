/** The smallest program on top of the installed libraries: resolves the settings of a trial, all
 *  defaults but one, and prints what it asked for. */
#include <engram/sched.h>
#include <engram/settings.h>
#include <engram/trial.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    eg_world *world = NULL;
    eg_settings *settings = NULL;
    const eg_assignment wish = {.name = "optimizer.lr", .value = "0.5"};
    int code = 1;
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code == EG_OK) {
        status = eg_settings_resolve(&settings, eg_trial_schema(), &wish, 1);
    }
    if (status.code == EG_OK) {
        const eg_setting *found = eg_settings_find(settings, "optimizer.lr");
        printf("%s %g\n", found->name, found->value.real);
        code = 0;
    } else {
        printf("%s\n", status.message);
    }
    eg_settings_free(settings);
    eg_world_free(world, code);
    return code;
}
