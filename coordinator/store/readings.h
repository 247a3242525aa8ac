#ifndef COORDINATOR_STORE_READINGS_H
#define COORDINATOR_STORE_READINGS_H

#include <stdbool.h>

#include "coordinator/db/blobs.h"

/*
 * Files that are being downloaded, open: a piece of one costs no question to the
 * database. What is open was stored and verified, also when its row has gone meanwhile.
 * Initialise with {0}.
 */
enum { READINGS = 32 /* at once; one more closes the one that was silent longest */ };

struct reading {
    char sha[65]; /* "": a free place */
    int fd;
    int64_t size;
    int64_t used_ms;
};

struct readings {
    struct reading items[READINGS];
};

/* NULL: it is not open. */
const struct reading *readings_find(struct readings *r, const char *sha,
                                    int64_t now_ms);

/* Opens the file of a stored row. ERR_DATA when it is not there. */
MUST_CHECK int readings_open(struct readings *r, const struct blob_row *row,
                             int64_t now_ms, const struct reading **out,
                             struct err *err);

/* Closes what was not asked for since then; INT64_MAX: all. */
void readings_close(struct readings *r, int64_t since_ms);

#endif
