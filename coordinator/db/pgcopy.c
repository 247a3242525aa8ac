/*
 * pgcopy.c - rows in bulk, into a table and out of a query, without a result in memory.
 * Must not know the tables.
 */
#include <string.h>

#include "coordinator/db/pg_impl.h"

enum { COPY_BYTES = 1 << 16 };

static int
copy_begin(struct pg *pg, const char *sql, ExecStatusType wanted, struct err *err)
{
    if (pg_begin_now(pg, err) != 0)
        return -1;
    PGresult *result = PQexec(pg->conn, sql);
    const int rc = PQresultStatus(result) == wanted ? 0 : pg_failed(pg, result, err);

    PQclear(result);
    return rc;
}

/* ---- into a COPY ------------------------------------------------------------------- */

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
    PGresult *result, *after;
    int rc;

    if (copy_begin(pg, sql, PGRES_COPY_IN, err) != 0)
        return -1;
    const bool sent = put_rows(pg, next, ctx);
    rc = pg_check(pg, &result, PQgetResult(pg->conn), err);
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
    bool good = n_columns <= PG_MAX_ARGS;
    PGresult *result, *after;
    char *data;
    int n, rc;

    if (copy_begin(pg, sql, PGRES_COPY_OUT, err) != 0)
        return -1;
    for (size_t header = COPY_HEADER; (n = PQgetCopyData(pg->conn, &data, 0)) > 0;
         header = 0) {
        struct copy_bytes b = {(const unsigned char *)data, (size_t)n, header};
        good = good && take_rows(&b, n_columns, take, ctx);
        PQfreemem(data);
    }
    rc = pg_check(pg, &result, PQgetResult(pg->conn), err);
    if (rc == 0 && !good)
        rc = err_set(err, ERR_BUG, "the rows of a COPY are not %zu numbers", n_columns);
    PQclear(result);
    while ((after = PQgetResult(pg->conn)) != NULL)
        PQclear(after);
    return rc;
}
