#ifndef COORDINATOR_STORE_STORE_H
#define COORDINATOR_STORE_STORE_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/wire/sock.h"

/*
 * The bulk side: a thread with its own socket and its own database connection, so that
 * a gigabyte of weights delays no heartbeat. Blobs are named by their SHA-256; an upload
 * goes on where it stopped, also after a restart; a blob counts as stored only after its
 * digest was verified here.
 */
struct store;

struct store_config {
    const char *endpoint, *database;
    const char *folder;       /* absolute; files of large blobs go there; "": none */
    int64_t folder_min_bytes; /* smaller ones go into the database */
};

/* Binds the bulk socket and starts the thread. It answers nothing until an epoch is set.
 * ERR_REFUSED when the folder is not the one that the database knows (blobfolder.h); when
 * the database is away, this is found out later, and nothing answered. */
MUST_CHECK int store_start(struct store **out, const struct store_config *config,
                           struct err *err);

/* Ends the thread. Accepts NULL. */
void store_stop(struct store *s);

/* The endpoint that workers connect to; borrowed. */
const char *store_endpoint(const struct store *s);

/* The epoch of the coordinator that it works for; 0: it does not lead now. */
void store_set_epoch(struct store *s, int64_t epoch);

#endif
