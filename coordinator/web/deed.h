#ifndef COORDINATOR_WEB_DEED_H
#define COORDINATOR_WEB_DEED_H

#include "coordinator/db/db.h"
#include "coordinator/web/request.h"

/* What people can do to jobs from the page: what the command line has a verb for. */
struct deed {
    const char *name;   /* in addresses and forms */
    const char *label;  /* on buttons */
    const char *effect; /* "<n> of them ...", to the end of the sentence */
    bool is_dangerous;
    const char *states[6]; /* of the jobs that it changes, NULL at the end */
    /* Appends what else the form must ask; NULL: nothing. states: counts of the jobs
     * that match. */
    void (*ask)(struct buf *out, const json_t *states);
    /* Does it, as the verb does; ERR_USAGE when its fields cannot be read. */
    int (*apply)(struct db *db, const struct db_selection *sel, const struct request *r,
                 int64_t *count, struct err *err);
};

extern const struct deed deeds[]; /* the last has no name */

/* ERR_USAGE when there is none of this name. */
MUST_CHECK int deed_find(const struct deed **out, const char *name, struct err *err);

/* A link to the question for each of them; query: which jobs, "&amp;sweep=3". */
void deed_links(struct buf *out, const char *query);

/* How many of these jobs it changes; states: {"failed": n, ...} */
int64_t deed_count(const struct deed *d, const json_t *states);

#endif
