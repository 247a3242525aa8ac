#ifndef COORDINATOR_WEB_MARKUP_H
#define COORDINATOR_WEB_MARKUP_H

#include "coordinator/report/html.h"
#include "shared/base/buf.h"
#include "shared/base/json.h"

/*
 * Pieces that several pages are made of. All text from outside goes through html_text of
 * the report, which escapes it; nothing here writes an attribute that a strict content
 * policy refuses. All append to `out`.
 */

/* "<a href="/jobs/12">text</a>" */
void mark_link(struct buf *out, const char *path, int64_t id, const char *text);

/* A state as a word with a sign of its own, so that colour is not needed. */
void mark_state(struct buf *out, const char *state);

/* The word that people read: "running" for leased, "waiting" for blocked. */
const char *mark_state_word(const char *state);

/* Counts by state as one bar and as words: "1,204 succeeded · 41 running". */
void mark_bar(struct buf *out, const json_t *counts);
void mark_counts(struct buf *out, const json_t *counts);
int64_t mark_total(const json_t *counts);

/* A moment as PostgreSQL's JSON has it, to the minute, as <time>; "–" where it is null. */
void mark_time(struct buf *out, const char *iso);

/* "3.2 h", "–" below 0. */
void mark_seconds(struct buf *out, double seconds);

/* "relu_budget 50k, seed 0": parameters in the order of their names. `but`: only those
 * that differ from these (NULL: all). */
void mark_params(struct buf *out, const json_t *params, const json_t *but);

/* One parameter's value. */
void mark_value(struct buf *out, const json_t *value);

/* Beginning and end of a part that is replaced when something changes. topic: what it is
 * about. */
void mark_part(struct buf *out, const char *name, const char *heading);
void mark_part_end(struct buf *out);

/* A cell of a table: <th> or <td>, right-aligned for numbers. */
void mark_number(struct buf *out, int64_t value);

/* "123.4 MB" */
void mark_bytes(struct buf *out, double bytes);

#endif
