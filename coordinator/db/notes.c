/*
 * notes.c - notes as text: `ready`, then id:rank:class of each job. What is not of that
 * form says `look`. Must not know what is done with them.
 */
#include "coordinator/db/notes.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

void
notes_clear(struct notes *n)
{
    n->ready.n = 0;
    n->look = false;
}

/* " id:rank:class" at *at, which moves behind it. */
static bool
read_job(const char **at, struct job_ready *out)
{
    int64_t v[3];
    char *end = (char *)*at;

    for (int i = 0; i < 3; i++) {
        const char *from = end + 1;
        if (*end != (i == 0 ? ' ' : ':'))
            return false;
        v[i] = strtoll(from, &end, 10);
        if (end == from)
            return false;
    }
    if (v[0] <= 0)
        return false;
    *at = end;
    *out = (struct job_ready){.id = v[0], .rank = v[1], .class = v[2]};
    return true;
}

void
notes_read(struct notes *n, const char *text)
{
    static const char word[] = "ready";
    struct job_ready job;
    const char *at = text + sizeof word - 1;

    if (strncmp(text, word, sizeof word - 1) != 0) {
        n->look = true;
        return;
    }
    while (*at != '\0' && read_job(&at, &job)) {
        n->ready.items = xgrow(n->ready.items, &n->ready.capacity, n->ready.n + 1,
                               sizeof *n->ready.items);
        n->ready.items[n->ready.n++] = job;
    }
    n->look = n->look || *at != '\0';
}

int
notes_take(struct pg *pg, struct notes *n, struct err *err)
{
    char *text;
    int rc;

    while ((rc = pg_next_note(pg, &text, err)) == 0 && text != NULL) {
        notes_read(n, text);
        free(text);
    }
    return rc;
}

int
notes_tell_new(struct pg *pg, int64_t first, int64_t last, struct err *err)
{
    return pg_query(
        pg, NULL,
        "SELECT pg_notify('relusweep', CASE WHEN 1 = (SELECT count(*) FROM news"
        "  WHERE xmin = pg_current_xact_id()::xid) AND NOT EXISTS (SELECT FROM job_twin"
        "  WHERE again BETWEEN $1 AND $2) THEN (SELECT " NOTES_TEXT
        "  FROM (SELECT * FROM job WHERE id BETWEEN $1 AND $2 AND state = 'ready'"
        "   LIMIT " NOTES_MOST " + 1) j) ELSE '' END)",
        PG_ARGS(PG_INT(first), PG_INT(last)), err);
}
