/*
 * fleet.c - very many idle workers, to measure what they cost a coordinator: each has a
 * connection and a session, offers one slot and beats as it is told to. By hand, by
 * scale.py: fleet ENDPOINT WORKERS SECONDS [KEYS]. A process has 250 of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/wire/sock.h"

enum {
    WORKERS_OF_PROCESS = 250,
    LOOK_MS = 5,
    WELCOME_LOOK_MS = 250,
    HELLO_AGAIN_MS = 20000
};

struct fleet_worker {
    struct sock *sock;
    char boot[64];
    int64_t session, heartbeat_ms, due_ms, look_ms;
};

static int
say(struct fleet_worker *w, const struct msg *m)
{
    return sock_send(w->sock, NULL, m);
}

static void
say_hello(struct fleet_worker *w, int64_t now_ms)
{
    const struct msg m = {
        .type = MSG_HELLO,
        .u.hello = {.name = "fleet",
                    .boot = w->boot,
                    .host = w->boot,
                    .version = RELUSWEEP_VERSION,
                    .catalog = "{\"version\":1,\"program\":\"" RELUSWEEP_VERSION
                               "\",\"methods\":[]}",
                    .slots = 1,
                    .threads = 1,
                    .labels = "",
                    .backend = "none"}};

    (void)say(w, &m);
    w->session = 0;
    w->due_ms = now_ms + HELLO_AGAIN_MS;
}

static void
say_ready(struct fleet_worker *w)
{
    const struct msg ready = {.type = MSG_READY,
                              .u.ready = {.session = w->session, .free = 1}};

    (void)say(w, &ready);
}

static void
take(struct fleet_worker *w, const struct msg *m, int64_t now_ms)
{
    if (m->type == MSG_REJECT && strcmp(m->u.reject.code, "who-are-you") != 0) {
        fprintf(stderr, "fleet: rejected: %s\n", m->u.reject.text);
        exit(1);
    }
    if (m->type == MSG_REJECT)
        say_hello(w, now_ms);
    if (m->type == MSG_HEARTBEAT && m->u.heartbeat.heartbeat_ms > 0)
        w->heartbeat_ms = m->u.heartbeat.heartbeat_ms;
    if (m->type != MSG_WELCOME)
        return;
    w->session = m->u.welcome.session;
    w->heartbeat_ms = m->u.welcome.heartbeat_ms;
    w->due_ms = now_ms + rand() % w->heartbeat_ms; /* they do not beat in step */
    say_ready(w);
}

/* What has arrived, and a beat when it is time. */
static void
tend(struct fleet_worker *w, struct arena *mem, int64_t now_ms)
{
    struct err err;
    struct msg m;

    if (now_ms < w->due_ms && (w->session != 0 || now_ms < w->look_ms))
        return;
    w->look_ms = now_ms + WELCOME_LOOK_MS;
    while (sock_recv(w->sock, NULL, &m, mem, &err) == 1)
        take(w, &m, now_ms);
    arena_release(mem);
    if (now_ms < w->due_ms)
        return;
    if (w->session == 0) {
        say_hello(w, now_ms);
        return;
    }
    say_ready(w); /* as an idle worker says that it lives */
    w->due_ms += w->heartbeat_ms;
}

static void
run(const char *endpoint, int first, int n, int64_t seconds)
{
    struct fleet_worker *all = xcalloc((size_t)n, sizeof *all);
    const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
    const int64_t end_ms = clock_mono_ms() + seconds * 1000;
    struct arena mem = {0};
    struct err err;
    int welcome = 0;

    srand((unsigned)first);
    for (int i = 0; i < n; i++) {
        snprintf(all[i].boot, sizeof all[i].boot, "fleet-%d-%d", (int)getppid(),
                 first + i);
        if (sock_connect(&all[i].sock, endpoint, &err) != 0) {
            fprintf(stderr, "fleet: %s\n", err.text);
            exit(1);
        }
        say_hello(&all[i], clock_mono_ms());
    }
    while (clock_mono_ms() < end_ms) {
        for (int i = 0; i < n; i++)
            tend(&all[i], &mem, clock_mono_ms());
        nanosleep(&look, NULL);
    }
    for (int i = 0; i < n; i++)
        welcome += all[i].session != 0;
    if (welcome < n)
        fprintf(stderr, "fleet: %d of %d have a session\n", welcome, n);
    _exit(welcome < n);
}

int
main(int argc, char **argv)
{
    struct err err;
    int bad = 0, status;

    if (argc < 4) {
        fprintf(stderr, "usage: fleet ENDPOINT WORKERS SECONDS [KEYS]\n");
        return 2;
    }
    if (argc > 4 && sock_use_client_keys(argv[4], &err) != 0) {
        fprintf(stderr, "fleet: %s\n", err.text);
        return 1;
    }
    const int workers = atoi(argv[2]);
    for (int first = 0; first < workers; first += WORKERS_OF_PROCESS) {
        const int left = workers - first;
        const pid_t pid = fork();
        if (pid == 0)
            run(argv[1], first, left < WORKERS_OF_PROCESS ? left : WORKERS_OF_PROCESS,
                atoll(argv[3]));
        if (pid < 0)
            return 1;
    }
    while (wait(&status) > 0)
        bad += status != 0;
    return bad > 0;
}
