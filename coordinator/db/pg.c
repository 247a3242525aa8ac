/*
 * pg.c - a connection, its statements and transactions: libpq behind a few functions.
 * Turns what the server says into one error line that tells what, where and what to do.
 * Knows no table. What statements answer is read in pgrows.c, rows in bulk pass through
 * pgcopy.c.
 */
#include "coordinator/db/pg.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/pg_impl.h"
#include "coordinator/db/pgargs.h"
#include "shared/base/mem.h"

enum { NAME_SIZE = 16 };

/* libpq ends its messages with newlines, and has several lines for several hosts. */
static char *
one_line(const char *text)
{
    char *line = xstrdup(text);
    size_t n = strlen(line);

    while (n > 0 && line[n - 1] == '\n')
        line[--n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (line[i] == '\n' || line[i] == '\t')
            line[i] = ' ';
    return line;
}

static int
connect_failed(PGconn *conn, struct err *err)
{
    char *why = one_line(PQerrorMessage(conn));

    err_set(err, ERR_DB,
            "cannot reach the database: %s; check that the server runs and that "
            "--database or PGHOST, PGDATABASE, PGUSER name it",
            why);
    free(why);
    return -1;
}

/* What the caller gave, with our own defaults around it. */
static PGconn *
connect_with_defaults(const char *conninfo, const char *program)
{
    static const char *const keys[] = {"dbname",
                                       "fallback_application_name",
                                       "connect_timeout",
                                       "keepalives_idle",
                                       "keepalives_interval",
                                       "keepalives_count",
                                       "tcp_user_timeout",
                                       "client_encoding",
                                       "options",
                                       NULL};
    const char *const values[] = {
        conninfo,
        program,
        "5",
        "2",
        "1",
        "3",
        "4000",
        "UTF8",
        "-c client_min_messages=warning -c datestyle=iso -c timezone=UTC",
        NULL};

    return PQconnectdbParams(keys, values, 1);
}

int
pg_open(struct pg **out, const char *conninfo, const char *program, struct err *err)
{
    PGconn *conn = connect_with_defaults(conninfo ? conninfo : "", program);

    *out = NULL;
    if (PQstatus(conn) != CONNECTION_OK) {
        connect_failed(conn, err);
        PQfinish(conn);
        return -1;
    }
    *out = xcalloc(1, sizeof **out);
    (*out)->conn = conn;
    return 0;
}

void
pg_close(struct pg *pg)
{
    if (pg == NULL)
        return;
    PQfinish(pg->conn);
    free(pg);
}

bool
pg_alive(const struct pg *pg)
{
    return PQstatus(pg->conn) == CONNECTION_OK;
}

int
pg_fd(const struct pg *pg)
{
    return PQsocket(pg->conn);
}

int
pg_next_note(struct pg *pg, char **text, struct err *err)
{
    *text = NULL;
    if (PQconsumeInput(pg->conn) == 0) {
        char *why = one_line(PQerrorMessage(pg->conn));
        err_set(err, ERR_DB, "the database went away: %s", why);
        free(why);
        return -1;
    }
    PGnotify *note = PQnotifies(pg->conn);
    if (note != NULL)
        *text = xstrdup(note->extra);
    PQfreemem(note);
    return 0;
}

int
pg_failed(struct pg *pg, const PGresult *result, struct err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char *why = one_line(message ? message : PQerrorMessage(pg->conn));

    snprintf(pg->sqlstate, sizeof pg->sqlstate, "%s", state ? state : "");
    if (!pg_alive(pg) || state == NULL) /* the server's own errors have a state */
        err_set(err, ERR_DB, "the database went away: %s", why);
    else if (strcmp(pg->sqlstate, "42P01") == 0 || strcmp(pg->sqlstate, "42703") == 0)
        err_set(err, ERR_DB,
                "the database has no relusweep schema of this version (%s); run "
                "`relusweep db migrate`",
                why);
    else if (strcmp(pg->sqlstate, "53100") == 0)
        err_set(err, ERR_DB,
                "the disk of the database is full: %s; make room, nothing "
                "committed is lost",
                why);
    else
        err_set(err, ERR_DB, "database: %s (SQLSTATE %s)", why, pg->sqlstate);
    free(why);
    return -1;
}

int
pg_check(struct pg *pg, PGresult **out, PGresult *result, struct err *err)
{
    const ExecStatusType status = PQresultStatus(result);

    *out = result;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    pg_failed(pg, result, err);
    PQclear(result);
    *out = NULL;
    return -1;
}

/* ---- statements --------------------------------------------------------------------- */

/* Something left for the server, whose answer pg_take finds. */
static void
expect(struct pg *pg, enum pg_expected what)
{
    assert(pg->n_sent < PG_MAX_SENT);
    pg->sent[pg->n_sent++] = what;
}

/* Opens the way on which statements travel together; the first one may be BEGIN. */
static bool
enter(struct pg *pg)
{
    if (pg->n_sent > 0)
        return true;
    if (PQenterPipelineMode(pg->conn) != 1)
        return false;
    if (!pg->begin_due)
        return true;
    pg->begin_due = false;
    expect(pg, PG_EXPECT_DONE);
    return PQsendQueryParams(pg->conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) == 1;
}

/* Ends it, whatever is left to read. Between two answers libpq says NULL once. */
static void
leave(struct pg *pg)
{
    for (int nulls = 0; nulls < 2;) {
        PGresult *result = PQgetResult(pg->conn);
        const bool end = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        nulls = result != NULL ? 0 : nulls + 1;
        PQclear(result);
        if (end)
            break;
    }
    (void)PQexitPipelineMode(pg->conn);
    pg->commit_due = false;
    pg->n_sent = pg->n_taken = 0;
    pg->n_planning = pg->n_planned;
}

/* Nothing more is to be sent on this way: the server is to answer. What is wrong with the
 * connection, the answer says. */
static void
end_sending(struct pg *pg)
{
    if (pg->commit_due) {
        pg->commit_due = false;
        expect(pg, PG_EXPECT_COMMIT);
        (void)PQsendQueryParams(pg->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0);
    }
    (void)PQpipelineSync(pg->conn);
}

/* The next answer; an error ends the way, for the server skips what follows. */
static int
take_answer(struct pg *pg, PGresult **out, struct err *err)
{
    if (pg->n_taken == 0)
        end_sending(pg);
    const enum pg_expected what = pg->sent[pg->n_taken++];
    if (pg_check(pg, out, PQgetResult(pg->conn), err) != 0) {
        leave(pg);
        return -1;
    }
    if (what == PG_EXPECT_PLAN)
        pg->n_planned++;
    if (pg->n_taken == pg->n_sent)
        leave(pg);
    else
        PQclear(PQgetResult(pg->conn)); /* the NULL behind it */
    return 0;
}

/* The answer to the oldest statement that has one. */
static int
take_result(struct pg *pg, PGresult **out, struct err *err)
{
    for (;;) {
        assert(pg->n_taken < pg->n_sent);
        const bool wanted = pg->sent[pg->n_taken] == PG_EXPECT_ROWS;
        if (take_answer(pg, out, err) != 0)
            return -1;
        if (wanted)
            return 0;
        PQclear(*out);
    }
}

static int
went_away(struct pg *pg, struct err *err)
{
    pg_failed(pg, NULL, err);
    leave(pg);
    return -1;
}

/* Number of a statement that the server knows or is told of on the way. */
static int
plan(struct pg *pg, const char *sql, const struct pgargs *args, size_t n)
{
    char name[NAME_SIZE];
    int i = 0;

    while (i < pg->n_planning && pg->planned[i] != sql)
        i++;
    if (i < pg->n_planning)
        return i;
    assert(i < PG_MAX_PLANNED);
    snprintf(name, sizeof name, "s%d", i);
    expect(pg, PG_EXPECT_PLAN);
    pg->planned[pg->n_planning++] = sql;
    return PQsendPrepare(pg->conn, name, sql, (int)n, args->types) == 1 ? i : -1;
}

static bool
send_planned(struct pg *pg, const char *sql, const struct pgargs *args, size_t n)
{
    char name[NAME_SIZE];
    const int i = enter(pg) ? plan(pg, sql, args, n) : -1;

    snprintf(name, sizeof name, "s%d", i);
    expect(pg, PG_EXPECT_ROWS);
    return i >= 0
           && PQsendQueryPrepared(pg->conn, name, (int)n, args->values, args->lengths,
                                  args->formats, 1)
                  == 1;
}

int
pg_send(struct pg *pg, const char *sql, const struct pg_arg *args, size_t n_args,
        struct err *err)
{
    struct pgargs a;

    pgargs_bind(&a, args, n_args);
    const bool ok = send_planned(pg, sql, &a, n_args);
    pgargs_release(&a, n_args);
    return ok ? 0 : went_away(pg, err);
}

int
pg_take(struct pg *pg, struct pg_rows *out, struct err *err)
{
    PGresult *result;

    if (out != NULL)
        *out = (struct pg_rows){0};
    if (take_result(pg, &result, err) != 0)
        return -1;
    if (out != NULL)
        *out = (struct pg_rows){.result = result, .n = PQntuples(result)};
    else
        PQclear(result);
    return 0;
}

int
pg_query_again(struct pg *pg, struct pg_rows *out, const char *sql,
               const struct pg_arg *args, size_t n_args, struct err *err)
{
    assert(pg->n_sent == 0);
    if (out != NULL)
        *out = (struct pg_rows){0};
    return pg_send(pg, sql, args, n_args, err) == 0 ? pg_take(pg, out, err) : -1;
}

/* A statement for once. */
static int
run(struct pg *pg, PGresult **out, const char *sql, const struct pg_arg *args, size_t n,
    int binary, struct err *err)
{
    struct pgargs a;

    assert(pg->n_sent == 0);
    pgargs_bind(&a, args, n);
    const bool ok = enter(pg)
                    && PQsendQueryParams(pg->conn, sql, (int)n, a.types, a.values,
                                         a.lengths, a.formats, binary)
                           == 1;
    pgargs_release(&a, n);
    expect(pg, PG_EXPECT_ROWS);
    return ok ? take_result(pg, out, err) : went_away(pg, err);
}

int
pg_query(struct pg *pg, struct pg_rows *out, const char *sql, const struct pg_arg *args,
         size_t n_args, struct err *err)
{
    PGresult *result;

    if (out != NULL)
        *out = (struct pg_rows){0};
    if (run(pg, &result, sql, args, n_args, 0, err) != 0)
        return -1;
    if (out != NULL)
        *out = (struct pg_rows){.result = result, .n = PQntuples(result)};
    else
        PQclear(result);
    return 0;
}

/* ---- what they answer --------------------------------------------------------------- */

int
pg_change(struct pg *pg, int64_t *count, const char *sql, const struct pg_arg *args,
          size_t n_args, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows, sql, args, n_args, err) != 0)
        return -1;
    *count = strtoll(PQcmdTuples(rows.result), NULL, 10);
    pg_rows_release(&rows);
    return 0;
}

int
pg_number(struct pg *pg, int64_t *out, bool *found, const char *sql,
          const struct pg_arg *args, size_t n_args, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows, sql, args, n_args, err) != 0)
        return -1;
    *out = rows.n > 0 ? pg_int_at(&rows, 0, 0) : 0;
    if (found != NULL)
        *found = rows.n > 0 && !pg_null_at(&rows, 0, 0);
    pg_rows_release(&rows);
    return 0;
}

int
pg_json(struct pg *pg, json_t **out, const char *sql, const struct pg_arg *args,
        size_t n_args, struct err *err)
{
    struct pg_rows rows;
    int rc = 0;

    *out = NULL;
    if (pg_query(pg, &rows, sql, args, n_args, err) != 0)
        return -1;
    if (rows.n > 0 && !pg_null_at(&rows, 0, 0)) {
        const char *text = pg_text_at(&rows, 0, 0);
        rc = json_parse(out, text, strlen(text), "answer of the database", err);
    }
    pg_rows_release(&rows);
    return rc;
}

int
pg_bytes(struct pg *pg, struct buf *out, bool *found, const char *sql,
         const struct pg_arg *args, size_t n_args, struct err *err)
{
    PGresult *result;

    if (run(pg, &result, sql, args, n_args, 1, err) != 0)
        return -1;
    *found = PQntuples(result) > 0;
    if (*found)
        buf_add(out, PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0));
    PQclear(result);
    return 0;
}

static int
script(struct pg *pg, const char *sql, struct err *err)
{
    PGresult *result = PQexec(pg->conn, sql);
    const ExecStatusType status = PQresultStatus(result);
    int rc = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        rc = pg_failed(pg, result, err);
    PQclear(result);
    return rc;
}

int
pg_begin_now(struct pg *pg, struct err *err)
{
    assert(pg->n_sent == 0);
    if (!pg->begin_due)
        return 0;
    pg->begin_due = false;
    return script(pg, "BEGIN", err);
}

int
pg_script(struct pg *pg, const char *sql, struct err *err)
{
    return pg_begin_now(pg, err) == 0 ? script(pg, sql, err) : -1;
}

int
pg_begin(struct pg *pg, struct err *err)
{
    (void)err;
    pg->begin_due = true;
    return 0;
}

void
pg_commit_along(struct pg *pg)
{
    assert(pg->n_sent == 0);
    pg->commit_due = true;
}

static int
exec_commit(struct pg *pg, PGresult **out, struct err *err)
{
    return pg_begin_now(pg, err) == 0
               ? pg_check(pg, out, PQexec(pg->conn, "COMMIT"), err)
               : -1;
}

int
pg_commit(struct pg *pg, struct err *err)
{
    const bool underway = pg->n_sent > 0;
    PGresult *result;
    int rc = underway ? take_answer(pg, &result, err) : exec_commit(pg, &result, err);

    if (rc != 0)
        return -1;
    /* COMMIT of a transaction that has failed answers ROLLBACK */
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        rc = err_set(err, ERR_BUG, "a failed transaction was committed");
    PQclear(result);
    return rc;
}

void
pg_rollback(struct pg *pg)
{
    pg->begin_due = pg->commit_due = false;
    if (PQtransactionStatus(pg->conn) != PQTRANS_IDLE)
        PQclear(PQexec(pg->conn, "ROLLBACK"));
}

bool
pg_may_repeat(const struct pg *pg)
{
    return strcmp(pg->sqlstate, "40P01") == 0 || strcmp(pg->sqlstate, "40001") == 0;
}

bool
pg_bad_values(const struct pg *pg)
{
    return strncmp(pg->sqlstate, "22", 2) == 0 || strncmp(pg->sqlstate, "23", 2) == 0;
}
