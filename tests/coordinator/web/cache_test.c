/* Answers that are kept, compressed and named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "coordinator/web/cache.h"
#include "shared/base/mem.h"

static struct response
make_response(const char *text)
{
    struct response r = {.status = 200, .type = "text/plain"};

    buf_puts(&r.body, text);
    response_tag(&r);
    return r;
}

static bool
has(struct cache *c, const char *key, const char *moment, int64_t at, const char *text)
{
    struct response got = {0};
    const bool found = cache_get(c, key, moment, at, &got);

    if (found)
        assert_string_equal(buf_str(&got.body), text);
    response_release(&got);
    return found;
}

static void
an_answer_is_of_its_moment_or_knows_the_news(void **state)
{
    struct cache *c = cache_new();
    struct response r = make_response("one");

    (void)state;
    cache_put(c, "/a", "10:10:", 7, &r);
    assert_true(has(c, "/a", "10:10:", 0, "one"));
    assert_false(has(c, "/a", "11:11:", 0, "one"));
    assert_true(has(c, "/a", NULL, 7, "one"));
    assert_false(has(c, "/a", NULL, 8, "one"));
    assert_false(has(c, "/b", "10:10:", 7, "one"));
    response_release(&r);
    cache_free(c);
}

static void
an_older_answer_does_not_replace_a_newer_one(void **state)
{
    struct cache *c = cache_new();
    struct response old = make_response("old"), young = make_response("young");

    (void)state;
    cache_put(c, "/a", "m2", 9, &young);
    cache_put(c, "/a", "m1", 8, &old);
    assert_true(has(c, "/a", NULL, 9, "young"));
    response_release(&old);
    response_release(&young);
    cache_free(c);
}

static void
what_was_not_used_for_longest_leaves(void **state)
{
    struct cache *c = cache_new();
    struct response r = make_response("text");
    char key[16];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "/%d", i);
        cache_put(c, key, "m", 1, &r);
        assert_true(has(c, "/0", "m", 0, "text"));
    }
    assert_false(has(c, "/1", "m", 0, "text"));
    assert_true(has(c, "/99", "m", 0, "text"));
    response_release(&r);
    cache_free(c);
}

static void
what_the_client_has_is_not_sent_again(void **state)
{
    struct response r = make_response("text");
    char *tag = xstrdup(r.etag);

    (void)state;
    response_shorten(&r, "\"other\"");
    assert_int_equal(r.status, 200);
    response_shorten(&r, tag);
    assert_int_equal(r.status, 304);
    assert_int_equal(r.body.len, 0);
    response_release(&r);
    free(tag);
}

static void
long_texts_are_compressed_short_ones_are_not(void **state)
{
    struct response small = make_response("short"), large = make_response("");

    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_puts(&large.body, "again and again ");
    response_gzip(&small);
    response_gzip(&large);
    assert_false(small.is_gzip);
    assert_true(large.is_gzip);
    assert_true(large.body.len < 500);
    assert_memory_equal(large.body.data, "\x1f\x8b", 2);
    response_release(&small);
    response_release(&large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_of_its_moment_or_knows_the_news),
        cmocka_unit_test(an_older_answer_does_not_replace_a_newer_one),
        cmocka_unit_test(what_was_not_used_for_longest_leaves),
        cmocka_unit_test(what_the_client_has_is_not_sent_again),
        cmocka_unit_test(long_texts_are_compressed_short_ones_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
