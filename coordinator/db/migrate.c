/*
 * migrate.c - brings the schema to this program's version. Only writer of
 * schema_version. Files are append-only: a file that has been applied never changes.
 */
#include "coordinator/db/migrate.h"

#include "coordinator/db/db.h"
#include "coordinator/db/locks.h"
#include "shared/base/log.h"
#include "shared/base/proc.h"

static const char *const version_table =
    "CREATE TABLE IF NOT EXISTS schema_version ("
    " version integer PRIMARY KEY, name text NOT NULL, program text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON TABLE schema_version IS 'Files of schema/ that were applied';"
    "COMMENT ON COLUMN schema_version.version IS 'Number of the file';"
    "COMMENT ON COLUMN schema_version.name IS 'Its name';"
    "COMMENT ON COLUMN schema_version.program IS 'Version of relusweep that did it';"
    "COMMENT ON COLUMN schema_version.applied_at IS 'When'";

int
migrate_version(struct pg *pg, int64_t supported, int64_t *version, struct err *err)
{
    bool there;
    int64_t n;

    *version = 0;
    if (pg_number(pg, &n, &there, "SELECT to_regclass('schema_version')::oid::bigint",
                  PG_NONE, err)
        != 0)
        return -1;
    if (!there)
        return 0;
    if (pg_number(pg, version, NULL, "SELECT max(version) FROM schema_version", PG_NONE,
                  err)
        != 0)
        return -1;
    if (*version > supported)
        return err_set(err, ERR_REFUSED,
                       "the database has schema version %lld, this program (%s) knows "
                       "%lld; use a newer relusweep, or another database",
                       (long long)*version, RELUSWEEP_VERSION, (long long)supported);
    return 0;
}

int
migrate_check(struct pg *pg, int64_t needed, struct err *err)
{
    int64_t version;

    if (migrate_version(pg, needed, &version, err) != 0)
        return -1;
    if (version == needed)
        return 0;
    if (version == 0)
        return err_set(err, ERR_DB,
                       "the database has no relusweep schema; run `relusweep db "
                       "migrate`, or give another one");
    return err_set(
        err, ERR_REFUSED,
        "the database has schema version %lld, this program (%s) needs %lld; "
        "run `relusweep db migrate` when the coordinator has ended (older "
        "programs cannot use it then)",
        (long long)version, RELUSWEEP_VERSION, (long long)needed);
}

static int
apply(struct pg *pg, const struct migration *m, struct err *err)
{
    log_info("db", "schema=%s action=apply", m->name);
    if (pg_script(pg, m->sql, err) != 0)
        return err_wrap(err, "schema/%s", m->name);
    return pg_query(
        pg, NULL,
        "INSERT INTO schema_version (version, name, program) VALUES ($1, $2, $3)",
        PG_ARGS(PG_INT(m->version), PG_TEXT(m->name), PG_TEXT(RELUSWEEP_VERSION)), err);
}

static int
apply_missing(struct pg *pg, struct err *err)
{
    int64_t version;

    if (pg_query(pg, NULL, "SELECT pg_advisory_xact_lock($1::int, $2::int)",
                 PG_ARGS(PG_INT(LOCK_SPACE), PG_INT(LOCK_MIGRATE)), err)
            != 0
        || migrate_version(pg, DB_SCHEMA_VERSION, &version, err) != 0
        || pg_script(pg, version_table, err) != 0)
        return -1;
    for (size_t i = 0; i < n_migrations; i++)
        if (migrations[i].version > version && apply(pg, &migrations[i], err) != 0)
            return -1;
    return pg_commit(pg, err);
}

int
migrate_apply(struct pg *pg, struct err *err)
{
    int64_t version;

    if (migrate_version(pg, DB_SCHEMA_VERSION, &version, err) != 0)
        return -1;
    if (version == DB_SCHEMA_VERSION)
        return 0;
    if (pg_begin(pg, err) != 0 || apply_missing(pg, err) != 0) {
        pg_rollback(pg);
        return -1;
    }
    return 0;
}
