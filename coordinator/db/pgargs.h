#ifndef COORDINATOR_DB_PGARGS_H
#define COORDINATOR_DB_PGARGS_H

#include <stddef.h>

#include "coordinator/db/pg.h"
#include "shared/base/buf.h"

/* The parameters of a statement in the form that libpq takes. Numbers and texts travel as
 * text; bytes and arrays in the server's binary form, which neither side has to parse. */
enum { PGARGS_NUMBER = 32 };

struct pgargs {
    const char *values[PG_MAX_ARGS];
    int lengths[PG_MAX_ARGS], formats[PG_MAX_ARGS];
    unsigned types[PG_MAX_ARGS]; /* 0: what the statement says */
    struct buf arrays[PG_MAX_ARGS];
    char numbers[PG_MAX_ARGS][PGARGS_NUMBER];
};

/* Texts and bytes are borrowed from args. */
void pgargs_bind(struct pgargs *out, const struct pg_arg *args, size_t n);
void pgargs_release(struct pgargs *a, size_t n);

#endif
