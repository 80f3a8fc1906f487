/** The engram command. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return eg_cli_main(argc, argv);
}
