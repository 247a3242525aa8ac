#ifndef COORDINATOR_DB_LEADER_H
#define COORDINATOR_DB_LEADER_H

#include <stdbool.h>

#include "coordinator/db/pg.h"

/*
 * One coordinator may write. The writer commits through the very session that holds the
 * advisory lock, so a session that is lost aborts its own transaction; every other
 * connection checks the epoch in its transactions.
 */

/* Tries to take the lead. *epoch: 0 when another coordinator has it, and then holder
 * (size bytes) names it. */
MUST_CHECK int leader_try(struct pg *pg, const char *me, int64_t *epoch, char *holder,
                          size_t size, struct err *err);

/* First step of a transaction on another connection. ERR_REFUSED when deposed. A new
 * leader waits until the transaction has ended. */
MUST_CHECK int leader_check(struct pg *pg, int64_t epoch, struct err *err);

/* Has the server end this session 2 s after our machine is gone, so that the lock is free
 * for the next one; by default that takes two hours. */
MUST_CHECK int leader_watch(struct pg *pg, struct err *err);

#endif
