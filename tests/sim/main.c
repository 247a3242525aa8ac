/*
 * main.c - histories by the thousand: `sim --seeds N [--first S]`, or one of them told
 * line by line: `sim --replay SEED`. With --find it must find a violation, for a program
 * into which a fault was planted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/world.h"

struct options {
    uint64_t first, seeds, replay;
    long processes;
    bool replays, find;
};

static int
usage(void)
{
    fputs("usage: sim [--first SEED] [--seeds N] [--processes N] [--find]\n"
          "       sim --replay SEED\n",
          stderr);
    return 2;
}

static bool
read_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        const bool flag = strcmp(name, "--find") == 0;
        if (!flag && i + 1 == argc)
            return false;
        const uint64_t value = flag ? 0 : strtoull(argv[++i], NULL, 10);
        if (flag)
            o->find = true;
        else if (strcmp(name, "--first") == 0)
            o->first = value;
        else if (strcmp(name, "--seeds") == 0)
            o->seeds = value;
        else if (strcmp(name, "--processes") == 0)
            o->processes = (long)value;
        else if (strcmp(name, "--replay") == 0) {
            o->replay = value;
            o->replays = true;
        } else
            return false;
    }
    return o->processes >= 1;
}

static int
run_range(uint64_t first, uint64_t end, uint64_t step)
{
    for (uint64_t seed = first; seed < end; seed += step)
        if (!world_run(seed, false)) {
            printf("seed %llu: %s\n  see it: sim --replay %llu\n",
                   (unsigned long long)seed, world.violation, (unsigned long long)seed);
            return 1;
        }
    return 0;
}

/* Each process takes every n-th seed. */
static int
run_all(const struct options *o)
{
    int status, failures = 0;

    for (long i = 0; i < o->processes; i++) {
        const pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0) {
            const int rc = run_range(o->first + (uint64_t)i, o->first + o->seeds,
                                     (uint64_t)o->processes);
            fflush(stdout);
            _exit(rc);
        }
    }
    while (wait(&status) > 0)
        failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return failures;
}

int
main(int argc, char **argv)
{
    struct options o = {.first = 1, .seeds = 1000, .processes = 1};

    if (!read_options(&o, argc, argv))
        return usage();
    if (o.replays) {
        const bool good = world_run(o.replay, true);
        printf("%s\n", good ? "every invariant held" : world.violation);
        return good ? 0 : 1;
    }
    const int failures = run_all(&o);
    if (o.find) {
        puts(failures > 0 ? "found" : "the planted fault was not found");
        return failures > 0 ? 0 : 1;
    }
    if (failures == 0)
        printf("%llu histories, every invariant held\n", (unsigned long long)o.seeds);
    return failures > 0 ? 1 : 0;
}
