#ifndef COORDINATOR_WEB_REQUEST_H
#define COORDINATOR_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

/*
 * One HTTP request as the pages see it: a path, fields, and what was negotiated. Owns
 * all of its text, so that it can travel to another thread. Initialise with {0}.
 */
struct request_field {
    char *name, *value;
};
enum { REQUEST_MAX_FIELDS = 160, REQUEST_MAX_IDS = 2 };

struct request {
    bool is_post, is_api, takes_gzip;
    char *target;                 /* path and query as sent: names the answer */
    char *path;                   /* without /api/v1 and the query */
    struct request_field *fields; /* of the query, then of the form */
    size_t n_fields;
    int64_t ids[REQUEST_MAX_IDS]; /* numbers in the path, set by the route */
    int64_t at;                   /* news that the answer must know of; 0: the newest */
    char *known;                  /* If-None-Match, or NULL */
};

/* target: "/jobs?state=failed", at most 2,000 bytes. ERR_USAGE when it cannot be read. */
MUST_CHECK int request_init(struct request *r, const char *target, struct err *err);

/* Adds the fields of a form or query: "a=1&b=x%20y". ERR_USAGE for malformed escapes,
 * NULs, or too many fields. */
MUST_CHECK int request_add_fields(struct request *r, const char *text, size_t size,
                                  struct err *err);
void request_release(struct request *r);

/* The value of a field, "" when there is none. Borrowed. */
const char *request_get(const struct request *r, const char *name);

/* How many fields have this name. */
size_t request_count(const struct request *r, const char *name);

/* A field that is a number from `lo` to `hi`; `fallback` when absent or anything else. */
int64_t request_number(const struct request *r, const char *name, int64_t fallback,
                       int64_t lo, int64_t hi);

/* "/jobs/#" against the path; # is a number, kept in r->ids. */
bool request_matches(struct request *r, const char *pattern);

/* Appends `value` as a part of a query. */
void request_encode(struct buf *out, const char *value);

/* Appends the query of this request with field `name` set to `value` ("": without it):
 * "?state=failed&after=100". Nothing when it would be empty. */
void request_query(struct buf *out, const struct request *r, const char *name,
                   const char *value);

#endif
