#ifndef COORDINATOR_SWEEP_BIND_H
#define COORDINATOR_SWEEP_BIND_H

#include "coordinator/sweep/parse.h"
#include "coordinator/sweep/values.h"
#include "coordinator/sweep/when.h"

/*
 * A sweep file read for one method: every key is a slot of the method's space, every
 * word a value of that parameter.
 */
struct term {
    int slot;
    const struct yaml_node *key;
    const struct yaml_node *node; /* the values as written */
    int64_t count;                /* of them, known before they are read */
    struct values values;         /* one value where not an axis */
    bool axis;
    const struct yaml_node *condition; /* `when` as written, or NULL */
    struct when *when;                 /* or NULL */
};

struct terms {
    struct term *items;
    size_t n, capacity;
};

/* An element of exclude or include. */
struct rule {
    const struct yaml_node *at;
    struct terms terms;
    struct when *when; /* of exclude; or NULL */
    bool never;        /* excludes by a parameter that this method does not have */
};

struct rules {
    struct rule *items;
    size_t n, capacity;
};

struct binding {
    struct space *space;
    struct terms terms; /* fixed and axes, in order of the file */
    struct rules exclude, include;
};

/* What bind_method reads from besides the file. */
struct bind_context {
    const struct catalog *catalog;
    const struct catalog_method *const *methods; /* of this sweep */
    size_t n_methods;
    json_t *notes; /* receives remarks */
    int64_t max_cells;
};

/* A key that no method of the sweep knows is an error; one that only others know is
 * left out. A grid larger than max_cells is refused before a single value is made.
 * `space` is that of one of the methods; it learns values, and stays the caller's. */
MUST_CHECK int bind_method(struct binding *out, struct sweep_file *file,
                           struct space *space, const struct bind_context *context,
                           struct err *err);
void bind_release(struct binding *b);

/* Where the file wrote this value of a slot, or NULL where it is a default. */
const struct yaml_node *bind_origin(const struct binding *b, int slot, uint32_t number);

#endif
