/*
 * fake_worker.c - a coordinator to try things on, and the worker's side of the protocol
 * by hand. Knows the messages, not what a test wants with them.
 */
#include "tests/coordinator/dispatch/fake_worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/db/handle.h"
#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/proc.h"
#include "tests/support/dag_fixture.h"
#include "tests/support/pg_fixture.h"

/* ---- the program -------------------------------------------------------------------- */

static void
nap(void)
{
    usleep(10000);
}

pid_t
world_spawn(struct world *w, const char *control, const char *bulk, const char *ready)
{
    const char *program = getenv("COORDINATOR");
    const pid_t pid = fork();

    assert_non_null(program);
    if (pid != 0)
        return pid;
    if (program == NULL || freopen(w->log, "a", stderr) == NULL)
        _exit(99);
    execl(program, program, "--database", w->conninfo, "--listen", control,
          "--listen-bulk", bulk, "--ready-file", ready, "--lease-ms", "600",
          "--heartbeat-ms", "100", NULL);
    _exit(98);
}

void
world_start(struct world *w)
{
    unlink(w->ready);
    w->pid = world_spawn(w, w->control, w->bulk, w->ready);
    for (int64_t end = clock_mono_ms() + WAIT_MS; !file_exists(w->ready); nap())
        if (clock_mono_ms() > end)
            fail_msg("the coordinator did not come up, see %s", w->log);
}

int
world_stop(struct world *w, int sig)
{
    int status;

    kill(w->pid, sig);
    waitpid(w->pid, &status, 0);
    w->pid = 0;
    return status;
}

int
world_make(void **state)
{
    static int count;
    struct world *w = xcalloc(1, sizeof *w);
    struct dag_fixture *f = dag_fixture_new("a", "text");
    struct db_submitted out;
    struct err err;

    w->name = xasprintf("coordinator%d", ++count);
    w->conninfo = pg_fixture_database(w->name);
    w->control = xasprintf("ipc://%s/%s.c", pg_fixture_dir(), w->name);
    w->bulk = xasprintf("ipc://%s/%s.b", pg_fixture_dir(), w->name);
    w->ready = xasprintf("%s/%s.ready", pg_fixture_dir(), w->name);
    w->log = xasprintf("%s/%s.log", pg_fixture_dir(), w->name);
    assert_int_equal(db_open(&w->db, w->conninfo, &err), 0);
    world_start(w); /* makes the schema */
    dag_fixture_add(f, 0, 10);
    assert_int_equal(db_submit(w->db, &f->sweep, f->dag, &out, &err), 0);
    dag_fixture_free(f);
    *state = w;
    return 0;
}

int
world_free(void **state)
{
    struct world *w = *state;

    if (w->pid != 0)
        world_stop(w, SIGKILL);
    db_close(w->db);
    free(w->name);
    free(w->conninfo);
    free(w->control);
    free(w->bulk);
    free(w->ready);
    free(w->log);
    free(w);
    return 0;
}

int64_t
world_number(struct world *w, const char *sql)
{
    struct err err = {0};
    int64_t n;

    if (pg_number(w->db->pg, &n, NULL, sql, PG_NONE, &err) != 0)
        fail_msg("%s", err.text);
    return n;
}

/* ---- a worker that the test plays ---------------------------------------------------- */

void
fake_connect(struct fake *f, const char *endpoint, const char *boot)
{
    struct err err;

    *f = (struct fake){.boot = boot};
    assert_int_equal(sock_connect(&f->sock, endpoint, &err), 0);
}

void
fake_hang_up(struct fake *f)
{
    sock_close(f->sock);
    arena_release(&f->mem);
    *f = (struct fake){0};
}

void
fake_send(struct fake *f, const struct msg *m)
{
    for (int64_t end = clock_mono_ms() + WAIT_MS; sock_send(f->sock, NULL, m) != 0;
         nap())
        if (clock_mono_ms() > end)
            fail_msg("cannot send %s", msg_type_name(m->type));
}

static void
beat(struct fake *f)
{
    const struct msg m = {.type = MSG_HEARTBEAT,
                          .u.heartbeat = {.session = f->session}};

    if (f->session != 0 && !f->mute)
        fake_send(f, &m);
}

/* The next message of this type; others are skipped. NULL after wait_ms. */
struct msg *
fake_await(struct fake *f, enum msg_type type, int64_t wait_ms)
{
    struct msg *m = arena_alloc(&f->mem, sizeof *m);
    const int64_t end = clock_mono_ms() + wait_ms;
    struct err err;

    while (clock_mono_ms() < end) {
        unsigned char ready;
        sock_wait(&f->sock, 1, NULL, 0, &ready, 50);
        while (sock_recv(f->sock, NULL, m, &f->mem, &err) == 1)
            if (m->type == type)
                return m;
        beat(f);
    }
    return NULL;
}

struct msg *
fake_need(struct fake *f, enum msg_type type)
{
    struct msg *m = fake_await(f, type, WAIT_MS);

    if (m == NULL)
        fail_msg("no %s came", msg_type_name(type));
    return m;
}

const struct msg_welcome *
fake_hello(struct fake *f, struct msg_run *running, size_t n_running)
{
    const struct msg m = {
        .type = MSG_HELLO,
        .u.hello = {.name = f->boot,
                    .boot = f->boot,
                    .host = "here",
                    .version = RELUSWEEP_VERSION,
                    .catalog = f->catalog != NULL ? f->catalog : CATALOG,
                    .slots = 1,
                    .threads = 1,
                    .running = running,
                    .n_running = n_running}};

    fake_send(f, &m);
    const struct msg *welcome = fake_need(f, MSG_WELCOME);
    f->session = welcome->u.welcome.session;
    return &welcome->u.welcome;
}

void
fake_offer(struct fake *f)
{
    const struct msg m = {.type = MSG_READY,
                          .u.ready = {.session = f->session, .free = 1}};

    fake_send(f, &m);
}

const struct msg_grant *
fake_get_grant(struct fake *f, int64_t job, int64_t attempt)
{
    fake_offer(f);
    const struct msg *m = fake_need(f, MSG_GRANT);
    assert_int_equal(m->u.grant.run.job, job);
    assert_int_equal(m->u.grant.run.attempt, attempt);
    return &m->u.grant;
}

const char *
fake_report(struct fake *f, struct msg_run run, const char *outcome, const char *sha,
            int64_t size)
{
    struct msg_artifact model = {.name = "model", .sha = sha, .size = size};
    const struct msg m = {.type = MSG_RESULT,
                          .u.result = {.session = f->session,
                                       .run = run,
                                       .outcome = outcome,
                                       .text = "",
                                       .seconds = 1,
                                       .artifacts = &model,
                                       .n_artifacts = sha != NULL}};

    fake_send(f, &m);
    const struct msg *ack = fake_need(f, MSG_ACK);
    assert_string_equal(ack->u.ack.what, "result");
    return ack->u.ack.disposition;
}

struct sha256
world_upload(struct world *w, const char *bytes)
{
    const int64_t size = (int64_t)strlen(bytes);
    const struct sha256 digest = sha256_bytes(bytes, strlen(bytes));
    const struct msg put = {.type = MSG_PUT, .u.put = {digest.hex, size}};
    const struct msg chunk = {.type = MSG_CHUNK,
                              .u.chunk = {digest.hex, 0, size, bytes, strlen(bytes)}};
    struct fake f;

    fake_connect(&f, w->bulk, "bulk");
    fake_send(&f, &put);
    assert_int_equal(fake_need(&f, MSG_PUT_STATE)->u.put_state.offset, 0);
    fake_send(&f, &chunk);
    assert_int_equal(fake_need(&f, MSG_PUT_STATE)->u.put_state.offset, size);
    fake_hang_up(&f);
    return digest;
}
