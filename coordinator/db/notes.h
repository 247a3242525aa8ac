#ifndef COORDINATOR_DB_NOTES_H
#define COORDINATOR_DB_NOTES_H

#include <stdbool.h>

#include "coordinator/db/jobs.h"

/*
 * What NOTIFY tells the coordinator. Most notes are empty: look at table news, which is
 * the truth. One may also name the few new jobs that are ready, all that its transaction
 * has to tell; they can be leased without a look, for a lease asks the database anyway,
 * and news may be read later.
 */

/* Initialise with {0}; free(ready.items). */
struct notes {
    struct job_ready_list ready;
    bool look; /* there were others */
};

/* Forgets them. */
void notes_clear(struct notes *n);

/* Appends what has arrived. */
MUST_CHECK int notes_take(struct pg *pg, struct notes *n, struct err *err);

/* Adds what one note says. */
void notes_read(struct notes *n, const char *text);

/* The text for new jobs, an aggregate of SQL over rows `j` of job; of more than so many it
 * names none. */
#define NOTES_MOST "64"
#define NOTES_TEXT                                            \
    "CASE WHEN count(*) <= " NOTES_MOST                       \
    " THEN 'ready' || coalesce(string_agg(' ' || j.id || ':'" \
    " || " JOB_RANK " || ':' || j.class, ''), '') ELSE '' END"

/* At the end of a transaction that has made jobs first..last and changed no rules: names
 * those that are ready if there is nothing else to tell. */
MUST_CHECK int notes_tell_new(struct pg *pg, int64_t first, int64_t last,
                              struct err *err);

#endif
