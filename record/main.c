/* ptrec: records Python programs.  One line in the table a subcommand. */
#include "record/run.h"
#include "record/say.h"

#include <pt/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int help(int argc, char **argv);

static int
version(int argc, char **argv)
{
    pt_tell("ptrec %s\n", PT_VERSION);
    return 0;
}

static const struct command {
    const char *name;
    const char *what;
    int (*main)(int argc, char **argv);
    void (*help)(void);
} commands[] = {
    {"run", "record a program", pt_run, pt_run_help},
    {"help", "explain a subcommand", help, NULL},
    {"version", "print the version", version, NULL},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *
find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int
help(int argc, char **argv)
{
    const struct command *c = argc > 2 ? find(argv[2]) : NULL;
    if (argc > 2 && c == NULL) {
        pt_say("no subcommand %.64s; see `ptrec help`", argv[2]);
        return 2;
    }
    if (c != NULL && c->help != NULL) {
        c->help();
        return 0;
    }
    pt_tell("usage: ptrec SUBCOMMAND ...\n\n");
    for (int i = 0; i < COMMANDS; i++)
        pt_tell("  %-10s %s\n", commands[i].name, commands[i].what);
    pt_tell("\nStart with: ptrec run app.py; ptana profile\n");
    return 0;
}

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    const struct command *c = find(name);
    if (c == NULL) {
        if (argc > 1)
            pt_say("no subcommand %.64s; to record a program: ptrec run FILE",
                   name);
        else
            pt_say("give a subcommand, as in `ptrec run app.py`; see "
                   "`ptrec help`");
        exit(2);
    }
    exit(c->main(argc, argv));
}
