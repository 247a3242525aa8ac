#ifndef SHARED_BASE_CRASH_H
#define SHARED_BASE_CRASH_H

#include <stdbool.h>

/*
 * Points at which a test can make a process die as by kill -9, so that what is on disk,
 * in the database and on the way there is exactly what that moment leaves behind. They
 * are in the programs that are shipped, for these are what has to survive; without the
 * variable each costs one branch.
 *
 *   RELUSWEEP_CRASH=NAME:K[:FILE]
 *
 * ends the process when it passes point NAME for the K-th time; with FILE only if that
 * file can be made, so that of all processes, one dies once. tests/system/45-crash.sh has
 * the list of the names.
 */

/* Reads the variable; at the beginning of main. What is not of that form is ignored. */
void crash_arm(void);

extern bool crash_armed;
void crash_pass(const char *name);

static inline void
crash_point(const char *name)
{
    if (crash_armed)
        crash_pass(name);
}

#endif
