#ifndef WORKER_AGENT_BLOBS_H
#define WORKER_AGENT_BLOBS_H

#include <stdint.h>

#include "shared/base/err.h"
#include "shared/wire/sock.h"

/*
 * Content-addressed files between this worker and the coordinator's bulk socket, with a
 * cache folder: <dir>/<sha> is a whole file whose digest was verified, <dir>/<sha>.part
 * is what has arrived of one. Any number of transfers run at once, each with at most
 * MSG_BULK_CREDIT chunks under way; a broken connection or a new coordinator continues
 * them where the other side says.
 */
struct blobs;
struct blob; /* one transfer */

enum blob_state { BLOB_BUSY, BLOB_DONE, BLOB_FAILED };

/* `dir` is made; old files beyond cache_bytes are removed, oldest first. */
MUST_CHECK int blobs_new(struct blobs **out, const char *dir, int64_t cache_bytes,
                         struct err *err);
void blobs_free(struct blobs *b);

/* Where the bulk socket is; a repeat of the same endpoint opens the connection anew. */
MUST_CHECK int blobs_connect(struct blobs *b, const char *endpoint, struct err *err);

/* To wait on; NULL before blobs_connect. */
struct sock *blobs_sock(const struct blobs *b);

/* Fetches a blob; when done it lies at blob_path. One that is in the cache is done at
 * once. */
struct blob *blobs_get(struct blobs *b, const char *sha, int64_t size);

/* Stores the file `path`, whose digest and size these are, at the coordinator. */
struct blob *blobs_put(struct blobs *b, const char *sha, int64_t size,
                       const char *path);

/* Receives what has come, sends what may be sent, asks again after a silence. */
void blobs_step(struct blobs *b, int64_t now_ms);

enum blob_state blob_state(const struct blob *t);
const char *blob_path(const struct blob *t);
const char *blob_sha(const struct blob *t);
int64_t blob_size(const struct blob *t);

/* Why a transfer failed: ERR_DATA not stored or damaged, ERR_SYS our disk, ERR_REFUSED
 * the coordinator said no. */
const struct err *blob_error(const struct blob *t);

/* Ends the transfer's life in whatever state. NULL is fine. */
void blob_free(struct blobs *b, struct blob *t);

/* Links a file into the cache under its digest, so that a later stage on this worker
 * need not fetch it. Failure costs only that. */
void blobs_keep(struct blobs *b, const char *sha, const char *path);

#endif
