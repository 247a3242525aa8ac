#ifndef COORDINATOR_REPORT_HTML_H
#define COORDINATOR_REPORT_HTML_H

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* Parts of the page. Each appends one section, or nothing when there is nothing to say.
 * All text from outside is escaped. */

extern const char html_style[]; /* the style sheet */

void html_cells(struct buf *out, const json_t *report);
void html_failures(struct buf *out, const json_t *report);
void html_provenance(struct buf *out, const json_t *report);
void html_reproduce(struct buf *out, const json_t *report);

/* "<before>escaped text<after>" */
void html_text(struct buf *out, const char *before, const char *text,
               const char *after);

#endif
