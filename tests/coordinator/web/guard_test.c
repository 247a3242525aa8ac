/* Who may ask for what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/web/guard.h"

static char path[] = "/tmp/relusweep-guard-XXXXXX";

static int
write_token(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    return fd >= 0 && write(fd, "0123456789abcdef\n", 17) == 17 ? close(fd) : -1;
}

static int
remove_token(void **state)
{
    (void)state;
    return unlink(path);
}

static struct guard
make_guard(const char *listen, const char *names, const char *token_file)
{
    struct guard g;
    struct err err = {0};

    if (guard_init(&g, listen, names, token_file, &err) != 0)
        fail_msg("%s", err.text);
    return g;
}

static int
status(const struct guard *g, struct guard_headers h)
{
    const char *why;

    h.n_hosts = h.n_hosts > 0 ? h.n_hosts : 1;
    return guard_check(g, &h, &why);
}

static void
only_our_names_are_answered(void **state)
{
    struct guard g = make_guard("127.0.0.1:8080", "lab.example,gpu1", "");

    (void)state;
    assert_int_equal(status(&g, (struct guard_headers){.host = "127.0.0.1:8080"}), 200);
    assert_int_equal(status(&g, (struct guard_headers){.host = "LOCALHOST:9"}), 200);
    assert_int_equal(status(&g, (struct guard_headers){.host = "[::1]:8080"}), 200);
    assert_int_equal(status(&g, (struct guard_headers){.host = "lab.example"}), 200);
    assert_int_equal(status(&g, (struct guard_headers){.host = "evil.example"}), 421);
    assert_int_equal(status(&g, (struct guard_headers){.host = "lab.example.evil"}),
                     421);
    assert_int_equal(status(&g, (struct guard_headers){.host = "gpu1:80@evil"}), 421);
    assert_int_equal(status(&g, (struct guard_headers){.host = NULL}), 400);
    assert_int_equal(
        status(&g, (struct guard_headers){.host = "localhost", .n_hosts = 2}), 400);
    guard_release(&g);
}

static void
changes_come_from_our_own_pages(void **state)
{
    struct guard g = make_guard("127.0.0.1:8080", "", "");
    struct guard_headers h = {.host = "127.0.0.1:8080", .is_post = true};

    (void)state;
    assert_int_equal(status(&g, h), 200);
    h.origin = "http://127.0.0.1:8080";
    assert_int_equal(status(&g, h), 200);
    h.origin = "http://127.0.0.1:9090";
    assert_int_equal(status(&g, h), 403);
    h.origin = "null";
    assert_int_equal(status(&g, h), 403);
    h.fetch_site = "same-origin";
    assert_int_equal(status(&g, h), 200);
    h.fetch_site = "same-site";
    assert_int_equal(status(&g, h), 403);
    h.is_post = false;
    assert_int_equal(status(&g, h), 200);
    guard_release(&g);
}

static void
others_need_the_token(void **state)
{
    struct guard g = make_guard("0.0.0.0:8080", "lab", path);
    struct guard_headers h = {.host = "lab"};
    char cookie[65], header[100];

    (void)state;
    assert_int_equal(status(&g, h), 401);
    h.authorization = "Bearer 0123456789abcdee";
    assert_int_equal(status(&g, h), 401);
    h.authorization = "Bearer 0123456789abcdef";
    assert_int_equal(status(&g, h), 200);
    h.authorization = NULL;
    guard_cookie(&g, cookie);
    snprintf(header, sizeof header, "a=b; relusweep=%s", cookie);
    h.cookie = header;
    assert_int_equal(status(&g, h), 200);
    header[20] = header[20] == '0' ? '1' : '0';
    assert_int_equal(status(&g, h), 401);
    assert_null(strstr(header, "0123456789abcdef"));
    assert_true(guard_is_token(&g, "0123456789abcdef"));
    guard_release(&g);
}

static void
nothing_is_open_to_others_by_mistake(void **state)
{
    struct guard g;
    struct err err;

    (void)state;
    assert_int_equal(guard_init(&g, "0.0.0.0:8080", "", "", &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    guard_release(&g);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(guard_init(&g, "127.0.0.1:8080", "", path, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    guard_release(&g);
    assert_int_equal(chmod(path, 0600), 0);
}

static void
addresses_are_hosts_and_ports(void **state)
{
    char host[20];
    struct err err;
    int port;

    (void)state;
    assert_int_equal(guard_split("[::1]:80", host, sizeof host, &port, &err), 0);
    assert_string_equal(host, "::1");
    assert_int_equal(port, 80);
    assert_int_equal(guard_split("localhost", host, sizeof host, &port, &err), -1);
    assert_int_equal(guard_split(":80", host, sizeof host, &port, &err), -1);
    assert_int_equal(guard_split("a:70000", host, sizeof host, &port, &err), -1);
    assert_int_equal(guard_split("a:8x", host, sizeof host, &port, &err), -1);
}

static void
forms_of_another_start_are_not_ours(void **state)
{
    struct guard a = make_guard("127.0.0.1:1", "", ""),
                 b = make_guard("127.0.0.1:1", "", "");

    (void)state;
    assert_true(guard_form_is_ours(&a, a.form));
    assert_false(guard_form_is_ours(&a, b.form));
    assert_false(guard_form_is_ours(&a, ""));
    guard_release(&a);
    guard_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_our_names_are_answered),
        cmocka_unit_test(changes_come_from_our_own_pages),
        cmocka_unit_test(others_need_the_token),
        cmocka_unit_test(nothing_is_open_to_others_by_mistake),
        cmocka_unit_test(addresses_are_hosts_and_ports),
        cmocka_unit_test(forms_of_another_start_are_not_ours),
    };

    return cmocka_run_group_tests(tests, write_token, remove_token);
}
