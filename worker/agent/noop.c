/*
 * noop.c - the protocol's worker side without jobs: grants become results at once. It is
 * how `relusweep bench queue` and the soak tests load a coordinator. Must not be reachable
 * by a sweep: it has a verb of its own and runs nothing that a spec says.
 */
#include "worker/agent/noop.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/base/signals.h"
#include "shared/wire/sock.h"
#include "worker/agent/session.h"

enum { MAX_RECEIVED = 4096, MAX_FINALS = 16, MAX_WAIT_MS = 200 };

#define OPT struct noop_config

const struct param noop_params[] = {
    PARAM_ROW_STRING(OPT, connect, NULL, "the coordinator's address"),
    PARAM_ROW_STRING(OPT, name, "noop", "of this worker"),
    PARAM_ROW_STRING(OPT, keys, "", "folder with worker.key and coordinator.pub"),
    PARAM_ROW_INT(OPT, slots, "500", 1, 4096, "jobs at once"),
    PARAM_ROW_INT(OPT, finals, "0", 0, MAX_FINALS, "final metrics of each job"),
    PARAM_ROW_BOOL(OPT, started, "false",
                   "say STARTED for each job, as agents do when its process works"),
    PARAM_ROW_STRING(OPT, starts, "",
                     "file for the moment at which each job began: pairs of 8-byte "
                     "numbers, job and nanoseconds of the monotonic clock"),
};
const size_t noop_n_params = PARAM_COUNT(noop_params);

struct noop {
    const struct noop_config *config;
    struct sock *control;
    struct session *session;
    struct msg_point finals[MAX_FINALS];
    char names[MAX_FINALS][16];
    FILE *starts;
    int signals;
    bool failed;
    struct err err;
};

/* ---- what the session wants ------------------------------------------------------- */

static int
io_send(void *ctx, const struct msg *m)
{
    const struct noop *n = ctx;

    return sock_send(n->control, NULL, m);
}

static void
fail(struct noop *n, const struct err *err)
{
    n->failed = true;
    n->err = *err;
}

static void
io_reconnect(void *ctx)
{
    struct noop *n = ctx;
    struct err err;

    sock_close(n->control);
    n->control = NULL;
    if (sock_connect(&n->control, n->config->connect, &err) != 0)
        fail(n, &err);
    else
        sock_gather(n->control);
}

static void
io_welcome(void *ctx, const char *bulk)
{
    (void)ctx;
    (void)bulk;
}

static void
write_start(struct noop *n, int64_t job)
{
    const int64_t row[2] = {job, clock_mono_ns()};

    fwrite(row, sizeof row, 1, n->starts);
}

static void
io_grant(void *ctx, const struct msg_grant *g)
{
    struct noop *n = ctx;
    const struct msg_result result = {.run = g->run,
                                      .outcome = "ok",
                                      .text = "",
                                      .finals = n->finals,
                                      .n_finals = (size_t)n->config->finals};

    if (n->starts != NULL)
        write_start(n, g->run.job);
    if (n->config->started)
        session_run_started(n->session, g->run, getpid(), "{}");
    session_run_result(n->session, &result);
}

static void
io_cancel(void *ctx, struct msg_run run, bool hard, const char *reason)
{
    (void)ctx;
    (void)run;
    (void)hard;
    (void)reason;
}

static void
io_run(void *ctx, struct msg_run run)
{
    (void)ctx;
    (void)run;
}

static void
io_checkpointed(void *ctx, struct msg_run run, int64_t step)
{
    (void)ctx;
    (void)run;
    (void)step;
}

static void
io_missing(void *ctx, struct msg_run run, const char *what, const char *sha)
{
    (void)ctx;
    (void)run;
    (void)what;
    (void)sha;
}

static void
io_refused(void *ctx, const char *text)
{
    struct err err;

    err_set(&err, ERR_REFUSED, "the coordinator refused this worker: %s", text);
    fail(ctx, &err);
}

/* ---- the loop --------------------------------------------------------------------- */

static void
take_messages(struct noop *n, int64_t now_ms)
{
    struct arena mem = {0};

    for (int i = 0; i < MAX_RECEIVED && !n->failed; i++) {
        struct msg m;
        struct err err;
        const int rc = sock_recv(n->control, NULL, &m, &mem, &err);
        if (rc == 0)
            break;
        if (rc < 0)
            fail(n, &err);
        else
            session_message(n->session, &m, now_ms);
    }
    arena_release(&mem);
}

static void
run_loop(struct noop *n)
{
    while (!n->failed) {
        unsigned char ready[2];
        int64_t wait = session_next_ms(n->session) - clock_mono_ms();
        wait = wait < 0 ? 0 : wait < MAX_WAIT_MS ? wait : MAX_WAIT_MS;
        (void)sock_wait(&n->control, 1, &n->signals, 1, ready, wait);
        if (ready[1]) {
            (void)session_bye(n->session, "signal", NULL, 0);
            (void)sock_flush(n->control, NULL);
            return;
        }
        const int64_t now_ms = clock_mono_ms();
        take_messages(n, now_ms);
        if (!n->failed)
            session_tick(n->session, now_ms);
        if (!n->failed)
            (void)sock_flush(n->control, NULL); /* what is lost is sent again */
    }
}

static void
make_finals(struct noop *n)
{
    for (int i = 0; i < MAX_FINALS; i++) {
        snprintf(n->names[i], sizeof n->names[i], "m%d", i);
        n->finals[i] = (struct msg_point){
            .name = n->names[i], .value = i, .unit = "", .goal = "none"};
    }
}

static int
open_noop(struct noop *n, struct session_identity *who, struct err *err)
{
    const struct session_io io = {.ctx = n,
                                  .send = io_send,
                                  .reconnect = io_reconnect,
                                  .welcome = io_welcome,
                                  .grant = io_grant,
                                  .cancel = io_cancel,
                                  .drop = io_run,
                                  .checkpointed = io_checkpointed,
                                  .settled = io_run,
                                  .missing = io_missing,
                                  .refused = io_refused};

    if (n->config->starts[0] != '\0'
        && (n->starts = fopen(n->config->starts, "wb")) == NULL)
        return err_sys(err, "open %s", n->config->starts);
    if (sock_connect(&n->control, n->config->connect, err) != 0)
        return -1;
    sock_gather(n->control);
    make_finals(n);
    n->session = session_new(who, &io, clock_mono_ms());
    return 0;
}

int
noop_run(const struct noop_config *config, const char *catalog_json, struct err *err)
{
    struct noop n = {.config = config, .signals = -1};
    uint64_t random = 0;
    char boot[17];
    struct session_identity who = {.name = config->name,
                                   .boot = boot,
                                   .host = "localhost",
                                   .version = RELUSWEEP_VERSION,
                                   .catalog = catalog_json,
                                   .slots = config->slots,
                                   .threads = 1};

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_sys(err, "draw a random number");
    snprintf(boot, sizeof boot, "%016" PRIx64, random);
    int rc = signals_open(&n.signals, (int[]){SIGTERM, SIGINT}, 2, err);
    if (rc == 0 && config->keys[0] != '\0')
        rc = sock_use_client_keys(config->keys, err);
    if (rc == 0)
        rc = open_noop(&n, &who, err);
    if (rc == 0) {
        run_loop(&n);
        if (n.failed) {
            *err = n.err;
            rc = -1;
        }
    }
    session_free(n.session);
    sock_close(n.control);
    sock_finish();
    signals_close(n.signals);
    if (n.starts != NULL && fclose(n.starts) != 0 && rc == 0)
        rc = err_sys(err, "write %s", config->starts);
    return rc;
}
