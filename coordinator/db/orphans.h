#ifndef COORDINATOR_DB_ORPHANS_H
#define COORDINATOR_DB_ORPHANS_H

#include "coordinator/db/db.h"

/* Deletes files that no blob names, in all folders that are on this machine: what a crash
 * left between a file and its row. Younger ones than ORPHANS_GRACE_S are left alone, for
 * their rows may be on the way. Beside a coordinator at work. *n: files deleted. */
enum { ORPHANS_GRACE_S = 3600 };
MUST_CHECK int orphans_delete(struct db *db, int64_t grace_s, int64_t *n,
                              struct err *err);

#endif
