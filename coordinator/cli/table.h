#ifndef COORDINATOR_CLI_TABLE_H
#define COORDINATOR_CLI_TABLE_H

#include <stdint.h>

#include "coordinator/cli/cmd.h"

/*
 * Tables for a terminal: aligned columns, numbers to the right, the widest text column
 * cut with "..." where the line would be longer than the terminal, columns without any
 * text left out. Control characters
 * of data are shown as "?", so nothing from a peer reaches the terminal raw.
 */
struct table;

/* Headings are separated by '|'; one that starts with '>' is aligned to the right.
 * "JOB|STAGE|>EPOCH|ERROR" */
struct table *table_new(const char *headings);

/* Adds a cell, row by row. NULL is an empty cell. */
void table_add(struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints on stdout, heading bold where the context has colour, and frees. */
void table_print(struct table *t, const struct cmd_ctx *ctx);

/* "1 h 05 min", "3 min 20 s", "12 s", "?" when negative. A static buffer of four. */
const char *table_duration(double seconds);

/* Copy with control characters replaced by '?'; UTF-8 is kept. Caller frees. */
char *table_clean(const char *text);

#endif
