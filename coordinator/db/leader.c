/* leader.c - only writer of leader. */
#include "coordinator/db/leader.h"

#include <stdio.h>

#include "coordinator/db/events.h"
#include "coordinator/db/locks.h"

static int
read_holder(struct pg *pg, char *holder, size_t size, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows, "SELECT holder FROM leader", PG_NONE, err) != 0)
        return -1;
    snprintf(holder, size, "%s", rows.n > 0 ? pg_text_at(&rows, 0, 0) : "");
    pg_rows_release(&rows);
    return 0;
}

int
leader_try(struct pg *pg, const char *me, int64_t *epoch, char *holder, size_t size,
           struct err *err)
{
    int64_t got;

    *epoch = 0;
    if (pg_number(pg, &got, NULL, "SELECT pg_try_advisory_lock($1::int, $2::int)::int",
                  PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_LEADER)), err)
        != 0)
        return -1;
    if (got == 0)
        return read_holder(pg, holder, size, err);
    if (pg_number(pg, epoch, NULL,
                  "UPDATE leader SET epoch = epoch + 1, holder = $1, since = now()"
                  " RETURNING epoch",
                  PG_ARGS(PG_TEXT(me)), err)
        != 0)
        return -1;
    return events_add(pg, 0, 0, "leader", me, err);
}

int
leader_check(struct pg *pg, int64_t epoch, struct err *err)
{
    int64_t one;
    bool found;

    if (pg_number(pg, &one, &found, "SELECT 1 FROM leader WHERE epoch = $1 FOR SHARE",
                  PG_ARGS(PG_INT(epoch)), err)
        != 0)
        return -1;
    if (!found)
        return err_set(err, ERR_REFUSED, "another coordinator has taken over");
    return 0;
}

/* The kernel asks an idle connection every second, and the one answer that is missing when
 * the user timeout is over is enough: no process has to be scheduled for it. A packet that
 * is lost at that moment costs the leader a new connection and nothing else, for whoever
 * leads next, most likely itself, adopts what runs. */
int
leader_watch(struct pg *pg, struct err *err)
{
    return pg_script(pg,
                     "SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1;"
                     " SET tcp_keepalives_count = 2; SET tcp_user_timeout = 1900",
                     err);
}
