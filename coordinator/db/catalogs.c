/* catalogs.c - only writer of catalog. */
#include "coordinator/db/catalogs.h"

#include <string.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "shared/base/sha256.h"

int
catalogs_save(struct pg *pg, const char *text, struct err *err)
{
    const struct sha256 digest = sha256_bytes(text, strlen(text));

    return pg_query(pg, NULL,
                    "INSERT INTO catalog (digest, doc) VALUES ($1, $2)"
                    " ON CONFLICT (digest) DO UPDATE SET declared_at = now()",
                    PG_ARGS(PG_TEXT(digest.hex), PG_TEXT(text)), err);
}

int
db_catalog_load(struct db *db, json_t **out, struct err *err)
{
    return pg_json(db->pg, out,
                   "SELECT doc FROM catalog ORDER BY declared_at DESC, id DESC LIMIT 1",
                   PG_NONE, err);
}
