/*
 * pgrows.c - fields of what statements answer. Statements that are planned once answer in
 * the server's binary form, others in text. Must not know how they were asked.
 */
#include <assert.h>
#include <stdlib.h>

#include "coordinator/db/pg_impl.h"

void
pg_rows_release(struct pg_rows *rows)
{
    PQclear(rows->result);
    *rows = (struct pg_rows){0};
}

/* Big-endian, of any width; a null has no bytes. */
static int64_t
binary_int(const unsigned char *bytes, int n)
{
    uint64_t v = n > 0 && bytes[0] >= 0x80 ? UINT64_MAX : 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | bytes[i];
    return (int64_t)v;
}

int64_t
pg_int_at(const struct pg_rows *rows, int row, int column)
{
    const char *value = PQgetvalue(rows->result, row, column);

    if (PQfformat(rows->result, column) == 0)
        return strtoll(value, NULL, 10);
    return binary_int((const unsigned char *)value,
                      PQgetlength(rows->result, row, column));
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

const void *
pg_bytes_at(const struct pg_rows *rows, int row, int column, size_t *n)
{
    assert(PQfformat(rows->result, column) == 1);
    *n = (size_t)PQgetlength(rows->result, row, column);
    return PQgetvalue(rows->result, row, column);
}
