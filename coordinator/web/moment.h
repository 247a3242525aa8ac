#ifndef COORDINATOR_WEB_MOMENT_H
#define COORDINATOR_WEB_MOMENT_H

#include "coordinator/web/mirror.h"

/* What pages are made from: one moment of the database. */
struct moment {
    struct db *db; /* in a transaction of that moment */
    const char *name;
    struct mirror *mirror;
};

/* The texts of a sweep (new reference, see db_web_sweep_texts), and its cells with the
 * mirror taken: mirror_done when they are not needed any more. Nothing is taken after an
 * error; ERR_USAGE when there is no such sweep. */
MUST_CHECK int moment_sweep(const struct moment *at, int64_t sweep, json_t **texts,
                            struct mirror_sweep **out, struct err *err);

#endif
