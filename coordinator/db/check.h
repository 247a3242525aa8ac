#ifndef COORDINATOR_DB_CHECK_H
#define COORDINATOR_DB_CHECK_H

#include "coordinator/db/db.h"

/*
 * Asks a database, which may be in use, whether everything holds that the programs count
 * on: {"checks": [{"name": a sentence, "found": n, "rows": ["job 7 ...", at most ten]}],
 * "found": all together}. Rows in one snapshot, then files; `deep` reads all bytes of all
 * blobs and compares their digests. Nothing is written. New reference.
 */
MUST_CHECK int db_check(struct db *db, bool deep, json_t **out, struct err *err);

#endif
