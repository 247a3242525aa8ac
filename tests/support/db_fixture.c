/* db_fixture.c - databases with relusweep's schema, each test its own. */
#include "tests/support/db_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/db/handle.h"
#include "shared/base/mem.h"
#include "tests/support/pg_fixture.h"

struct db *
db_fixture_new(const char *name, char **conninfo)
{
    static int number;
    char *numbered = xasprintf("%s%d", name, ++number);
    char *own = pg_fixture_database(numbered);
    struct err err = {0};
    struct db *db = NULL;

    if (db_open(&db, own, &err) != 0 || db_migrate(db, &err) != 0)
        fail_msg("%s", err.text);
    if (conninfo != NULL)
        *conninfo = own;
    else
        free(own);
    free(numbered);
    return db;
}

void
db_fixture_script(struct db *db, const char *sql)
{
    struct err err = {0};

    if (pg_script(db->pg, sql, &err) != 0)
        fail_msg("%s", err.text);
}

int64_t
db_fixture_number(struct db *db, const char *sql)
{
    struct err err = {0};
    int64_t n;

    if (pg_number(db->pg, &n, NULL, sql, PG_NONE, &err) != 0)
        fail_msg("%s", err.text);
    return n;
}
