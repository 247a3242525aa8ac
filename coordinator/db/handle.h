#ifndef COORDINATOR_DB_HANDLE_H
#define COORDINATOR_DB_HANDLE_H

#include "coordinator/db/pg.h"

/* What `struct db` of db.h is inside this folder. */
struct db {
    struct pg *pg;
};

/* NOTIFY relusweep: something for the coordinator to look at. */
MUST_CHECK int db_wake(struct db *db, struct err *err);

/* BEGIN and the lock that lets one person's command edit the queue at a time. */
MUST_CHECK int db_begin_edit(struct db *db, struct err *err);

#endif
