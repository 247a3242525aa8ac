#ifndef COORDINATOR_DB_MIGRATE_H
#define COORDINATOR_DB_MIGRATE_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/pg.h"

/* One file of schema/, in order; made at build (cmake/embed_sql.cmake). */
struct migration {
    int64_t version;
    const char *name; /* "001_init.sql" */
    const char *sql;
};
extern const struct migration migrations[];
extern const size_t n_migrations;

/* Version of the schema in this database, 0 if there is none. ERR_REFUSED naming both
 * versions when it is newer than `supported`. */
MUST_CHECK int migrate_version(struct pg *pg, int64_t supported, int64_t *version,
                               struct err *err);

/* 0 when the schema is of version `needed`: for programs that do not migrate. Else
 * ERR_REFUSED naming both versions, or ERR_DB where there is none, saying what to run. */
MUST_CHECK int migrate_check(struct pg *pg, int64_t needed, struct err *err);

/* Applies what is missing, all in one transaction under an advisory lock, so that
 * several programs may start at once. */
MUST_CHECK int migrate_apply(struct pg *pg, struct err *err);

#endif
