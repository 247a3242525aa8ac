#ifndef COORDINATOR_REPORT_SHEET_H
#define COORDINATOR_REPORT_SHEET_H

#include <stdbool.h>

#include "shared/base/buf.h"
#include "shared/base/json.h"

/*
 * A table of text in the report document, which every writer can put down:
 *
 *   {"name": "rlnet-table1" (of its files), "section": of the page, "title", "note",
 *    "columns": [{"heading", "left": bool}], "rows": [["text", ...], ...]}
 *
 * Makers add whole sheets to report["sheets"]; one without rows is not added.
 */

/* New reference; `note` may be NULL. */
json_t *sheet_new(const char *name, const char *section, const char *title,
                  const char *note);

/* left: words, aligned left; otherwise a number. */
void sheet_column(json_t *sheet, const char *heading, bool left);

/* A new row, to be filled with sheet_text and sheet_take. Borrowed. */
json_t *sheet_row(json_t *sheet);
void sheet_text(json_t *row, const char *text);

/* The text of `b`, which is released. */
void sheet_take(json_t *row, struct buf *b);

/* Takes the sheet. */
void sheet_add(json_t *report, json_t *sheet);

/* "<name>" made of words that may have any characters: "ablation-loss-cifar10". Appends
 * to `out`, with a '-' between words; empty words are left out. */
void sheet_name(struct buf *out, const char *word);

size_t sheet_n_columns(const json_t *sheet);
bool sheet_is_left(const json_t *sheet, size_t column);
const char *sheet_heading(const json_t *sheet, size_t column);

#endif
