#ifndef TESTS_SUPPORT_DB_FIXTURE_H
#define TESTS_SUPPORT_DB_FIXTURE_H

#include "coordinator/db/db.h"

/* A connection to a new database of this name and a number, with the schema; the caller
 * closes it. *conninfo (unless NULL) is for more connections; the caller frees it.
 * Failures end the test. A program that uses it names test_support before
 * coordinator_db when it is linked. */
struct db *db_fixture_new(const char *name, char **conninfo);

/* Runs statements, or one that returns a number, on the database. */
void db_fixture_script(struct db *db, const char *sql);
int64_t db_fixture_number(struct db *db, const char *sql);

#endif
