#ifndef TESTS_SUPPORT_PG_FIXTURE_H
#define TESTS_SUPPORT_PG_FIXTURE_H

/*
 * A PostgreSQL cluster of a test program's own, in a folder under /tmp, reached by a unix
 * socket. Started at the first use, stopped and removed when the program ends. As root it
 * runs as the user postgres. Without fsync: a test is not a power cut.
 */

/* A new empty database; returns its libpq connection string, caller frees. Ends the
 * program with a message when there is no PostgreSQL. */
char *pg_fixture_database(const char *name);

/* Stops the server as a crash would, and starts it again. */
void pg_fixture_crash(void);
void pg_fixture_start(void);

/* A folder for the sockets of other programs of the test; borrowed. */
const char *pg_fixture_dir(void);

#endif
