/*
 * guard.c - Host, origin and token. Invariant: secrets are compared in constant time and
 * never leave this file but as digests. Must not know the HTTP library.
 */
#include "coordinator/web/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { MIN_TOKEN = 16, MAX_HOST = 255 };

static const char cookie_name[] = "relusweep=";

/* ---- setting up ------------------------------------------------------------------- */

int
guard_split(const char *listen, char *host, size_t size, int *port, struct err *err)
{
    const char *colon = strrchr(listen, ':');
    const bool bracket = listen[0] == '[';
    const size_t skip = bracket ? 1 : 0;

    if (colon != NULL && (!bracket || (colon > listen + 1 && colon[-1] == ']'))) {
        const size_t n = (size_t)(colon - listen) - 2 * skip;
        char *end;
        const long number = strtol(colon + 1, &end, 10);
        if (n > 0 && n < size && end > colon + 1 && *end == '\0' && number >= 0
            && number <= 65535) {
            snprintf(host, size, "%.*s", (int)n, listen + skip);
            *port = (int)number;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE,
                   "`%.200s` is no address to listen at: write HOST:PORT, such as "
                   "127.0.0.1:8080 or [::1]:8080",
                   listen);
}

static bool
is_local(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0
           || strncmp(host, "127.", 4) == 0;
}

static void
add_names(struct guard *g, const char *names)
{
    while (*names != '\0') {
        const size_t n = strcspn(names, ",");
        if (n > 0) {
            g->hosts = xrealloc(g->hosts, (g->n_hosts + 1) * sizeof *g->hosts);
            g->hosts[g->n_hosts++] = xstrndup(names, n);
        }
        names += n + (names[n] == ',');
    }
}

static int
check_private(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_sys(err, "token file %s", path);
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_REFUSED,
                       "others may read the token file %s: make a new token, and "
                       "`chmod 600` it",
                       path);
    return 0;
}

static int
read_token(struct guard *g, const char *path, struct err *err)
{
    struct buf text = {0};

    if (check_private(path, err) != 0 || file_read(&text, path, err) != 0)
        return -1;
    const size_t n = strcspn(buf_str(&text), " \t\r\n");
    if (n >= MIN_TOKEN)
        g->token = xstrndup(text.data, n);
    else
        err_set(err, ERR_REFUSED, "the token in %s is shorter than %d characters", path,
                MIN_TOKEN);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    buf_release(&text);
    return g->token != NULL ? 0 : -1;
}

static int
make_form_token(struct guard *g, struct err *err)
{
    unsigned char noise[32];

    if (getrandom(noise, sizeof noise, 0) != (ssize_t)sizeof noise)
        return err_sys(err, "getrandom");
    memcpy(g->form, sha256_bytes(noise, sizeof noise).hex, sizeof g->form);
    return 0;
}

int
guard_init(struct guard *g, const char *listen, const char *names,
           const char *token_file, struct err *err)
{
    char host[MAX_HOST + 1] = "";
    int port;

    *g = (struct guard){0};
    if (guard_split(listen, host, sizeof host, &port, err) != 0
        || make_form_token(g, err) != 0
        || (token_file[0] != '\0' && read_token(g, token_file, err) != 0))
        return -1;
    if (g->token == NULL && !is_local(host))
        return err_set(err, ERR_REFUSED,
                       "at %.200s others can reach the page: give --token-file, a file "
                       "of mode 600 with a secret of at least %d characters",
                       listen, MIN_TOKEN);
    add_names(g, host);
    add_names(g, names);
    if (is_local(host))
        add_names(g, "localhost,127.0.0.1,::1");
    return 0;
}

void
guard_release(struct guard *g)
{
    for (size_t i = 0; i < g->n_hosts; i++)
        free(g->hosts[i]);
    free(g->hosts);
    if (g->token != NULL)
        explicit_bzero(g->token, strlen(g->token));
    free(g->token);
    *g = (struct guard){0};
}

/* ---- checking --------------------------------------------------------------------- */

/* Digests have one length, and all of it is looked at. */
static bool
same_secret(const char *a, const char *b)
{
    const struct sha256 x = sha256_bytes(a, strlen(a)), y = sha256_bytes(b, strlen(b));
    unsigned char differ = 0;

    for (int i = 0; i < SHA256_HEX; i++)
        differ = (unsigned char)(differ | (x.hex[i] ^ y.hex[i]));
    return differ == 0;
}

bool
guard_form_is_ours(const struct guard *g, const char *text)
{
    return same_secret(g->form, text);
}

bool
guard_is_token(const struct guard *g, const char *text)
{
    return g->token != NULL && same_secret(g->token, text);
}

void
guard_cookie(const struct guard *g, char cookie[65])
{
    char *text = xasprintf("relusweep-web %s", g->token);
    const struct sha256 digest = sha256_bytes(text, strlen(text));

    memcpy(cookie, digest.hex, sizeof digest.hex);
    explicit_bzero(text, strlen(text));
    free(text);
}

static bool
has_cookie(const struct guard *g, const char *header)
{
    const char *at = header != NULL ? strstr(header, cookie_name) : NULL;
    char want[65], got[65];

    if (at == NULL)
        return false;
    guard_cookie(g, want);
    snprintf(got, sizeof got, "%.64s", at + sizeof cookie_name - 1);
    got[strspn(got, "0123456789abcdef")] = '\0';
    return same_secret(want, got);
}

static bool
has_bearer(const struct guard *g, const char *header)
{
    return header != NULL && strncmp(header, "Bearer ", 7) == 0
           && guard_is_token(g, header + 7);
}

/* The port is not looked at: a site that uses our address by a name of its own cannot
 * choose the name. */
static bool
is_our_host(const struct guard *g, const char *header)
{
    const bool bracket = header[0] == '[';
    const char *name = header + bracket;
    const size_t n = strcspn(name, bracket ? "]" : ":");
    const char *rest = name + n + (bracket && name[n] == ']');

    if (rest[0] != '\0' && (rest[0] != ':' || rest[1 + strspn(rest + 1, "0123456789")]))
        return false;
    for (size_t i = 0; i < g->n_hosts; i++)
        if (strlen(g->hosts[i]) == n && strncasecmp(g->hosts[i], name, n) == 0)
            return true;
    return false;
}

/* "http://host:port" of the page that sent the form. */
static bool
is_same_origin(const struct guard_headers *h)
{
    const char *origin = h->origin, *host;

    if (h->fetch_site != NULL)
        return strcmp(h->fetch_site, "same-origin") == 0
               || strcmp(h->fetch_site, "none") == 0;
    if (origin == NULL)
        return true; /* no browser: it has no cookies of ours that it could misuse */
    host = strstr(origin, "://");
    return host != NULL && strcasecmp(host + 3, h->host) == 0;
}

int
guard_check(const struct guard *g, const struct guard_headers *h, const char **why)
{
    *why = "";
    if (h->n_hosts != 1 || h->host == NULL) {
        *why = "a request needs one Host header";
        return 400;
    }
    if (!is_our_host(g, h->host)) {
        *why = "this server has another name; --names adds some";
        return 421;
    }
    if (h->is_post && !is_same_origin(h)) {
        *why = "this must come from a page of this server";
        return 403;
    }
    if (g->token != NULL && !has_cookie(g, h->cookie)
        && !has_bearer(g, h->authorization)) {
        *why = "a token is needed";
        return 401;
    }
    return 200;
}
