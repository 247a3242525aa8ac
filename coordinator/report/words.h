#ifndef COORDINATOR_REPORT_WORDS_H
#define COORDINATOR_REPORT_WORDS_H

#include "shared/base/json.h"

/* Sentences made from the numbers of a report document that has its groups, fronts,
 * failures and counts already. */

/* One paragraph: what finished, the best of each metric, the front. New string. */
json_t *words_summary(const json_t *report);

/* What a reader has to know before trusting the numbers: selection on the test set,
 * scale, incomplete settings, metrics that nothing reported. New array of strings. */
json_t *words_notes(const json_t *report, const json_t *cells);

#endif
