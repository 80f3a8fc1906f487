/** The engram command. */
#include "cli/cli.h"

#include <signal.h>

/* OpenBLAS starts its threads when it is loaded, and sends this process SIGINT where the system
 * gives it none (ulimit -u, ulimit -v): before main, which could do without them. Until then the
 * signal is ignored. */
static void (*interrupt)(int) = SIG_ERR;

static void ignore_interrupts(void)
{
    interrupt = signal(SIGINT, SIG_IGN);
}

/* Called before the constructors of libraries. */
__attribute__((section(".preinit_array"),
               used)) static void (*const before_libraries)(void) = ignore_interrupts;

int main(int argc, char **argv)
{
    if (interrupt != SIG_ERR) {
        (void)signal(SIGINT, interrupt);
    }
    return eg_cli_main(argc, argv);
}
