/*
 * crash.c - dying on request. Between fork and exec too, so crash_pass makes only calls
 * that are safe there.
 */
#include "shared/base/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool crash_armed;
static char wanted[64], once[1024];
static long left; /* passes until the end */

void
crash_arm(void)
{
    const char *text = getenv("RELUSWEEP_CRASH");
    const char *colon = text != NULL ? strchr(text, ':') : NULL;
    char *end;

    if (colon == NULL)
        return;
    snprintf(wanted, sizeof wanted, "%.*s", (int)(colon - text), text);
    left = strtol(colon + 1, &end, 10);
    snprintf(once, sizeof once, "%s", *end == ':' ? end + 1 : "");
    crash_armed = left >= 1;
}

void
crash_pass(const char *name)
{
    if (strcmp(name, wanted) != 0 || --left > 0)
        return;
    crash_armed = false;
    if (once[0] != '\0') {
        const int fd = open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
            return;
        close(fd);
    }
    (void)kill(getpid(), SIGKILL);
}
