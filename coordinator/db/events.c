/* events.c - only writer of event. */
#include "coordinator/db/events.h"

int
events_add(struct pg *pg, int64_t job, int64_t attempt, const char *kind,
           const char *detail, struct err *err)
{
    return pg_query(
        pg, NULL,
        "INSERT INTO event (job, attempt, kind, detail)"
        " VALUES (nullif($1::bigint, 0), nullif($2::bigint, 0), $3, $4)",
        PG_ARGS(PG_INT(job), PG_INT(attempt), PG_TEXT(kind), PG_TEXT(detail)), err);
}

int
events_add_selection(struct pg *pg, const char *kind, const char *detail,
                     struct err *err)
{
    return pg_query(pg, NULL,
                    "INSERT INTO event (job, kind, detail)"
                    " SELECT s.id, $1, $2 FROM selection s JOIN job j ON j.id = s.id"
                    " WHERE j.state <> 'succeeded'",
                    PG_ARGS(PG_TEXT(kind), PG_TEXT(detail)), err);
}
