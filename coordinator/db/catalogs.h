#ifndef COORDINATOR_DB_CATALOGS_H
#define COORDINATOR_DB_CATALOGS_H

#include "coordinator/db/pg.h"

/* Table catalog. text: canonical JSON of a catalogue that was checked. */
MUST_CHECK int catalogs_save(struct pg *pg, const char *text, struct err *err);

#endif
