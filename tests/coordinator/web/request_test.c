/* What a client sends: read once, bounded, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/web/request.h"
#include "shared/base/mem.h"

static struct request
read_request(const char *target)
{
    struct request r;
    struct err err = {0};

    if (request_init(&r, target, &err) != 0)
        fail_msg("%s: %s", target, err.text);
    return r;
}

static void
fields_are_decoded(void **state)
{
    struct request r =
        read_request("/jobs?where=relu_budget%3E%3D50k+seed%3d0&empty=&x");

    (void)state;
    assert_string_equal(r.path, "/jobs");
    assert_string_equal(request_get(&r, "where"), "relu_budget>=50k seed=0");
    assert_string_equal(request_get(&r, "empty"), "");
    assert_int_equal(r.n_fields, 3);
    request_release(&r);
}

static void
the_api_is_the_same_path(void **state)
{
    struct request r = read_request("/api/v1/sweeps/12/jobs?a=b");

    (void)state;
    assert_true(r.is_api);
    assert_true(request_matches(&r, "/sweeps/#/jobs"));
    assert_int_equal(r.ids[0], 12);
    request_release(&r);
}

static void
malformed_targets_are_refused(void **state)
{
    static const char *const bad[] = {
        "",      "jobs", "/jobs?a=%0", "/jobs?a=%zz", "/jobs?%",   "/jobs?a=%00",
        "/a\"b", "/A",   "/%2e",       "//é",         "/jobs?a=%4"};
    struct request r;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(request_init(&r, bad[i], &err), -1);
}

static void
too_much_is_refused(void **state)
{
    struct buf many = {0}, lengthy = {0};
    struct request r;
    struct err err;

    (void)state;
    buf_puts(&many, "/jobs?");
    for (int i = 0; i < REQUEST_MAX_FIELDS + 1; i++)
        buf_puts(&many, "a=b&");
    buf_puts(&lengthy, "/jobs?a=");
    for (int i = 0; i < 3000; i++)
        buf_putc(&lengthy, 'x');
    assert_int_equal(request_init(&r, buf_str(&many), &err), -1);
    assert_int_equal(request_init(&r, buf_str(&lengthy), &err), -1);
    buf_release(&many);
    buf_release(&lengthy);
}

static void
only_whole_paths_match(void **state)
{
    struct request r = read_request("/jobs/7");

    (void)state;
    assert_true(request_matches(&r, "/jobs/#"));
    assert_false(request_matches(&r, "/jobs"));
    assert_false(request_matches(&r, "/jobs/#/log"));
    assert_false(request_matches(&r, "/sweeps/#"));
    request_release(&r);
    r = read_request("/jobs/9999999999999999999");
    assert_false(request_matches(&r, "/jobs/#"));
    request_release(&r);
}

static void
numbers_out_of_range_are_the_fallback(void **state)
{
    struct request r =
        read_request("/jobs?limit=50&after=-3&big=99999999999999999999&t=5x");

    (void)state;
    assert_int_equal(request_number(&r, "limit", 100, 1, 1000), 50);
    assert_int_equal(request_number(&r, "limit", 100, 1, 10), 100);
    assert_int_equal(request_number(&r, "after", 0, 0, 10), 0);
    assert_int_equal(request_number(&r, "big", 4, 0, INT64_MAX), 4);
    assert_int_equal(request_number(&r, "t", 6, 0, 10), 6);
    request_release(&r);
}

static void
a_query_is_written_as_it_is_read(void **state)
{
    struct request r = read_request("/jobs?where=a%26b%3D%22%3C&after=5&state=failed");
    struct buf query = {0};

    (void)state;
    request_query(&query, &r, "after", "105");
    assert_string_equal(buf_str(&query),
                        "?where=a%26b%3D%22%3C&state=failed&after=105");
    buf_clear(&query);
    request_query(&query, &r, "state", "");
    assert_null(strstr(buf_str(&query), "state"));
    buf_release(&query);
    request_release(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_decoded),
        cmocka_unit_test(the_api_is_the_same_path),
        cmocka_unit_test(malformed_targets_are_refused),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(only_whole_paths_match),
        cmocka_unit_test(numbers_out_of_range_are_the_fallback),
        cmocka_unit_test(a_query_is_written_as_it_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
