#ifndef COORDINATOR_LAUNCH_PRIVATE_PG_H
#define COORDINATOR_LAUNCH_PRIVATE_PG_H

#include <stdbool.h>

#include "shared/base/err.h"

/*
 * The private PostgreSQL cluster of `relusweep run`: in <state>/pg, reached by a unix
 * socket in a folder that only we can enter, no password, no port. As root the server
 * runs as the unprivileged user postgres, because PostgreSQL refuses to run as root.
 *
 * Several commands may use it at once: each holds a shared lock, and the last one to
 * leave stops the server. A command that was killed leaves the server running; the next
 * one finds it and goes on.
 */
struct private_pg;

/* Makes (with `create`) and starts the cluster of this state folder if needed. ERR_DB
 * saying what to run when it is not there and `create` is false. */
MUST_CHECK int private_pg_open(struct private_pg **out, const char *state_dir,
                               bool create, struct err *err);

/* After the server went away: starts it again unless it came back by itself. ERR_DB
 * while it cannot run; may be tried again. */
MUST_CHECK int private_pg_revive(struct private_pg *pg, struct err *err);

/* libpq connection string; borrowed. */
const char *private_pg_conninfo(const struct private_pg *pg);

/* Leaves; stops the server when nobody else uses it. Accepts NULL. */
void private_pg_close(struct private_pg *pg);

/* Newest folder that holds initdb and postgres, version >= 15; caller frees. */
MUST_CHECK int private_pg_bindir(char **out, struct err *err);

#endif
