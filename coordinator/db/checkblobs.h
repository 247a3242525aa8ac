#ifndef COORDINATOR_DB_CHECKBLOBS_H
#define COORDINATOR_DB_CHECKBLOBS_H

#include "coordinator/db/db.h"

/* What a question in SQL cannot see, as one more check (check.h) appended to `checks`:
 * that each file of a blob is here and has its size or, with `deep`, that all bytes of
 * every stored blob are those of its digest. A blob that goes meanwhile is left out.
 * *found grows. */
MUST_CHECK int checkblobs_look(struct db *db, bool deep, json_t *checks, int64_t *found,
                               struct err *err);

#endif
