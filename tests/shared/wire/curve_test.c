/* Keys on the wire: who is let in, under which name, and how he is put out. Also bundles,
 * through a real pair of sockets. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/keys/allow.h"
#include "shared/wire/bundle.h"
#include "shared/wire/sock.h"

static char dir[] = "/tmp/relusweep-curve-XXXXXX";
static char *allowed;
static struct keypair worker;

static int
make_keys(void **state)
{
    struct keypair server;
    struct err err;

    (void)state;
    if (mkdtemp(dir) == NULL || keyfile_new(&server, dir, "coordinator", &err) != 0
        || keyfile_new(&worker, dir, "worker", &err) != 0
        || sock_use_server_keys(dir, &err) != 0 || sock_use_client_keys(dir, &err) != 0)
        return -1;
    allowed = file_join(dir, "allowed");
    return 0;
}

static int
remove_keys(void **state)
{
    struct err err;

    (void)state;
    free(allowed);
    sock_finish();
    return file_remove_tree(dir, &err);
}

static const struct msg ready = {.type = MSG_READY,
                                 .u.ready = {.session = 7, .free = 3}};

static const struct msg forged = {.type = MSG_READY,
                                  .u.ready = {.session = 666, .free = 3}};

enum { PATIENCE_MS = 20000, SILENCE_MS = 500 };

/* Sends until something arrives or so much time is over; what sock_recv said at last. */
static int
exchange_for(int64_t ms, struct sock *router, struct sock *dealer,
             struct sock_peer *from, struct err *err)
{
    const int64_t end = clock_mono_ms() + ms;
    struct arena mem = {0};
    struct msg m;
    int rc = 0;

    while (rc == 0 && clock_mono_ms() < end) {
        unsigned char flag;
        (void)sock_send(dealer, NULL, &ready);
        (void)sock_wait(&router, 1, NULL, 0, &flag, 50);
        rc = sock_recv(router, from, &m, &mem, err);
    }
    if (rc == 1)
        assert_int_equal(m.u.ready.free, 3);
    arena_release(&mem);
    return rc;
}

static int
exchange(struct sock *router, struct sock *dealer, struct sock_peer *from,
         struct err *err)
{
    return exchange_for(PATIENCE_MS, router, dealer, from, err);
}

/* As exchange; a name given just now may take a moment to be known. */
static int
exchange_as(const char *name, struct sock *router, struct sock *dealer, struct err *err)
{
    const int64_t end = clock_mono_ms() + PATIENCE_MS;
    struct sock_peer from;
    int rc;

    do
        rc = exchange(router, dealer, &from, err);
    while (clock_mono_ms() < end && (rc != 1 || strcmp(from.user, name) != 0));
    return rc == 1 && strcmp(from.user, name) == 0 ? 1 : -1;
}

static void
a_key_that_is_not_allowed_meets_silence_and_hears_why(void **state)
{
    struct sock *router, *dealer;
    struct sock_peer from;
    struct err err;

    (void)state;
    assert_int_equal(sock_bind(&router, "tcp://127.0.0.1:*", &err), 0);
    assert_int_equal(sock_connect(&dealer, sock_endpoint(router), &err), 0);
    const int64_t end = clock_mono_ms() + PATIENCE_MS;
    const char *trouble = NULL;
    while (trouble == NULL && clock_mono_ms() < end) {
        assert_int_equal(exchange_for(SILENCE_MS, router, dealer, &from, &err), 0);
        trouble = sock_trouble(dealer);
    }
    assert_non_null(trouble);
    assert_non_null(strstr(trouble, "does not allow"));
    sock_close(dealer);
    sock_close(router);
}

/* A ZeroMQ socket that speaks our messages: without a key, or with keys of its own and a
 * server's key that is not ours. Sends until it cannot. */
static void *
stranger(void *context, const char *endpoint, bool with_keys)
{
    char public_key[41], secret_key[41], server_key[41], unused[41];
    void *sock = zmq_socket(context, ZMQ_DEALER);
    const int linger = 0;
    struct buf frame = {0};

    zmq_setsockopt(sock, ZMQ_LINGER, &linger, sizeof linger);
    if (with_keys) {
        zmq_curve_keypair(public_key, secret_key);
        zmq_curve_keypair(server_key, unused);
        zmq_setsockopt(sock, ZMQ_CURVE_PUBLICKEY, public_key, sizeof public_key);
        zmq_setsockopt(sock, ZMQ_CURVE_SECRETKEY, secret_key, sizeof secret_key);
        zmq_setsockopt(sock, ZMQ_CURVE_SERVERKEY, server_key, sizeof server_key);
    }
    assert_int_equal(zmq_connect(sock, endpoint), 0);
    msg_encode(&frame, &forged);
    for (int i = 0; i < 10; i++)
        (void)zmq_send(sock, frame.data, frame.len, ZMQ_DONTWAIT);
    buf_release(&frame);
    return sock;
}

/* Not even ZeroMQ. */
static int
stranger_over_tcp(const char *endpoint)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtol(strrchr(endpoint, ':') + 1, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    return fd;
}

static void
without_the_right_keys_nothing_arrives(void **state)
{
    void *context = zmq_ctx_new(), *plain, *wrong;
    struct sock *router, *dealer;
    struct sock_peer from;
    struct arena mem = {0};
    struct msg m;
    struct err err;

    (void)state;
    assert_int_equal(allow_add(allowed, "gpu2", worker.public_key, &err), 0);
    assert_int_equal(sock_bind(&router, "tcp://127.0.0.1:*", &err), 0);
    plain = stranger(context, sock_endpoint(router), false);
    wrong = stranger(context, sock_endpoint(router), true);
    const int fd = stranger_over_tcp(sock_endpoint(router));
    /* they were first, and are still at it when an honest one has got through */
    assert_int_equal(sock_connect(&dealer, sock_endpoint(router), &err), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(exchange_as("gpu2", router, dealer, &err), 1);
        usleep(10000);
    }
    while (sock_recv(router, &from, &m, &mem, &err) == 1)
        assert_int_equal(m.u.ready.session, ready.u.ready.session);
    arena_release(&mem);
    assert_int_equal(allow_remove(allowed, "gpu2", &err), 0);
    close(fd);
    zmq_close(plain);
    zmq_close(wrong);
    zmq_ctx_term(context);
    sock_close(dealer);
    sock_close(router);
}

static void
an_allowed_key_has_its_name_until_it_is_revoked(void **state)
{
    struct sock *router, *dealer;
    struct sock_peer from;
    struct err err;

    (void)state;
    assert_int_equal(allow_add(allowed, "gpu1", worker.public_key, &err), 0);
    assert_int_equal(sock_bind(&router, "tcp://127.0.0.1:*", &err), 0);
    assert_int_equal(sock_connect(&dealer, sock_endpoint(router), &err), 0);
    assert_int_equal(exchange_as("gpu1", router, dealer, &err), 1);
    assert_int_equal(allow_remove(allowed, "gpu1", &err), 0);
    const int64_t end = clock_mono_ms() + PATIENCE_MS;
    int rc = 1;
    while (rc == 1 && clock_mono_ms() < end)
        rc = exchange(router, dealer, &from, &err);
    assert_int_equal(rc, -1);
    assert_int_equal(err.kind, ERR_NET);
    assert_non_null(strstr(err.text, "revoked"));
    sock_close(dealer);
    sock_close(router);
}

static void
other_machines_may_be_reached_with_keys(void **state)
{
    struct sock *s;
    struct err err;

    (void)state;
    assert_int_equal(sock_bind(&s, "tcp://0.0.0.0:*", &err), 0);
    char address[64];
    sock_reachable(address, sizeof address, sock_endpoint(s), "tcp://node1:5555");
    assert_int_equal(strncmp(address, "tcp://node1:", 12), 0);
    sock_reachable(address, sizeof address, "tcp://10.0.0.1:7", "tcp://node1:5555");
    assert_string_equal(address, "tcp://10.0.0.1:7");
    sock_close(s);
}

static void
gathered_messages_arrive_in_order(void **state)
{
    struct sock *router, *dealer;
    struct sock_peer from;
    struct arena mem = {0};
    struct msg m;
    struct err err;
    char *endpoint = xasprintf("ipc://%s/s", dir);
    int64_t got = 0;

    (void)state;
    assert_int_equal(sock_bind(&router, endpoint, &err), 0);
    assert_int_equal(sock_connect(&dealer, endpoint, &err), 0);
    assert_int_equal(exchange(router, dealer, &from, &err), 1);
    sock_gather(dealer);
    for (int64_t i = 0; i < 20000; i++) { /* some bundles full, and the last one not */
        const struct msg one = {.type = MSG_READY,
                                .u.ready = {.session = i, .free = 3}};
        assert_int_equal(sock_send(dealer, NULL, &one), 0);
    }
    assert_int_equal(sock_flush(dealer, NULL), 0);
    while (got < 20000) {
        unsigned char flag;
        assert_int_equal(sock_wait(&router, 1, NULL, 0, &flag, 2000), 1);
        while (sock_recv(router, &from, &m, &mem, &err) == 1)
            if (m.u.ready.session != 7 || got == 7)
                assert_int_equal(m.u.ready.session, got++);
        arena_release(&mem);
    }
    sock_close(dealer);
    sock_close(router);
    free(endpoint);
}

static void
a_damaged_bundle_is_seen(void **state)
{
    struct buf b = {0};
    const void *message;
    size_t pos = 0, size;

    (void)state;
    bundle_add(&b, "one", 3);
    bundle_add(&b, "two", 3);
    assert_true(bundle_is(b.data, b.len));
    assert_int_equal(bundle_next(b.data, b.len, &pos, &message, &size), 1);
    assert_int_equal(size, 3);
    assert_memory_equal(message, "one", 3);
    size_t cut = pos;
    assert_int_equal(bundle_next(b.data, b.len - 1, &cut, &message, &size), -1);
    cut = pos;
    assert_int_equal(bundle_next(b.data, pos + 2, &cut, &message, &size), -1);
    assert_int_equal(bundle_next(b.data, b.len, &pos, &message, &size), 1);
    assert_int_equal(bundle_next(b.data, b.len, &pos, &message, &size), 0);
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_is_not_allowed_meets_silence_and_hears_why),
        cmocka_unit_test(without_the_right_keys_nothing_arrives),
        cmocka_unit_test(an_allowed_key_has_its_name_until_it_is_revoked),
        cmocka_unit_test(other_machines_may_be_reached_with_keys),
        cmocka_unit_test(gathered_messages_arrive_in_order),
        cmocka_unit_test(a_damaged_bundle_is_seen),
    };

    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
