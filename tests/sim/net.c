/*
 * net.c - the network, as sock.h for the coordinator and as net_* for workers. A
 * connection keeps the order of what it carries and loses only by breaking, as those of
 * libzmq do; in a wild world single messages are lost, doubled and overtaken as well.
 * Messages travel encoded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/wire/sock.h"
#include "tests/sim/model.h"

enum { MAX_CONNECTIONS = 2000, MAX_FAILED = 8 };

/* One connection of a worker process to one life of a coordinator. */
struct connection {
    int worker, coordinator;
    int64_t life; /* of the coordinator */
    bool broken;  /* the next thing that the worker sends opens another one */
    char boot[17];
    int64_t last_ms[2]; /* arrival of the newest packet: to the coordinator, to us */
};

struct packet {
    bool used, to_coordinator;
    int connection;
    struct buf frame;
};

static struct connection connections[MAX_CONNECTIONS];
static int n_connections, connection_of[N_WORKERS];
static struct packet *packets;
static size_t n_packets, packet_capacity, first_free;
static struct {
    int64_t until_ms;
    bool lost;
} cuts[N_WORKERS][N_COORDINATORS];

/* A coordinator's socket: what has arrived, and whom it could not reach. */
struct sock {
    int coordinator;
    struct arrived {
        int connection;
        struct buf frame;
    } * queue;
    size_t n, next, capacity;
    struct sock_peer failed[MAX_FAILED];
    size_t n_failed;
};
static struct sock bound[N_COORDINATORS];

static void
clear_sock(struct sock *s)
{
    for (size_t i = s->next; i < s->n; i++)
        buf_release(&s->queue[i].frame);
    s->n = s->next = s->n_failed = 0;
}

void
net_reset(void)
{
    for (size_t i = 0; i < n_packets; i++) {
        if (packets[i].used)
            buf_release(&packets[i].frame);
        packets[i].used = false;
    }
    n_packets = first_free = 0;
    n_connections = 0;
    memset(cuts, 0, sizeof cuts);
    for (int c = 0; c < N_COORDINATORS; c++)
        clear_sock(&bound[c]);
    for (int w = 0; w < N_WORKERS; w++)
        connection_of[w] = -1;
}

void
net_break_all(void)
{
    for (int i = 0; i < n_connections; i++)
        connections[i].broken = true;
}

void
net_cut(int w, int c, int64_t until_ms, bool lost)
{
    cuts[w][c].until_ms = until_ms;
    cuts[w][c].lost = lost;
}

/* ---- connections ------------------------------------------------------------------ */

static void
open_connection(int w, int c)
{
    struct connection *n = &connections[n_connections];

    if (n_connections + 1 == MAX_CONNECTIONS) {
        world_violated("more than %d connections", MAX_CONNECTIONS);
        return;
    }
    *n =
        (struct connection){.worker = w, .coordinator = c, .life = world.nodes[c].life};
    snprintf(n->boot, sizeof n->boot, "%s", worker_boot(w));
    connection_of[w] = n_connections++;
}

void
net_connect(int w, bool next)
{
    const int now = connection_of[w];
    int c = now >= 0 ? connections[now].coordinator : 0;

    if (next)
        c = (c + 1) % world.n_coordinators;
    open_connection(w, c);
}

void
net_reconnect_all(int c)
{
    clear_sock(&bound[c]);
    for (int w = 0; w < world.n_workers; w++) {
        const int now = connection_of[w];
        if (now >= 0 && connections[now].coordinator == c)
            open_connection(w, c);
    }
}

/* ---- packets ---------------------------------------------------------------------- */

static size_t
free_packet(void)
{
    while (first_free < n_packets && packets[first_free].used)
        first_free++;
    if (first_free == n_packets) {
        packets = xgrow(packets, &packet_capacity, n_packets + 1, sizeof *packets);
        packets[n_packets++] = (struct packet){0};
    }
    return first_free;
}

static void
post(int connection, bool to_coordinator, const void *frame, size_t size)
{
    struct connection *n = &connections[connection];
    int64_t at = world.now_ms + world_random(world_fault(50) ? 400 : 4);
    const size_t slot = free_packet();

    if (world.now_ms < cuts[n->worker][n->coordinator].until_ms) {
        if (cuts[n->worker][n->coordinator].lost) {
            n->broken = !world.wild;
            return;
        }
        at += cuts[n->worker][n->coordinator].until_ms - world.now_ms;
    }
    if (!world.wild && at < n->last_ms[to_coordinator])
        at = n->last_ms[to_coordinator];
    n->last_ms[to_coordinator] = at;
    packets[slot].used = true;
    packets[slot].to_coordinator = to_coordinator;
    packets[slot].connection = connection;
    packets[slot].frame = (struct buf){0};
    buf_add(&packets[slot].frame, frame, size);
    world_at(at, PACKET, (int64_t)slot);
}

static void
send_over(int connection, bool to_coordinator, const struct msg *m)
{
    struct buf frame = {0};

    msg_encode(&frame, m);
    if (!world_fault(6)) {
        post(connection, to_coordinator, frame.data, frame.len);
    } else {
        TRACE("%s is lost", msg_type_name(m->type));
        connections[connection].broken = !world.wild;
    }
    if (world.wild && world_fault(20))
        post(connection, to_coordinator, frame.data, frame.len);
    buf_release(&frame);
}

int
net_send(int w, const struct msg *m)
{
    if (connection_of[w] < 0 || world_fault(4))
        return 1;
    TRACE("> %s", msg_type_name(m->type));
    const struct connection *n = &connections[connection_of[w]];
    if (n->broken && world.now_ms >= cuts[w][n->coordinator].until_ms)
        open_connection(w, n->coordinator);
    send_over(connection_of[w], true, m);
    return 0;
}

/* The connection over which a packet reaches its coordinator now; -1: it does not. */
static int
way_of(const struct packet *p)
{
    const struct connection *n = &connections[p->connection];
    const int now = connection_of[n->worker];

    if (!world.nodes[n->coordinator].up)
        return -1;
    if (n->life == world.nodes[n->coordinator].life && !n->broken)
        return p->connection;
    /* libzmq has connected again, and sends what it still had */
    if (now >= 0 && connections[now].coordinator == n->coordinator
        && strcmp(connections[now].boot, n->boot) == 0 && !world_fault(500))
        return now;
    return -1;
}

static void
deliver_to_coordinator(struct packet *p)
{
    const int way = way_of(p);

    if (way < 0) {
        buf_release(&p->frame);
        return;
    }
    const int c = connections[way].coordinator;
    struct sock *s = &bound[c];
    if (s->next == s->n)
        s->next = s->n = 0;
    s->queue = xgrow(s->queue, &s->capacity, s->n + 1, sizeof *s->queue);
    s->queue[s->n++] = (struct arrived){.connection = way, .frame = p->frame};
    world_wake(c, world.now_ms + (world_fault(300) ? world_random(30) : 0));
}

static void
deliver_to_worker(struct packet *p)
{
    const int w = connections[p->connection].worker;
    struct arena mem = {0};
    struct msg m;
    struct err err;

    if (world.nodes[N_COORDINATORS + w].up && connection_of[w] == p->connection
        && !connections[p->connection].broken) {
        if (msg_decode(&m, &mem, p->frame.data, p->frame.len, &err) == 0)
            worker_message(w, &m);
        else
            world_violated("a message cannot be read: %s", err.text);
        arena_release(&mem);
    }
    buf_release(&p->frame);
}

void
net_deliver(int64_t slot)
{
    struct packet p = packets[slot];
    const struct connection *n = &connections[p.connection];
    const int node = p.to_coordinator ? n->coordinator : N_COORDINATORS + n->worker;

    if (world.now_ms < world.nodes[node].paused_ms) {
        world_at(world.nodes[node].paused_ms, PACKET, slot);
        return;
    }
    packets[slot].used = false;
    if ((size_t)slot < first_free)
        first_free = (size_t)slot;
    if (p.to_coordinator)
        deliver_to_coordinator(&p);
    else
        deliver_to_worker(&p);
}

/* ---- sock.h ----------------------------------------------------------------------- */

struct sock *
net_sock(int c)
{
    bound[c].coordinator = c;
    return &bound[c];
}

static struct sock_peer
peer_of(int connection)
{
    struct sock_peer p = {.n = sizeof connection};

    memcpy(p.id, &connection, sizeof connection);
    return p;
}

void
sock_gather(struct sock *s)
{
    (void)s;
}

int
sock_send(struct sock *s, const struct sock_peer *peer, const struct msg *m)
{
    int connection;

    memcpy(&connection, peer->id, sizeof connection);
    const struct connection *n = &connections[connection];
    check_said(n->boot, m);
    TRACE("< %s to W%d", msg_type_name(m->type), n->worker);
    if (connection_of[n->worker] == connection && !n->broken) {
        send_over(connection, false, m);
    } else if (world_random(2) == 0 && s->n_failed < MAX_FAILED) {
        s->failed[s->n_failed++] = *peer;
    }
    return world_fault(2) ? 1 : 0;
}

int
sock_flush(struct sock *s, struct sock_peer *failed)
{
    if (s->n_failed == 0)
        return 0;
    *failed = s->failed[--s->n_failed];
    return 1;
}

int
sock_recv(struct sock *s, struct sock_peer *from, struct msg *out, struct arena *mem,
          struct err *err)
{
    if (s->next == s->n)
        return 0;
    struct arrived *a = &s->queue[s->next++];
    *from = peer_of(a->connection);
    const int rc = msg_decode(out, mem, a->frame.data, a->frame.len, err);
    buf_release(&a->frame);
    return rc == 0 ? 1 : -1;
}

int
sock_wait(struct sock *const *socks, size_t n_socks, const int *fds, size_t n_fds,
          unsigned char *ready, int64_t timeout_ms)
{
    (void)socks;
    (void)fds;
    (void)timeout_ms;
    memset(ready, 0, n_socks + n_fds);
    return 0;
}
