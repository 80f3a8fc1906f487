/** The command line: one function per verb. */
#ifndef ENGRAM_CLI_H
#define ENGRAM_CLI_H

/** The whole program; returns the exit code. */
int eg_cli_main(int argc, char **argv);

#endif
