#ifndef COORDINATOR_DB_RULES_H
#define COORDINATOR_DB_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/db.h"
#include "coordinator/db/pg.h"

/*
 * What decides, beside the order, which worker may get which job: what the jobs of a
 * class need, how many may run at once, and which machines rest. Plain data; the
 * database has it, the queue in memory goes by it.
 */
enum {
    RULES_MAX_LIMITS = 16, /* of one class */
    RULES_MAX_TEXT = 256,
};

/* At most `most` jobs of the classes that name it run at once. */
struct rules_limit {
    int64_t id, most;
};

struct rules_class {
    int64_t id;
    int64_t limits[RULES_MAX_LIMITS]; /* ids */
    size_t n_limits;
    /* of the worker; 0 and "": does not matter */
    int64_t memory_bytes, threads; /* a job's share */
    char labels[RULES_MAX_TEXT];   /* separated by commas */
    char backend[32];
    /* when an attempt is ended; 0: never */
    int64_t timeout_s; /* so long after its start */
    int64_t stall_s;   /* so long without any progress */
};

/* A machine that gets no jobs. */
struct rules_rest {
    char host[RULES_MAX_TEXT];
    int64_t wait_ms; /* from when the rules were read */
};

/* Initialise with {0}; rules_release frees. */
struct rules {
    struct rules_class *classes;
    struct rules_limit *limits;
    struct rules_rest *rests;
    size_t n_classes, n_limits, n_rests;
};

void rules_release(struct rules *r);

/* Reads all rules; *out is filled anew. */
MUST_CHECK int rules_load(struct pg *pg, struct rules *out, struct err *err);

/* ---- for people's commands: steps of a transaction -------------------------------- */

MUST_CHECK int rules_set_limit(struct pg *pg, const struct db_limit *limit,
                               struct err *err);

/* Finds the classes of the unfinished jobs of a sweep (0: of all) anew. terms: what they
 * need, {"all": {...}, "<stage>": {...}}; NULL: as before. */
MUST_CHECK int rules_classify(struct pg *pg, int64_t sweep, const json_t *terms,
                              struct err *err);

#endif
