/*
 * http_fuzz.c - what a browser or a stranger sends to relusweep-web, once libevent has cut
 * it into lines: target, headers, form. Lines of the input: target, Host, Origin,
 * Sec-Fetch-Site, Cookie, Authorization; the rest is the form. What can be read is written
 * again as an address that reads the same.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/web/filter.h"
#include "coordinator/web/guard.h"
#include "shared/base/mem.h"
#include "tests/fuzz/fuzz.h"

enum { LINES = 6 };

/* The next line without its end, NULL for an empty one, as an absent header is. */
static char *
take_line(const char **at, const char *end)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    const size_t n = (size_t)((stop != NULL ? stop : end) - *at);
    char *line = n > 0 ? xstrndup(*at, n) : NULL;

    *at = stop != NULL ? stop + 1 : end;
    return line;
}

static void
check_guard(char *const lines[LINES])
{
    static struct guard g;
    struct err err;
    const char *why = "";
    const struct guard_headers h = {.host = lines[1],
                                    .origin = lines[2],
                                    .fetch_site = lines[3],
                                    .cookie = lines[4],
                                    .authorization = lines[5],
                                    .n_hosts = lines[1] != NULL,
                                    .is_post = true};

    if (g.n_hosts == 0
        && guard_init(&g, "127.0.0.1:8080", "lab.example", "", &err) != 0)
        abort();
    if (guard_check(&g, &h, &why) != 200)
        assert(why[0] != '\0');
    (void)guard_form_is_ours(&g, lines[4] != NULL ? lines[4] : "");
}

static void
check_again(const struct request *r)
{
    struct buf target = {0};
    struct request again;
    struct err err;

    buf_puts(&target, "/jobs");
    request_query(&target, r, "", "");
    if (request_init(&again, buf_str(&target), &err) == 0) {
        for (size_t i = 0; i < r->n_fields; i++) /* the first of a name counts */
            if (r->fields[i].name[0] != '\0' && r->fields[i].value[0] != '\0'
                && request_get(r, r->fields[i].name) == r->fields[i].value)
                assert(
                    strcmp(request_get(&again, r->fields[i].name), r->fields[i].value)
                    == 0);
        request_release(&again);
    }
    buf_release(&target);
}

static void
check_request(struct request *r, const char *form, size_t size)
{
    struct db_web_filter filter;
    struct arena mem = {0};
    struct err err;

    check_again(r);
    (void)request_matches(r, "/jobs/#");
    (void)request_number(r, "after", 0, 0, 100);
    if (request_add_fields(r, form, size, &err) != 0
        || filter_read(&filter, &mem, r, 0, &err) != 0)
        assert(err.kind == ERR_USAGE && err.text[0] != '\0');
    arena_release(&mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    char *lines[LINES];
    struct request r;
    struct err err;

    for (int i = 0; i < LINES; i++)
        lines[i] = take_line(&at, end);
    check_guard(lines);
    if (request_init(&r, lines[0] != NULL ? lines[0] : "", &err) == 0) {
        check_request(&r, at, (size_t)(end - at));
        request_release(&r);
    }
    for (int i = 0; i < LINES; i++)
        free(lines[i]);
    return 0;
}
