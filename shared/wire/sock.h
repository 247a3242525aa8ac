#ifndef SHARED_WIRE_SOCK_H
#define SHARED_WIRE_SOCK_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/wire/msg.h"

/* The only file pair that knows <zmq.h>. One context per process, made at first use. */
struct sock;

/* A peer of a ROUTER socket: the routing id that libzmq generated, and the name under
 * which its key is allowed ("" without keys). */
struct sock_peer {
    unsigned char id[16];
    unsigned char n;
    char user[64];
};

/* Keys of this process, for every TCP socket that it opens from now on (CURVE); sockets of
 * unix folders need none. Without them TCP is confined to loopback.
 *
 * server: workers whose key lies in DIR/allowed may connect to us; our pair is
 * DIR/coordinator.key. client: our pair is DIR/worker.key, and the coordinator's public
 * key DIR/coordinator.pub. Both may be called, for tests. */
MUST_CHECK int sock_use_server_keys(const char *dir, struct err *err);
MUST_CHECK int sock_use_client_keys(const char *dir, struct err *err);

/* What the network said against this connection since it was asked last, for people: a
 * key that was refused. NULL: nothing. */
const char *sock_trouble(struct sock *s);

/* Binds a ROUTER. endpoint: "ipc:///path" or "tcp://127.0.0.1:5555"; "tcp://...:*"
 * chooses a port. An address in use, and a tcp address that is not loopback where there
 * are no keys, are errors that say what to do. */
MUST_CHECK int sock_bind(struct sock **out, const char *endpoint, struct err *err);

/* The same for messages of up to MSG_MAX_BYTES each: shorter queues, so that a peer that
 * asks and never reads costs 64 MiB and not a gigabyte. What does not fit is lost. */
MUST_CHECK int sock_bind_bulk(struct sock **out, const char *endpoint, struct err *err);

/* Connects a DEALER; returns at once, libzmq reconnects by itself. Where the other machine
 * gives no word of what was sent for 10 s, the connection ends and takes nothing; one for
 * bulk data waits, for there the other side may be slow. */
MUST_CHECK int sock_connect(struct sock **out, const char *endpoint, struct err *err);
MUST_CHECK int sock_connect_bulk(struct sock **out, const char *endpoint,
                                 struct err *err);
void sock_close(struct sock *s);

/* At the end of a process, when all its sockets are closed: waits until what was sent has
 * left, at most about a second. No socket can be opened after it. */
void sock_finish(void);

/* The bound endpoint with the real port; borrowed. */
const char *sock_endpoint(const struct sock *s);

/* From now on what is sent waits for sock_flush, and what goes to one peer travels
 * together (bundle.h). For sockets of many small messages. */
void sock_gather(struct sock *s);

/* Sends what was gathered. 0: all of it; 1: what was for *failed (may be NULL for a
 * DEALER) is lost, because the peer is gone or its queue is full; call again for the
 * others. */
int sock_flush(struct sock *s, struct sock_peer *failed);

/* The address `told` by a peer that listens on all its addresses (tcp://0.0.0.0:5556), as
 * one that can be connected to: with the host of `known`, at which that peer was found.
 * Any other address is copied. */
void sock_reachable(char *out, size_t size, const char *told, const char *known);

/* Sends. peer is NULL for a DEALER. 0 sent; 1 would block (queue full) or the peer is
 * gone; never blocks. */
int sock_send(struct sock *s, const struct sock_peer *peer, const struct msg *m);

/* Receives one message: 1 received, 0 nothing there, -1 malformed, or ERR_NET from a peer
 * whose key was revoked (err filled; *from is valid for a ROUTER, so that a REJECT can be
 * sent). */
MUST_CHECK int sock_recv(struct sock *s, struct sock_peer *from, struct msg *out,
                         struct arena *mem, struct err *err);

/* Waits until a socket or a plain file descriptor is readable, at most timeout_ms (-1:
 * for ever). ready[i] is set for socks first, then fds. Returns how many are ready;
 * a signal gives 0. */
int sock_wait(struct sock *const *socks, size_t n_socks, const int *fds, size_t n_fds,
              unsigned char *ready, int64_t timeout_ms);

#endif
