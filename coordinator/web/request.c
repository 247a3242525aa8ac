/*
 * request.c - reading what a client sent. Everything here comes from outside: it is
 * bounded, decoded once, and refused rather than repaired. Pure; must not know sockets.
 */
#include "coordinator/web/request.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { MAX_TARGET = 2000, MAX_DIGITS = 15 };

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One name or value of a form. NULL when malformed; caller frees. */
static char *
decode(const char *text, size_t size)
{
    char *out = xmalloc(size + 1), *to = out;

    for (size_t i = 0; i < size; i++) {
        int c = text[i] == '+' ? ' ' : (unsigned char)text[i];
        if (c == '%') {
            const bool whole = i + 2 < size;
            const int hi = whole ? hex_digit(text[i + 1]) : -1;
            const int lo = whole ? hex_digit(text[i + 2]) : -1;
            c = hi < 0 || lo < 0 ? 0 : 16 * hi + lo;
            i += 2;
        }
        if (c == 0) {
            free(out);
            return NULL;
        }
        *to++ = (char)c;
    }
    *to = '\0';
    return out;
}

int
request_add_fields(struct request *r, const char *text, size_t size, struct err *err)
{
    const char *end = text + size;

    for (const char *at = text; at < end;) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        equals = equals != NULL ? equals : stop;
        const char *value = equals < stop ? equals + 1 : stop;
        struct request_field f = {decode(at, (size_t)(equals - at)),
                                  decode(value, (size_t)(stop - value))};
        if (f.name == NULL || f.value == NULL || r->n_fields == REQUEST_MAX_FIELDS) {
            free(f.name);
            free(f.value);
            return err_set(err, ERR_USAGE, "the fields of the address cannot be read");
        }
        r->fields = xrealloc(r->fields, (r->n_fields + 1) * sizeof *r->fields);
        r->fields[r->n_fields++] = f;
        at = stop + 1;
    }
    return 0;
}

/* Paths of ours have small letters, digits and a few signs, so none needs decoding. */
static bool
is_plain_path(const char *path, size_t n)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789/._-";

    return n > 0 && path[0] == '/' && strspn(path, allowed) >= n;
}

int
request_init(struct request *r, const char *target, struct err *err)
{
    static const char api[] = "/api/v1";
    const size_t length = strnlen(target, MAX_TARGET + 1);
    const size_t n = strcspn(target, "?");

    *r = (struct request){0};
    if (length > MAX_TARGET || !is_plain_path(target, n))
        return err_set(err, ERR_USAGE, "there is no such page");
    r->target = xstrdup(target);
    r->is_api = strncmp(target, api, sizeof api - 1) == 0 && n > sizeof api - 1;
    const size_t skip = r->is_api ? sizeof api - 1 : 0;
    r->path = xstrndup(target + skip, n - skip);
    if (target[n] == '?'
        && request_add_fields(r, target + n + 1, length - n - 1, err) != 0) {
        request_release(r);
        return -1;
    }
    return 0;
}

void
request_release(struct request *r)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        free(r->fields[i].name);
        free(r->fields[i].value);
    }
    free(r->fields);
    free(r->target);
    free(r->path);
    free(r->known);
    *r = (struct request){0};
}

const char *
request_get(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->n_fields; i++)
        if (strcmp(r->fields[i].name, name) == 0)
            return r->fields[i].value;
    return "";
}

size_t
request_count(const struct request *r, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_fields; i++)
        n += strcmp(r->fields[i].name, name) == 0;
    return n;
}

/* Digits alone, few enough to fit; returns how many characters, 0 when it is none. */
static size_t
read_number(const char *text, int64_t *out)
{
    const size_t n = strspn(text, "0123456789");

    if (n == 0 || n > MAX_DIGITS)
        return 0;
    *out = strtoll(text, NULL, 10);
    return n;
}

int64_t
request_number(const struct request *r, const char *name, int64_t fallback, int64_t lo,
               int64_t hi)
{
    const char *text = request_get(r, name);
    int64_t value;
    const size_t n = read_number(text, &value);

    if (n == 0 || text[n] != '\0' || value < lo || value > hi)
        return fallback;
    return value;
}

bool
request_matches(struct request *r, const char *pattern)
{
    const char *path = r->path;
    size_t n_ids = 0;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '#') {
            if (*path++ != *pattern)
                return false;
            continue;
        }
        const size_t n =
            n_ids < REQUEST_MAX_IDS ? read_number(path, &r->ids[n_ids]) : 0;
        if (n == 0)
            return false;
        path += n;
        n_ids++;
    }
    return *path == '\0';
}

void
request_encode(struct buf *out, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~,";

    for (; *value != '\0'; value++)
        if (strchr(plain, *value) != NULL)
            buf_putc(out, *value);
        else
            buf_printf(out, "%%%02X", (unsigned char)*value);
}

static void
add_pair(struct buf *out, bool *first, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    buf_putc(out, *first ? '?' : '&');
    *first = false;
    request_encode(out, name);
    buf_putc(out, '=');
    request_encode(out, value);
}

void
request_query(struct buf *out, const struct request *r, const char *name,
              const char *value)
{
    bool first = true;

    for (size_t i = 0; i < r->n_fields; i++)
        if (strcmp(r->fields[i].name, name) != 0)
            add_pair(out, &first, r->fields[i].name, r->fields[i].value);
    add_pair(out, &first, name, value);
}
