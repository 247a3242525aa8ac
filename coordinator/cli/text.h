#ifndef COORDINATOR_CLI_TEXT_H
#define COORDINATOR_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/buf.h"

/*
 * UTF-8 text for a terminal: what may be shown, how many columns it takes (two for a
 * Chinese character, none for an accent that is put onto a letter), and cutting to a
 * width. Bars and curves are drawn in characters, plain ones where the terminal's
 * locale is not UTF-8.
 */

/* Copy in which line breaks and tabs are blanks, and control characters, marks that turn
 * the direction of writing and what is no UTF-8 are "?". Caller frees. */
char *text_clean(const char *text);

/* Columns of a clean text. */
size_t text_width(const char *text);

/* Appends a clean text, cut to `columns` with "..." at its end. Returns the columns that
 * it took. */
size_t text_put(struct buf *out, const char *text, size_t columns);

/* Does the locale of the environment say UTF-8? */
bool text_utf8(void);

/* How many of the bar's things are done, run, wait and have failed; all >= 0. */
struct text_bar {
    double done, running, waiting, failed;
};

/* One part of a bar: `n` columns of its mark, "" for a part without any. `of`: 0 done, 1
 * running, 2 failed, 3 waiting, in the order of drawing. Parts of at least one thing have
 * at least one column while there is room; the four together have `columns`. */
void text_bar_widths(size_t widths[4], const struct text_bar *bar, size_t columns);
void text_bar_part(struct buf *out, int of, size_t columns, bool utf8);

/* A curve of n >= 1 values in at most `columns` columns, lowest to highest value; where
 * there are more values, each column has the mean of its share. */
void text_curve(struct buf *out, const double *values, size_t n, size_t columns,
                bool utf8);

/* "1 h 05 min", "3 min 20 s", "12 s", "?" when negative. A static buffer of four. */
const char *text_duration(double seconds);

#endif
