#ifndef COORDINATOR_DB_PG_H
#define COORDINATOR_DB_PG_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/base/json.h"

/*
 * One connection to PostgreSQL. Only pg*.c know <libpq-fe.h>. Every value
 * is a parameter; SQL text is always constant. Errors are ERR_DB; a schema that is not
 * there says what to run.
 */
struct pg;

/* conninfo: libpq string or URI, NULL or "" for PGHOST and friends. program: shown in
 * pg_stat_activity. ERR_DB says where it tried and what to do. */
MUST_CHECK int pg_open(struct pg **out, const char *conninfo, const char *program,
                       struct err *err);
void pg_close(struct pg *pg); /* accepts NULL */

/* False once the connection is lost. */
bool pg_alive(const struct pg *pg);

/* File descriptor to wait on for notifications. */
int pg_fd(const struct pg *pg);

/* The next notification that has arrived. *text: what it says, the caller frees it; NULL:
 * there is none. */
MUST_CHECK int pg_next_note(struct pg *pg, char **text, struct err *err);

/* One parameter; made with the macros below. */
struct pg_arg {
    enum {
        PG_ARG_NULL,
        PG_ARG_INT,
        PG_ARG_REAL,
        PG_ARG_TEXT,
        PG_ARG_BYTES,
        PG_ARG_INTS,
        PG_ARG_REALS,
        PG_ARG_TEXTS,
    } kind;
    int64_t i;
    double d;
    const void *p;
    size_t size;
};
#define PG_INT(v)                    \
    {                                \
        .kind = PG_ARG_INT, .i = (v) \
    }
#define PG_REAL(v)                    \
    {                                 \
        .kind = PG_ARG_REAL, .d = (v) \
    }
#define PG_TEXT(v)                    \
    {                                 \
        .kind = PG_ARG_TEXT, .p = (v) \
    } /* NULL: SQL null */
#define PG_BYTES(v, n)                              \
    {                                               \
        .kind = PG_ARG_BYTES, .p = (v), .size = (n) \
    }

/* Arrays of n int64_t, double, const char *: bigint[], float8[], text[] in SQL. A NULL
 * text is SQL null; a NaN number is the SQL one. */
#define PG_INTS(v, n)                              \
    {                                              \
        .kind = PG_ARG_INTS, .p = (v), .size = (n) \
    }
#define PG_REALS(v, n)                              \
    {                                               \
        .kind = PG_ARG_REALS, .p = (v), .size = (n) \
    }
#define PG_TEXTS(v, n)                              \
    {                                               \
        .kind = PG_ARG_TEXTS, .p = (v), .size = (n) \
    }

/* The arguments of a statement, as two arguments of the functions below. */
#define PG_ARGS(...)                      \
    (const struct pg_arg[]){__VA_ARGS__}, \
        sizeof((const struct pg_arg[]){__VA_ARGS__}) / sizeof(struct pg_arg)
#define PG_NONE NULL, 0
enum { PG_MAX_ARGS = 20 };

/* A result. Initialise with {0}; released by pg_rows_release. */
struct pg_rows {
    void *result;
    int n;
};

/* Runs one statement. `out` may be NULL. On failure *out is empty. */
MUST_CHECK int pg_query(struct pg *pg, struct pg_rows *out, const char *sql,
                        const struct pg_arg *args, size_t n_args, struct err *err);
void pg_rows_release(struct pg_rows *rows);

/* The same, planned once for each connection: for what runs all the time. `sql` must be
 * the same pointer each time, as a string constant is. Its columns may be whole numbers,
 * text and bytea. */
MUST_CHECK int pg_query_again(struct pg *pg, struct pg_rows *out, const char *sql,
                              const struct pg_arg *args, size_t n_args,
                              struct err *err);

/* The same for several at once, which cost one way to the server and back: what pg_send
 * was given leaves with the first pg_take, and each pg_take gives the rows (`out` may be
 * NULL) of the next one. After an error nothing of it is left to take; else all of it is
 * to be taken. Outside a transaction they are one. At most 15. */
MUST_CHECK int pg_send(struct pg *pg, const char *sql, const struct pg_arg *args,
                       size_t n_args, struct err *err);
MUST_CHECK int pg_take(struct pg *pg, struct pg_rows *out, struct err *err);

/* Fields; a null reads as 0 or "". Text is borrowed until the rows are released. */
int64_t pg_int_at(const struct pg_rows *rows, int row, int column);
const char *pg_text_at(const struct pg_rows *rows, int row, int column);
bool pg_null_at(const struct pg_rows *rows, int row, int column);

/* A bytea of a statement that is planned once; borrowed as a text is. */
const void *pg_bytes_at(const struct pg_rows *rows, int row, int column, size_t *n);

/* Rows that an INSERT, UPDATE or DELETE changed. */
MUST_CHECK int pg_change(struct pg *pg, int64_t *count, const char *sql,
                         const struct pg_arg *args, size_t n_args, struct err *err);

/* First column of the first row as a number; *found (may be NULL) says if there was
 * one. */
MUST_CHECK int pg_number(struct pg *pg, int64_t *out, bool *found, const char *sql,
                         const struct pg_arg *args, size_t n_args, struct err *err);

/* First column of the first row, parsed as JSON; new reference. No row: NULL. */
MUST_CHECK int pg_json(struct pg *pg, json_t **out, const char *sql,
                       const struct pg_arg *args, size_t n_args, struct err *err);

/* First column of the first row as raw bytes of a bytea, appended. */
MUST_CHECK int pg_bytes(struct pg *pg, struct buf *out, bool *found, const char *sql,
                        const struct pg_arg *args, size_t n_args, struct err *err);

/* Rows for a COPY ... FROM STDIN: each call of next adds one in COPY's text form, without
 * the newline at its end, or returns false after the last. */
typedef bool (*pg_next_fn)(void *ctx, struct buf *row);
MUST_CHECK int pg_copy(struct pg *pg, const char *sql, pg_next_fn next, void *ctx,
                       struct err *err);

/* Adds a text to a row, with what COPY reads specially escaped. */
void pg_copy_text(struct buf *row, const char *text);

/* Takes the rows of a COPY ... TO STDOUT (FORMAT binary), which stay nowhere else. All
 * n_columns, at most PG_MAX_ARGS, are bigint; a null reads as 0. */
typedef void (*pg_take_fn)(void *ctx, const int64_t *row);
MUST_CHECK int pg_copy_out(struct pg *pg, const char *sql, size_t n_columns,
                           pg_take_fn take, void *ctx, struct err *err);

/* Several statements without parameters, as one batch (schema files). */
MUST_CHECK int pg_script(struct pg *pg, const char *sql, struct err *err);

/* BEGIN goes with the first statement that follows. */
MUST_CHECK int pg_begin(struct pg *pg, struct err *err);

/* What is sent next (pg_send) ends the transaction: COMMIT leaves with it, behind it, and
 * pg_commit, which must follow when all of it was taken, says what came of that. */
void pg_commit_along(struct pg *pg);
MUST_CHECK int pg_commit(struct pg *pg, struct err *err);
void pg_rollback(struct pg *pg); /* harmless outside a transaction */

/* True when the last error is one that running the transaction again may cure
 * (deadlock, serialisation). */
bool pg_may_repeat(const struct pg *pg);

/* True when the last error lies in the values that were given, so that running the
 * statement again cannot help. */
bool pg_bad_values(const struct pg *pg);

#endif
