#ifndef COORDINATOR_WEB_CHOICE_H
#define COORDINATOR_WEB_CHOICE_H

#include "coordinator/db/webreads.h"
#include "coordinator/web/moment.h"

/* Numbers of the jobs that a filter chooses, ascending, behind `after`, at most `limit`;
 * caller frees *ids. As db_web_ids, from memory where the filter names a sweep or no
 * parameters, and neither jobs nor a cause. ERR_USAGE for a sweep or state that is not there. */
MUST_CHECK int choice_jobs(const struct moment *at, const struct db_web_filter *f,
                           int64_t after, size_t limit, int64_t **ids, size_t *n,
                           struct err *err);

#endif
