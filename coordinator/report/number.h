#ifndef COORDINATOR_REPORT_NUMBER_H
#define COORDINATOR_REPORT_NUMBER_H

#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* The one place that turns numbers into text, so that a value reads the same in the
 * page, the plots, the terminal and the tables. All functions append to `out`. */

/* "12,345" */
void number_count(struct buf *out, int64_t v);

/* For axes: three significant digits and a suffix: "500", "5k", "12.3k", "1.39M". */
void number_short(struct buf *out, double v);

/* A metric's value: two decimals for "%", a whole count for "ReLUs" and "MACs", as
 * number_short for "B", four significant digits otherwise. NaN gives an en dash. */
void number_metric(struct buf *out, double v, const char *unit);

/* The same with its sign, for differences: "+0.39". */
void number_signed(struct buf *out, double v, const char *unit);

/* The shortest text that reads back to the same double, for CSV. NaN gives nothing. */
void number_exact(struct buf *out, double v);

/* A parameter's value as a person writes it: "50000" -> "50k", 4.0 -> "4". */
void number_param(struct buf *out, const json_t *value);

/* "3.2 h", "12 min", "8 s" */
void number_seconds(struct buf *out, double seconds);

#endif
