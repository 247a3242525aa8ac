#ifndef COORDINATOR_WEB_RESPONSE_H
#define COORDINATOR_WEB_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/buf.h"

/* The answer to a request. Initialise with {0}. */
struct response {
    int status;
    const char *type; /* of the body, a constant */
    struct buf body;
    char *location;           /* for 303; NULL: none; owned */
    char *cookie;             /* Set-Cookie; NULL: none; owned */
    char *etag;               /* NULL: none; owned */
    bool is_gzip, is_forever; /* forever: may be kept without asking again */
    /* A stored blob in place of the body, and what the browser may call it; NULL: none;
     * owned */
    char *blob, *file_name;
    int64_t blob_size;
};

void response_release(struct response *r);

/* A copy of its own. */
void response_copy(struct response *to, const struct response *from);

/* Compresses the body where that is worth it. */
void response_gzip(struct response *r);

/* Names the body by its digest; an answer that the client has becomes 304 without body.
 * known: If-None-Match or NULL. */
void response_tag(struct response *r);
void response_shorten(struct response *r, const char *known);

#endif
