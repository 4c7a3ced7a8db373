/*
 * main.c - picks the command.
 *
 * A line that begins with an option is meant for `mine`, as users of miners expect.  What
 * a command does is its own file's business.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "miner/commands.h"

struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
};

static const struct command command_table[] = {
#define COMMAND(name, help) {#name, help, cmd_##name},
#include "miner/commands.def"
#undef COMMAND
    {NULL, NULL, NULL},
};

static const struct command *command_find(const char *name)
{
    for (const struct command *c = command_table; c->name; c++) {
        if (!strcmp(c->name, name))
            return c;
    }
    return NULL;
}

static int print_help(FILE *out)
{
    fprintf(out, "minerva " MINERVA_VERSION " - mines with useful work\n\n"
                 "usage: minerva COMMAND [OPTIONS]      minerva COMMAND --help\n\n");
    for (const struct command *c = command_table; c->name; c++)
        fprintf(out, "  %-10s %s\n", c->name, c->help);
    return out == stdout ? EXIT_CODE_OK : EXIT_CODE_USAGE;
}

static int run_command(const char *name, int argc, char **argv)
{
    const struct command *command = command_find(name);

    if (!command) {
        fprintf(stderr,
                "minerva: there is no command \"%s\"; `minerva --help` lists them\n",
                name);
        return EXIT_CODE_USAGE;
    }
    return command->run(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return print_help(stderr);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return print_help(stdout);
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("minerva " MINERVA_VERSION "\n");
        return EXIT_CODE_OK;
    }
    if (argv[1][0] == '-')
        return run_command("mine", argc, argv);
    return run_command(argv[1], argc - 1, argv + 1);
}
