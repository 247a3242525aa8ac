#ifndef COORDINATOR_DB_PG_IMPL_H
#define COORDINATOR_DB_PG_IMPL_H

#include <libpq-fe.h>

#include "coordinator/db/pg.h"

/* What pg.c, pgrows.c and pgcopy.c share. */

enum { PG_MAX_PLANNED = 64, PG_MAX_SENT = 32 };

/* What comes back for something that was sent. */
enum pg_expected { PG_EXPECT_DONE, PG_EXPECT_PLAN, PG_EXPECT_ROWS, PG_EXPECT_COMMIT };

struct pg {
    PGconn *conn;
    char sqlstate[6];                    /* of the last error */
    const char *planned[PG_MAX_PLANNED]; /* statements that the server has by number */
    int n_planned, n_planning;           /* so many; with those on their way */
    bool begin_due;                      /* BEGIN leaves with the next statement */
    bool commit_due;                     /* COMMIT leaves with the next pg_take */
    enum pg_expected sent[PG_MAX_SENT];  /* on their way, of which n_taken came back */
    int n_sent, n_taken;
};

/* Says what went wrong with a result, which may be NULL: -1. */
int pg_failed(struct pg *pg, const PGresult *result, struct err *err);

/* Takes the result: *out, or an error. */
MUST_CHECK int pg_check(struct pg *pg, PGresult **out, PGresult *result,
                        struct err *err);

/* For what cannot take BEGIN with it. */
MUST_CHECK int pg_begin_now(struct pg *pg, struct err *err);

#endif
