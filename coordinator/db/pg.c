/*
 * pg.c - libpq behind a few functions. Turns what the server says into one error line
 * that tells what, where and what to do. Knows no table.
 */
#include "coordinator/db/pg.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { COPY_BYTES = 1 << 16 };
enum { OID_BYTEA = 17, NUMBER_SIZE = 32, MAX_PLANNED = 64, NAME_SIZE = 16 };

struct pg {
    PGconn *conn;
    char sqlstate[6];                 /* of the last error */
    const char *planned[MAX_PLANNED]; /* statements that the server has by number */
    int n_planned;
};

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
pg_notified(struct pg *pg, int64_t *count, struct err *err)
{
    PGnotify *note;

    *count = 0;
    if (PQconsumeInput(pg->conn) == 0) {
        char *why = one_line(PQerrorMessage(pg->conn));
        err_set(err, ERR_DB, "the database went away: %s", why);
        free(why);
        return -1;
    }
    while ((note = PQnotifies(pg->conn)) != NULL) {
        PQfreemem(note);
        ++*count;
    }
    return 0;
}

static int
query_failed(struct pg *pg, const PGresult *result, struct err *err)
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

/* The statement's parameters in libpq's form. */
struct bound {
    const char *values[PG_MAX_ARGS];
    int lengths[PG_MAX_ARGS], formats[PG_MAX_ARGS];
    Oid types[PG_MAX_ARGS];
    struct buf arrays[PG_MAX_ARGS];
    char numbers[PG_MAX_ARGS][NUMBER_SIZE];
};

static void
put_quoted(struct buf *out, const char *text)
{
    if (text == NULL) {
        buf_puts(out, "NULL");
        return;
    }
    buf_putc(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

/* The text form of an array: {1,2} or {"a","b"}. */
static const char *
put_array(struct buf *out, const struct pg_arg *a)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < a->size; i++) {
        if (i > 0)
            buf_putc(out, ',');
        if (a->kind == PG_ARG_INTS)
            buf_printf(out, "%lld", (long long)((const int64_t *)a->p)[i]);
        else if (a->kind == PG_ARG_REALS)
            buf_printf(out, "%.17g", ((const double *)a->p)[i]);
        else
            put_quoted(out, ((const char *const *)a->p)[i]);
    }
    buf_putc(out, '}');
    return buf_str(out);
}

static const char *
put_number(char out[NUMBER_SIZE], const struct pg_arg *a)
{
    if (a->kind == PG_ARG_INT)
        snprintf(out, NUMBER_SIZE, "%lld", (long long)a->i);
    else
        snprintf(out, NUMBER_SIZE, "%.17g", a->d);
    return out;
}

static void
bind(struct bound *b, const struct pg_arg *args, size_t n)
{
    assert(n <= PG_MAX_ARGS);
    memset(b, 0, offsetof(struct bound, numbers));
    for (size_t i = 0; i < n; i++) {
        const struct pg_arg *a = &args[i];
        switch (a->kind) {
        case PG_ARG_NULL: break;
        case PG_ARG_INT:
        case PG_ARG_REAL: b->values[i] = put_number(b->numbers[i], a); break;
        case PG_ARG_TEXT: b->values[i] = a->p; break;
        case PG_ARG_BYTES:
            b->values[i] = a->p;
            b->lengths[i] = (int)a->size;
            b->formats[i] = 1;
            b->types[i] = OID_BYTEA;
            break;
        case PG_ARG_INTS:
        case PG_ARG_REALS:
        case PG_ARG_TEXTS: b->values[i] = put_array(&b->arrays[i], a); break;
        }
    }
}

static void
unbind(struct bound *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_release(&b->arrays[i]);
}

/* Takes the result: *out, or an error. */
static int
finish(struct pg *pg, PGresult **out, PGresult *result, struct err *err)
{
    const ExecStatusType status = PQresultStatus(result);

    *out = result;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    query_failed(pg, result, err);
    PQclear(result);
    *out = NULL;
    return -1;
}

static int
run(struct pg *pg, PGresult **out, const char *sql, const struct pg_arg *args, size_t n,
    int binary, struct err *err)
{
    struct bound b;

    bind(&b, args, n);
    PGresult *result = PQexecParams(pg->conn, sql, (int)n, b.types, b.values, b.lengths,
                                    b.formats, binary);
    unbind(&b, n);
    return finish(pg, out, result, err);
}

/* Name under which the server has the statement; makes it known at first. */
static int
plan(struct pg *pg, char name[NAME_SIZE], const char *sql, struct err *err)
{
    PGresult *result;
    int i = 0;

    while (i < pg->n_planned && pg->planned[i] != sql)
        i++;
    snprintf(name, NAME_SIZE, "s%d", i);
    if (i < pg->n_planned)
        return 0;
    assert(i < MAX_PLANNED);
    if (finish(pg, &result, PQprepare(pg->conn, name, sql, 0, NULL), err) != 0)
        return -1;
    PQclear(result);
    pg->planned[pg->n_planned++] = sql;
    return 0;
}

int
pg_query_again(struct pg *pg, struct pg_rows *out, const char *sql,
               const struct pg_arg *args, size_t n_args, struct err *err)
{
    char name[NAME_SIZE];
    PGresult *result;
    struct bound b;

    if (out != NULL)
        *out = (struct pg_rows){0};
    if (plan(pg, name, sql, err) != 0)
        return -1;
    bind(&b, args, n_args);
    result =
        PQexecPrepared(pg->conn, name, (int)n_args, b.values, b.lengths, b.formats, 0);
    unbind(&b, n_args);
    if (finish(pg, &result, result, err) != 0)
        return -1;
    if (out != NULL)
        *out = (struct pg_rows){.result = result, .n = PQntuples(result)};
    else
        PQclear(result);
    return 0;
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

void
pg_rows_release(struct pg_rows *rows)
{
    PQclear(rows->result);
    *rows = (struct pg_rows){0};
}

int64_t
pg_int_at(const struct pg_rows *rows, int row, int column)
{
    return strtoll(PQgetvalue(rows->result, row, column), NULL, 10);
}

const char *
pg_text_at(const struct pg_rows *rows, int row, int column)
{
    return PQgetvalue(rows->result, row, column);
}

bool
pg_null_at(const struct pg_rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) == 1;
}

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

void
pg_copy_text(struct buf *row, const char *text)
{
    for (size_t n; *text != '\0'; text += n) {
        n = strcspn(text, "\\\n\r\t");
        buf_add(row, text, n);
        if (text[n] == '\0')
            break;
        buf_putc(row, '\\');
        buf_putc(row, text[n] == '\n' ? 'n' : text[n] == '\r' ? 'r' : text[n]);
        n++;
    }
}

/* The rows, in pieces that libpq need not grow for. */
static bool
put_rows(struct pg *pg, pg_next_fn next, void *ctx)
{
    struct buf rows = {0};
    bool ok = true, more = true;

    while (ok && more) {
        more = next(ctx, &rows);
        if (more)
            buf_putc(&rows, '\n');
        if (rows.len < COPY_BYTES && more)
            continue;
        ok = rows.len == 0
             || PQputCopyData(pg->conn, buf_str(&rows), (int)rows.len) == 1;
        buf_clear(&rows);
    }
    buf_release(&rows);
    return ok && PQputCopyEnd(pg->conn, NULL) == 1;
}

int
pg_copy(struct pg *pg, const char *sql, pg_next_fn next, void *ctx, struct err *err)
{
    PGresult *result = PQexec(pg->conn, sql), *after;
    int rc;

    if (PQresultStatus(result) != PGRES_COPY_IN) {
        rc = query_failed(pg, result, err);
        PQclear(result);
        return rc;
    }
    PQclear(result);
    const bool sent = put_rows(pg, next, ctx);
    rc = finish(pg, &result, PQgetResult(pg->conn), err);
    if (rc == 0 && !sent)
        rc = err_set(err, ERR_DB, "the database took not all rows");
    PQclear(result);
    while ((after = PQgetResult(pg->conn)) != NULL)
        PQclear(after);
    return rc;
}

/* ---- out of a COPY ----------------------------------------------------------------- */

/* Big-endian bytes that were received, read from `at` on. */
struct copy_bytes {
    const unsigned char *data;
    size_t size, at;
};

static int64_t
take_number(struct copy_bytes *b, size_t n)
{
    uint64_t v = b->at + n <= b->size && b->data[b->at] >= 0x80 ? UINT64_MAX : 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | (b->at + i < b->size ? b->data[b->at + i] : 0);
    b->at += n;
    return (int64_t)v;
}

/* The rows of one message; false where they are not what was asked for. */
static bool
take_rows(struct copy_bytes *b, size_t n_columns, pg_take_fn take, void *ctx)
{
    int64_t row[PG_MAX_ARGS];

    while (b->at < b->size) {
        const int64_t n = take_number(b, 2);
        if (n == -1)
            return b->at == b->size;
        if (n != (int64_t)n_columns)
            return false;
        for (size_t i = 0; i < n_columns; i++) {
            const int64_t size = take_number(b, 4);
            if (size != 8 && size != -1)
                return false;
            row[i] = size == 8 ? take_number(b, 8) : 0;
        }
        if (b->at > b->size)
            return false;
        take(ctx, row);
    }
    return true;
}

/* Before the first row: a signature, flags and an extension that is empty. */
enum { COPY_HEADER = 19 };

int
pg_copy_out(struct pg *pg, const char *sql, size_t n_columns, pg_take_fn take,
            void *ctx, struct err *err)
{
    PGresult *result = PQexec(pg->conn, sql), *after;
    bool good = n_columns <= PG_MAX_ARGS;
    char *data;
    int n, rc;

    if (PQresultStatus(result) != PGRES_COPY_OUT) {
        rc = query_failed(pg, result, err);
        PQclear(result);
        return rc;
    }
    PQclear(result);
    for (size_t header = COPY_HEADER; (n = PQgetCopyData(pg->conn, &data, 0)) > 0;
         header = 0) {
        struct copy_bytes b = {(const unsigned char *)data, (size_t)n, header};
        good = good && take_rows(&b, n_columns, take, ctx);
        PQfreemem(data);
    }
    rc = finish(pg, &result, PQgetResult(pg->conn), err);
    if (rc == 0 && !good)
        rc = err_set(err, ERR_BUG, "the rows of a COPY are not %zu numbers", n_columns);
    PQclear(result);
    while ((after = PQgetResult(pg->conn)) != NULL)
        PQclear(after);
    return rc;
}

int
pg_script(struct pg *pg, const char *sql, struct err *err)
{
    PGresult *result = PQexec(pg->conn, sql);
    const ExecStatusType status = PQresultStatus(result);
    int rc = 0;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        rc = query_failed(pg, result, err);
    PQclear(result);
    return rc;
}

int
pg_begin(struct pg *pg, struct err *err)
{
    return pg_script(pg, "BEGIN", err);
}

int
pg_commit(struct pg *pg, struct err *err)
{
    /* COMMIT of a transaction that has failed answers ROLLBACK. */
    PGresult *result = PQexec(pg->conn, "COMMIT");
    int rc = 0;

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        rc = query_failed(pg, result, err);
    else if (strcmp(PQcmdStatus(result), "COMMIT") != 0)
        rc = err_set(err, ERR_BUG, "a failed transaction was committed");
    PQclear(result);
    return rc;
}

void
pg_rollback(struct pg *pg)
{
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
