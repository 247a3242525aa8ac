/* log.c - levels and one-line events; the only writer of log lines. */
#include "shared/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static int threshold = -1; /* not yet read */

static int
current_threshold(void)
{
    if (threshold < 0) {
        const char *name = getenv("RELUSWEEP_LOG");
        threshold = LOG_INFO;
        for (int i = 0; name != NULL && i < 4; i++)
            if (strcmp(name, level_names[i]) == 0)
                threshold = i;
    }
    return threshold;
}

void
log_line(enum log_level level, const char *module, const char *fmt, ...)
{
    char text[2048], line[2300], stamp[32];
    const time_t now = time(NULL);
    struct tm utc;
    va_list ap;

    if ((int)level < current_threshold())
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    gmtime_r(&now, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    snprintf(line, sizeof line, "%s %s %s %s\n", stamp, level_names[level], module,
             text);
    fputs(line, stderr);
}
