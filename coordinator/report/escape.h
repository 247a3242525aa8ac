#ifndef COORDINATOR_REPORT_ESCAPE_H
#define COORDINATOR_REPORT_ESCAPE_H

#include "shared/base/buf.h"

/* Text from sweep files, workers and errors on its way into a format that gives some
 * characters a meaning. Input is UTF-8. All functions append to `out`. */

/* Element text and quoted attributes of HTML and SVG. Characters that XML does not
 * know, and those that reorder or hide text, become U+FFFD. */
void escape_markup(struct buf *out, const char *s);

/* Text of LaTeX with UTF-8 input; one line, so that it can follow a % too. */
void escape_latex(struct buf *out, const char *s);

/* One field of RFC 4180, quoted where it has to be. */
void escape_csv(struct buf *out, const char *s);

/* A terminal: control characters become "?", so no text can move the cursor. */
void escape_terminal(struct buf *out, const char *s);

/* One argument of a POSIX shell. */
void escape_shell(struct buf *out, const char *s);

#endif
