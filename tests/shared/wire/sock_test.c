/* Sockets over ipc in a temporary folder and over loopback. */
#include "shared/wire/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

struct place {
    char dir[64];
    char endpoint[96];
};

static int
set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);

    strcpy(p->dir, "/tmp/relusweep-sock-XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    snprintf(p->endpoint, sizeof p->endpoint, "ipc://%s/s", p->dir);
    *state = p;
    return 0;
}

static int
tear_down(void **state)
{
    struct place *p = *state;
    struct err err;
    const int rc = file_remove_tree(p->dir, &err);

    free(p);
    return rc;
}

static const struct msg ready = {MSG_READY, .u.ready = {5, 1}};
static const struct msg welcome = {MSG_WELCOME, .u.welcome = {.session = 9}};

/* Tries until a connection is there; the test fails after 5 s. */
static void
send_until(struct sock *s, const struct msg *m)
{
    const int64_t end = clock_mono_ms() + 5000;

    while (sock_send(s, NULL, m) != 0) {
        assert_true(clock_mono_ms() < end);
        usleep(2000);
    }
}

static void
receive(struct sock *s, struct sock_peer *from, struct msg *m, struct arena *mem)
{
    unsigned char flag;
    struct err err;

    assert_int_equal(sock_wait(&s, 1, NULL, 0, &flag, 5000), 1);
    assert_int_equal(flag, 1);
    assert_int_equal(sock_recv(s, from, m, mem, &err), 1);
}

static void
a_message_goes_there_and_its_answer_back(void **state)
{
    const struct place *p = *state;
    struct sock *router, *dealer;
    struct sock_peer peer = {0};
    struct arena mem = {0};
    struct msg m;
    struct err err;

    assert_int_equal(sock_bind(&router, p->endpoint, &err), 0);
    assert_int_equal(sock_connect(&dealer, p->endpoint, &err), 0);
    assert_int_equal(sock_recv(router, &peer, &m, &mem, &err), 0);
    send_until(dealer, &ready);
    receive(router, &peer, &m, &mem);
    assert_int_equal(m.type, MSG_READY);
    assert_true(peer.n > 0);
    assert_int_equal(sock_send(router, &peer, &welcome), 0);
    receive(dealer, NULL, &m, &mem);
    assert_int_equal(m.u.welcome.session, 9);
    arena_release(&mem);
    sock_close(dealer);
    sock_close(router);
}

static void
nothing_is_queued_for_a_coordinator_that_is_not_there(void **state)
{
    const struct place *p = *state;
    struct sock *dealer;
    struct err err;

    assert_int_equal(sock_connect(&dealer, p->endpoint, &err), 0);
    assert_int_equal(sock_send(dealer, NULL, &ready), 1);
    sock_close(dealer);
}

static void
a_peer_that_is_gone_is_reported(void **state)
{
    const struct place *p = *state;
    const struct sock_peer nobody = {.id = {0, 1, 2, 3, 4}, .n = 5};
    struct sock *router;
    struct err err;

    assert_int_equal(sock_bind(&router, p->endpoint, &err), 0);
    assert_int_equal(sock_send(router, &nobody, &welcome), 1);
    sock_close(router);
}

static void
an_address_in_use_is_an_error_that_names_it(void **state)
{
    const struct place *p = *state;
    struct sock *first, *second = NULL;
    struct err err;

    assert_int_equal(sock_bind(&first, p->endpoint, &err), 0);
    assert_int_equal(sock_bind(&second, p->endpoint, &err), -1);
    assert_null(second);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, p->endpoint));
    assert_non_null(strstr(err.text, "in use"));
    sock_close(first);
}

static void
a_tcp_port_is_chosen_and_cannot_be_taken_twice(void **state)
{
    struct sock *first, *second = NULL;
    struct err err;

    (void)state;
    assert_int_equal(sock_bind(&first, "tcp://127.0.0.1:*", &err), 0);
    assert_null(strchr(sock_endpoint(first), '*'));
    assert_int_equal(sock_bind(&second, sock_endpoint(first), &err), -1);
    assert_non_null(strstr(err.text, "in use"));
    sock_close(first);
}

static void
an_address_of_a_dead_program_is_taken_over(void **state)
{
    const struct place *p = *state;
    char *path = file_join(p->dir, "s");
    struct sock *s;
    struct err err;

    assert_int_equal(file_write(path, "", 0, &err), 0); /* a socket file left behind */
    assert_int_equal(sock_bind(&s, p->endpoint, &err), 0);
    sock_close(s);
    free(path);
}

static void
addresses_beyond_this_machine_are_refused(void **state)
{
    static const char *const far[] = {"tcp://*:5555", "tcp://0.0.0.0:5555",
                                      "tcp://192.168.1.7:5555", "tcp://example.org:1"};
    struct sock *s;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        assert_int_equal(sock_bind(&s, far[i], &err), -1);
        assert_int_equal(err.kind, ERR_REFUSED);
        assert_int_equal(sock_connect(&s, far[i], &err), -1);
        assert_non_null(strstr(err.text, "keys"));
    }
    assert_int_equal(sock_bind(&s, "nonsense", &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
}

static void
waiting_sees_file_descriptors_too(void **state)
{
    const struct place *p = *state;
    unsigned char flags[2];
    struct sock *router;
    struct err err;
    int pipe_fd[2];

    assert_int_equal(sock_bind(&router, p->endpoint, &err), 0);
    assert_int_equal(pipe(pipe_fd), 0);
    assert_int_equal(sock_wait(&router, 1, pipe_fd, 1, flags, 0), 0);
    assert_int_equal(write(pipe_fd[1], "x", 1), 1);
    assert_int_equal(sock_wait(&router, 1, pipe_fd, 1, flags, 1000), 1);
    assert_int_equal(flags[0], 0);
    assert_int_equal(flags[1], 1);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
    sock_close(router);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_there_and_its_answer_back),
        TEST(nothing_is_queued_for_a_coordinator_that_is_not_there),
        TEST(a_peer_that_is_gone_is_reported),
        TEST(an_address_in_use_is_an_error_that_names_it),
        TEST(a_tcp_port_is_chosen_and_cannot_be_taken_twice),
        TEST(an_address_of_a_dead_program_is_taken_over),
        TEST(addresses_beyond_this_machine_are_refused),
        TEST(waiting_sees_file_descriptors_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
