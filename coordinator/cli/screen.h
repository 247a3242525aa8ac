#ifndef COORDINATOR_CLI_SCREEN_H
#define COORDINATOR_CLI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The whole terminal (stdin and stdout) as a canvas of lines: the alternate screen, so
 * that what was there before comes back, without cursor and echo. Ctrl-Z gives the
 * terminal back until `fg`. One at a time, for its signals.
 */
struct screen;

/* NULL: stdin and stdout are no terminal, or one that cannot move its cursor. */
struct screen *screen_open(void);

/* Columns and rows as they are now. */
void screen_size(const struct screen *s, int *columns, int *rows);

/* Lines separated by '\n', none wider than the screen. Only those that differ from the
 * last drawing are written. */
void screen_draw(struct screen *s, const char *lines);

/* Waits for a key (returned), another size or the end of the time (0); -1: the terminal
 * is gone. */
int screen_wait(struct screen *s, int64_t ms);

/* The terminal as it was. Accepts NULL. */
void screen_close(struct screen *s);

#endif
