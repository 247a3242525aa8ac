/*
 * pgargs.c - C values as parameters. An array in the server's binary form (array_recv in
 * its sources), every number with the most significant byte first:
 *
 *   dimensions (1)  has nulls  type of items  n  first index (1)   4 bytes each
 *   for each item: its length, -1 for a null (4 bytes), and its bytes
 *
 * An array without items has no dimension, and nothing follows the type. Must not know
 * libpq.
 */
#include "coordinator/db/pgargs.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

/* Numbers that the server has for its types; they never change. */
enum {
    TYPE_BYTEA = 17,
    TYPE_INT8 = 20,
    TYPE_TEXT = 25,
    TYPE_FLOAT8 = 701,
    TYPE_TEXTS = 1009,
    TYPE_INT8S = 1016,
    TYPE_FLOAT8S = 1022,
};

static void
put_int32(struct buf *out, int32_t v)
{
    const uint32_t big = htobe32((uint32_t)v);

    buf_add(out, &big, sizeof big);
}

/* An item of 8 bytes. */
static void
put_word(struct buf *out, uint64_t v)
{
    struct __attribute__((packed)) {
        uint32_t size;
        uint64_t v;
    } const item = {htobe32(sizeof v), htobe64(v)};

    buf_add(out, &item, sizeof item);
}

static void
put_real(struct buf *out, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    put_word(out, bits);
}

static void
put_text(struct buf *out, const char *text)
{
    put_int32(out, text != NULL ? (int32_t)strlen(text) : -1);
    if (text != NULL)
        buf_puts(out, text);
}

static void
put_head(struct buf *out, const struct pg_arg *a, int32_t type)
{
    put_int32(out, a->size > 0 ? 1 : 0);
    put_int32(out, a->kind == PG_ARG_TEXTS);
    put_int32(out, type);
    if (a->size == 0)
        return;
    put_int32(out, (int32_t)a->size);
    put_int32(out, 1);
}

static void
put_array(struct buf *out, const struct pg_arg *a, int32_t type)
{
    put_head(out, a, type);
    for (size_t i = 0; i < a->size; i++) {
        if (a->kind == PG_ARG_INTS)
            put_word(out, (uint64_t)((const int64_t *)a->p)[i]);
        else if (a->kind == PG_ARG_REALS)
            put_real(out, ((const double *)a->p)[i]);
        else
            put_text(out, ((const char *const *)a->p)[i]);
    }
}

static void
bind_array(struct pgargs *out, size_t i, const struct pg_arg *a, int32_t item,
           unsigned type)
{
    put_array(&out->arrays[i], a, item);
    out->values[i] = out->arrays[i].data;
    out->lengths[i] = (int)out->arrays[i].len;
    out->formats[i] = 1;
    out->types[i] = type;
}

static const char *
number(char out[PGARGS_NUMBER], const struct pg_arg *a)
{
    if (a->kind == PG_ARG_INT)
        snprintf(out, PGARGS_NUMBER, "%lld", (long long)a->i);
    else
        snprintf(out, PGARGS_NUMBER, "%.17g", a->d);
    return out;
}

static void
bind_one(struct pgargs *out, size_t i, const struct pg_arg *a)
{
    switch (a->kind) {
    case PG_ARG_NULL: break;
    case PG_ARG_INT:
    case PG_ARG_REAL: out->values[i] = number(out->numbers[i], a); break;
    case PG_ARG_TEXT: out->values[i] = a->p; break;
    case PG_ARG_BYTES:
        out->values[i] = a->p;
        out->lengths[i] = (int)a->size;
        out->formats[i] = 1;
        out->types[i] = TYPE_BYTEA;
        break;
    case PG_ARG_INTS: bind_array(out, i, a, TYPE_INT8, TYPE_INT8S); break;
    case PG_ARG_REALS: bind_array(out, i, a, TYPE_FLOAT8, TYPE_FLOAT8S); break;
    case PG_ARG_TEXTS: bind_array(out, i, a, TYPE_TEXT, TYPE_TEXTS); break;
    }
}

void
pgargs_bind(struct pgargs *out, const struct pg_arg *args, size_t n)
{
    assert(n <= PG_MAX_ARGS);
    memset(out, 0, offsetof(struct pgargs, numbers));
    for (size_t i = 0; i < n; i++)
        bind_one(out, i, &args[i]);
}

void
pgargs_release(struct pgargs *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_release(&a->arrays[i]);
}
