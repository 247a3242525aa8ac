#ifndef COORDINATOR_WEB_GUARD_H
#define COORDINATOR_WEB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

/*
 * Who may ask for what, decided from headers alone.
 *
 * - Host must be one of ours (else 421): a page of another site cannot reach a server on
 *   this machine under a name of its own (DNS rebinding).
 * - What changes something must come from our own pages (else 403), as Go's
 *   CrossOriginProtection decides it: Sec-Fetch-Site, else Origin against Host.
 * - Where there is a token, it must be shown (else 401), as a cookie or a bearer.
 */
struct guard {
    char **hosts; /* names of ours, without ports, owned */
    size_t n_hosts;
    char *token;   /* NULL: none is needed */
    char form[65]; /* goes into every form of ours and comes back with it */
};

/* What a request says about itself; NULL where a header is absent. */
struct guard_headers {
    const char *host, *origin, *fetch_site, *cookie, *authorization;
    size_t n_hosts; /* how many Host headers there were */
    bool is_post;
};

/* listen: "127.0.0.1:8080", names: more names of this server, with commas between or "".
 * token_file: "" for none; ERR_REFUSED when others may read it, or when there is none and
 * `listen` is not of this machine alone. */
MUST_CHECK int guard_init(struct guard *g, const char *listen, const char *names,
                          const char *token_file, struct err *err);
void guard_release(struct guard *g);

/* "HOST:PORT" or "[ADDRESS]:PORT" in two; host is written to (size bytes). ERR_USAGE. */
MUST_CHECK int guard_split(const char *listen, char *host, size_t size, int *port,
                           struct err *err);

/* 200, or the status to refuse it with; *why says it in words. */
int guard_check(const struct guard *g, const struct guard_headers *h, const char **why);

/* Whether the text that a form brought is that of our forms. */
bool guard_form_is_ours(const struct guard *g, const char *text);

/* Whether this is the token of the key file; the cookie's value for it (65 bytes). */
bool guard_is_token(const struct guard *g, const char *text);
void guard_cookie(const struct guard *g, char cookie[65]);

#endif
