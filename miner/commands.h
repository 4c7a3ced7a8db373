/*
 * commands.h - what every command looks like to main.c.
 *
 * A command gets its own words, argv[0] being its name, prints what it has to say, and
 * returns the exit code.  It is found through commands.def; nobody else calls it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_COMMANDS_H
#define MINERVA_MINER_COMMANDS_H

/* What the program's exit means to a script or a service manager. */
enum exit_code {
    EXIT_CODE_OK = 0,        /* done, or stopped by the user */
    EXIT_CODE_FAILED = 1,    /* unexpected; a proof that is refused */
    EXIT_CODE_USAGE = 2,     /* wrong usage or configuration */
    EXIT_CODE_NO_DEVICE = 4, /* no usable device or driver */
    EXIT_CODE_SELFTEST = 5,  /* a device does not reproduce the known answers */
    EXIT_CODE_LOGIN = 6,     /* the pool refuses the login */
    EXIT_CODE_PROTOCOL = 8,  /* the pool speaks what this version does not */
};

#define COMMAND(name, help) int cmd_##name(int argc, char **argv);
#include "miner/commands.def"
#undef COMMAND

#endif
