#ifndef COORDINATOR_CLI_TABLE_H
#define COORDINATOR_CLI_TABLE_H

#include <stdint.h>

#include "coordinator/cli/cmd.h"
#include "shared/base/buf.h"

/*
 * Tables for a terminal: aligned columns, numbers to the right, the widest text column
 * cut with "..." where the line would be longer than the terminal, columns without any
 * text left out. Cells are cleaned (text.h), so nothing from a peer reaches the terminal
 * raw.
 */
struct table;

/* Headings are separated by '|'; '>' before one is for numbers: to the right, and never
 * cut; '~' before that lets the column go where the terminal is too narrow: "JOB|STAGE|~>EPOCH|ERROR" */
struct table *table_new(const char *headings);

/* Adds a cell, row by row. NULL is an empty cell. */
void table_add(struct table *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends lines of at most `columns` columns (0: as long as they are), heading bold with
 * `colour`, and frees the table. */
void table_put(struct buf *out, struct table *t, size_t columns, bool colour);

/* The same on stdout, as the context wants it. */
void table_print(struct table *t, const struct cmd_ctx *ctx);

#endif
