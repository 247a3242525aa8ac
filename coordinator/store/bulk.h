#ifndef COORDINATOR_STORE_BULK_H
#define COORDINATOR_STORE_BULK_H

#include "coordinator/db/pg.h"
#include "coordinator/store/readings.h"
#include "coordinator/store/upload.h"
#include "shared/base/mem.h"
#include "shared/wire/sock.h"

/*
 * What PUT, CHUNK and GET mean, without socket and thread: messages and a connection go
 * in, replies come out. Replies count only after the commit of the transaction that the
 * caller has begun; pieces of files need none but for the first and the last.
 */
enum { BULK_UPLOADS = 32 /* at once; more wait for a place */ };

struct bulk_reply {
    struct sock_peer to;
    struct msg m;
};

struct bulk {
    struct upload uploads[BULK_UPLOADS];
    size_t n_uploads;
    int64_t folder;           /* for files of new blobs; 0: all go into the database */
    int64_t folder_min_bytes; /* smaller ones go there all the same */
    struct readings readings;
    struct bulk_reply *replies;
    size_t n_replies, capacity;
    bool writing; /* the connection is busy with a piece (blobs_append) */
};

/* Whether the message needs a transaction. */
bool bulk_needs_rows(struct bulk *b, const struct msg *m, int64_t now_ms);

/* Memory of a reply is in `mem`. A message of another type, or a malformed one, gets a
 * REJECT or a refusal and is no error. */
MUST_CHECK int bulk_take(struct bulk *b, struct pg *pg, const struct sock_peer *from,
                         const struct msg *m, struct arena *mem, int64_t now_ms,
                         struct err *err);

/* What was taken is written; before the commit. */
MUST_CHECK int bulk_settle(struct bulk *b, struct pg *pg, struct err *err);

/* The transaction was rolled back: what was in progress is read again from rows and
 * files. */
void bulk_forget(struct bulk *b);

/* Nobody keeps a file open for ever. */
void bulk_close_idle(struct bulk *b, int64_t now_ms);
void bulk_release(struct bulk *b);

#endif
