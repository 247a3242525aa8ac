#ifndef COORDINATOR_STORE_BULK_H
#define COORDINATOR_STORE_BULK_H

#include "coordinator/db/pg.h"
#include "coordinator/store/upload.h"
#include "shared/base/mem.h"
#include "shared/wire/sock.h"

/*
 * What PUT, CHUNK and GET mean, without socket and thread: messages and a connection go
 * in, replies come out. Replies to PUT and CHUNK count only after the commit of the
 * transaction that the caller has begun.
 */
enum { BULK_UPLOADS = 32 /* at once; more wait for a place */ };

struct bulk_reply {
    struct sock_peer to;
    struct msg m;
};

struct bulk {
    struct upload uploads[BULK_UPLOADS];
    size_t n_uploads;
    struct bulk_reply *replies;
    size_t n_replies, capacity;
    bool writing; /* the connection is busy with a piece (blobs_append) */
};

/* Memory of a reply is in `mem`. A message of another type, or a malformed one, gets a
 * REJECT or a refusal and is no error. */
MUST_CHECK int bulk_take(struct bulk *b, struct pg *pg, const struct sock_peer *from,
                         const struct msg *m, struct arena *mem, int64_t now_ms,
                         struct err *err);

/* What was taken is written; before the commit. */
MUST_CHECK int bulk_settle(struct bulk *b, struct pg *pg, struct err *err);

/* The transaction was rolled back: what was in progress is read again from rows. */
void bulk_forget(struct bulk *b);
void bulk_release(struct bulk *b);

#endif
