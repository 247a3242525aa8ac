#ifndef COORDINATOR_DB_FORMS_H
#define COORDINATOR_DB_FORMS_H

#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/pg.h"
#include "shared/base/buf.h"

/*
 * What the jobs of a form have in common (table job_form), kept by number: a form never
 * changes, so it is read once. Initialise with {0}.
 */
struct forms {
    struct form *items; /* by id, ascending */
    size_t n, capacity;
};
struct form {
    int64_t id;
    char *template;
};

void forms_release(struct forms *f);

/* Reads those of n forms that are not here yet. */
MUST_CHECK int forms_load(struct forms *f, struct pg *pg, const int64_t *ids, size_t n,
                          struct err *err);

/* Appends the spec of a job of this form, byte for byte as view job_spec has it. inputs:
 * "stage":"digest" of each parent, with commas between; vals: of job_def, tabs between.
 * ERR_DATA: there is no such form, or it wants more values than there are. */
MUST_CHECK int forms_spec(struct buf *out, const struct forms *f, int64_t id,
                          const char *inputs, const char *vals, struct err *err);

#endif
